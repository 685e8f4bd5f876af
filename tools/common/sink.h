/* SPDX-License-Identifier: MIT */
/* Output that never blocks the program: what a pipe, a terminal or a socket does not take now waits
 * in memory, within bounds. Files are written at once. */
#ifndef TOOL_SINK_H
#define TOOL_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct tool_sink {
    int fd;      /* where to write: the caller's descriptor, or an own one of the same file */
    bool own;    /* fd is closed in the end */
    bool socket; /* written with send() */
    bool ask;    /* write() may block: poll() is asked before, and little is written */
    char *queue; /* what waits: `len` bytes from `from` on */
    size_t from, len, cap;
    size_t most; /* may wait */
};

/* For the descriptor `fd`, whose flags stay as they are: others may share it. `most` bytes may
 * wait. */
void tool_sink_open(struct tool_sink *s, int fd, size_t most);
/* Drops what waits. A zeroed sink is fine. */
void tool_sink_close(struct tool_sink *s);
/* Takes all of the data, or nothing of it: -ENOBUFS when it does not fit. 0, or the -errno of a
 * write that failed; what waits is dropped then. */
int tool_sink_put(struct tool_sink *s, const void *data, size_t len);
/* The same, for many small pieces: they may wait for tool_sink_flush(), which writes them at once.
 * A socket gets each by itself. */
int tool_sink_gather(struct tool_sink *s, const void *data, size_t len);
/* Writes what waits, as far as it is taken: 0, or -errno as above. */
int tool_sink_flush(struct tool_sink *s);

/* The descriptor to poll for POLLOUT, or -1 when nothing waits. */
static inline int tool_sink_wants(const struct tool_sink *s)
{
    return s->len ? s->fd : -1;
}

#endif
