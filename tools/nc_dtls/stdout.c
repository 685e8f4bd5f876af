/* SPDX-License-Identifier: MIT */
/* Payload to stdout, whole and unbuffered. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

/* Waits until stdout takes something. A slow reader holds us up, but must not keep a signal from
 * ending us. Children (SIGCHLD) are none of stdout's business: with --exec nothing is written here.
 */
static bool wait_writable(struct nc *n)
{
    struct pollfd fds[] = {{.fd = STDOUT_FILENO, .events = POLLOUT},
                           {.fd = n->signals.fd, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return false;
        if (fds[0].revents)
            return true;
        int signo = fds[1].revents ? tool_signals_next(&n->signals) : 0;
        if (signo && signo != SIGUSR1 && signo != SIGCHLD) {
            nc_quit(n, TOOL_EXIT_SIGNAL + signo);
            return false;
        }
    }
}

static bool stdout_failed(struct nc *n)
{
    if (errno != EPIPE)
        tool_error(&n->out, "cannot write to stdout: %s", strerror(errno));
    n->leaving = "cannot write to stdout";
    nc_quit(n, errno == EPIPE ? TOOL_EXIT_SIGNAL + SIGPIPE : TOOL_EXIT_USAGE);
    return false;
}

bool nc_stdout(struct nc *n, const void *data, size_t len)
{
    const char *p = data;
    while (len) {
        if (!wait_writable(n))
            return false;
        /* A writable pipe has room for PIPE_BUF: that much never blocks. */
        ssize_t put = write(STDOUT_FILENO, p, len < PIPE_BUF ? len : PIPE_BUF);
        if (put < 0 && errno != EAGAIN && errno != EINTR)
            return stdout_failed(n);
        if (put < 0)
            continue;
        p += put;
        len -= (size_t)put;
    }
    return true;
}
