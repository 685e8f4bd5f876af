/* SPDX-License-Identifier: MIT */
#include "common/stdout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUFFER = 1 << 16, PATIENCE_MS = 500 };

struct obedient {
    int signals; /* a copy: the program may close its own first */
    bool gone;   /* a signal has ended the wait for a reader */
    char buffer[BUFFER];
};

/* False: a signal waits, and stdout takes nothing. A reader that is only slow has some time. */
static bool wait_for_stdout(const struct obedient *o)
{
    struct pollfd fds[] = {{.fd = STDOUT_FILENO, .events = POLLOUT},
                           {.fd = o->signals, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return true;
    return fds[0].revents || poll(fds, 1, PATIENCE_MS) > 0;
}

/* A pipe that is writable has room for PIPE_BUF: that much never blocks. */
static ssize_t put_some(struct obedient *o, const char *data, size_t len)
{
    o->gone = o->gone || !wait_for_stdout(o);
    if (!o->gone)
        return write(STDOUT_FILENO, data, len < PIPE_BUF ? len : PIPE_BUF);
    errno = EINTR;
    return -1;
}

/* For fopencookie(): all of it, or less after an error. */
static ssize_t put_obediently(void *arg, const char *data, size_t len)
{
    struct obedient *o = arg;
    size_t done = 0;
    while (done < len) {
        ssize_t put = put_some(o, data + done, len - done);
        if (put < 0 && (o->gone || (errno != EAGAIN && errno != EINTR)))
            break;
        done += put > 0 ? (size_t)put : 0;
    }
    return (ssize_t)done;
}

void tool_stdout_obeys(const struct tool_signals *s)
{
    struct obedient *o = calloc(1, sizeof *o); /* as long as stdout */
    const cookie_io_functions_t writes = {.write = put_obediently};
    FILE *f = o ? fopencookie(o, "w", writes) : NULL;
    if (!f) { /* then it is as it was */
        free(o);
        return;
    }
    o->signals = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    setvbuf(f, o->buffer, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, sizeof o->buffer);
    fflush(stdout);
    stdout = f;
}
