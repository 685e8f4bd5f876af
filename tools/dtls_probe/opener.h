/* SPDX-License-Identifier: MIT */
/* A process beside a live capture that opens one file by its name, for reading, whenever it is
 * asked: the file may appear later, or be replaced. It is nobody like the capture, but keeps the
 * right to read any file, and it sees no packet. */
#ifndef PROBE_OPENER_H
#define PROBE_OPENER_H

#include <stdbool.h>

struct probe_user;
struct tool_out;

struct probe_opener {
    int fd; /* a socket to it; -1 = there is none */
};

/* False after an error was printed. */
bool probe_opener_start(struct probe_opener *o, const char *path, const struct probe_user *user,
                        const struct tool_out *out);
/* The file that has the name now, non-blocking; -errno: -ENOENT as long as there is none, or when
 * the process has gone. */
int probe_opener_ask(struct probe_opener *o);
void probe_opener_stop(struct probe_opener *o);

#endif
