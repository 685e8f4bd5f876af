/* SPDX-License-Identifier: MIT */
#include "common/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GATHERED = 64 << 10 }; /* bytes: as much as a pipe takes by default */

/* O_NONBLOCK belongs to the open file, which other processes may share: the shell, a second
 * nc_dtls. Opening a pipe or a terminal again gives one of our own. */
static int open_again(int fd)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

void tool_sink_open(struct tool_sink *s, int fd, size_t most)
{
    struct stat st;
    *s = (struct tool_sink){.fd = fd, .most = most};
    if (fstat(fd, &st))
        return;
    s->socket = S_ISSOCK(st.st_mode);
    if (!S_ISFIFO(st.st_mode) && !isatty(fd))
        return;
    int own = open_again(fd);
    s->own = own >= 0;
    s->ask = !s->own; /* a pipe of another user, or no /proc */
    s->fd = s->own ? own : fd;
}

void tool_sink_close(struct tool_sink *s)
{
    if (s->own)
        close(s->fd);
    free(s->queue);
    *s = (struct tool_sink){.fd = -1};
}

static bool takes_some(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) > 0;
}

static ssize_t write_now(const struct tool_sink *s, const char *data, size_t len)
{
    if (s->socket)
        return send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (s->ask && !takes_some(s->fd)) {
        errno = EAGAIN;
        return -1;
    }
    /* A pipe that poll() calls writable has room for PIPE_BUF. */
    return write(s->fd, data, s->ask && len > PIPE_BUF ? PIPE_BUF : len);
}

/* How much of it was taken; or -errno. */
static ssize_t write_what_fits(const struct tool_sink *s, const char *data, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t put = write_now(s, data + done, len - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (put < 0)
            return -errno;
        done += (size_t)put;
    }
    return (ssize_t)done;
}

int tool_sink_flush(struct tool_sink *s)
{
    if (!s->len)
        return 0;
    ssize_t put = write_what_fits(s, s->queue + s->from, s->len);
    if (put < 0) {
        s->len = 0;
        return (int)put;
    }
    s->from += (size_t)put;
    s->len -= (size_t)put;
    if (s->len)
        return 0;
    s->from = 0;
    if (s->cap <= GATHERED)
        return 0;
    free(s->queue);
    s->queue = NULL;
    s->cap = 0;
    return 0;
}

/* Room for `len` bytes behind what waits. */
static bool reserve_queue(struct tool_sink *s, size_t len)
{
    if (len > s->most - s->len)
        return false;
    if (s->from + s->len + len <= s->cap)
        return true;
    if (s->from) {
        memmove(s->queue, s->queue + s->from, s->len);
        s->from = 0;
    }
    size_t cap = s->cap ? s->cap : BUFSIZ;
    while (cap < s->len + len)
        cap *= 2;
    char *more = cap > s->cap ? realloc(s->queue, cap) : s->queue;
    if (!more)
        return false;
    s->queue = more;
    s->cap = cap;
    return true;
}

static int put_behind(struct tool_sink *s, const char *data, size_t len)
{
    if (!reserve_queue(s, len))
        return -ENOBUFS;
    memcpy(s->queue + s->from + s->len, data, len);
    s->len += len;
    return 0;
}

int tool_sink_gather(struct tool_sink *s, const void *data, size_t len)
{
    if (s->socket) /* which may keep what is written at once together */
        return tool_sink_put(s, data, len);
    int rc = s->len + len > GATHERED ? tool_sink_flush(s) : 0;
    return rc ? rc : put_behind(s, data, len);
}

int tool_sink_put(struct tool_sink *s, const void *data, size_t len)
{
    int rc = tool_sink_flush(s);
    if (rc)
        return rc;
    if (s->len)
        return put_behind(s, data, len);
    ssize_t put = write_what_fits(s, data, len);
    if (put < 0)
        return (int)put;
    if ((size_t)put == len)
        return 0;
    return put_behind(s, (const char *)data + put, len - (size_t)put);
}
