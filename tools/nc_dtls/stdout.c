/* SPDX-License-Identifier: MIT */
/* Payload to stdout, whole: all messages of one turn of the loop at once. When nobody reads it, the
 * peers whose data comes are not read any more either; all else goes on. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

enum {
    PAUSE_AT = 256 << 10,  /* bytes that wait: who sends more is paused */
    RESUME_AT = 64 << 10,  /* and may go on */
    WAITING_MOST = 8 << 20 /* of datagrams that came before their peers were paused, one of each */
};

/* A reader that has gone wants nothing more; then nothing is lost. */
static bool stdout_failed(struct nc *n, int error, size_t unwritten)
{
    int status = error == EPIPE ? TOOL_EXIT_SIGNAL + SIGPIPE : TOOL_EXIT_USAGE;
    if (error != EPIPE) {
        n->tally.unwritten_bytes += unwritten;
        tool_error(&n->out, "cannot write to stdout: %s", strerror(error));
    }
    n->leaving = "cannot write to stdout";
    if (n->done && n->status == TOOL_EXIT_OK)
        n->status = status; /* at the very end */
    nc_quit(n, status);
    return false;
}

static int put_payload(struct nc *n, const void *data, size_t len, size_t *waited)
{
    nc_lock(n);
    if (!n->payload->most)
        tool_sink_open(n->payload, STDOUT_FILENO, WAITING_MOST);
    *waited = n->payload->len;
    int rc =
        n->gathers ? tool_sink_gather(n->payload, data, len) : tool_sink_put(n->payload, data, len);
    nc_unlock(n);
    return rc;
}

bool nc_stdout(struct nc *n, const void *data, size_t len)
{
    size_t waited;
    int rc = put_payload(n, data, len, &waited);
    if (!rc)
        return true;
    if (rc != -ENOBUFS)
        return stdout_failed(n, -rc, waited + len);
    n->tally.unwritten_bytes += len;
    return true;
}

static size_t bytes_waiting(struct nc *n)
{
    nc_lock(n);
    size_t len = n->payload->len;
    nc_unlock(n);
    return len;
}

bool nc_stdout_full(struct nc *n)
{
    return bytes_waiting(n) >= PAUSE_AT;
}

bool nc_stdout_waits(struct nc *n)
{
    return bytes_waiting(n);
}

int nc_stdout_wants(struct nc *n)
{
    nc_lock(n);
    int fd = tool_sink_wants(n->payload);
    nc_unlock(n);
    /* Another worker may have written all of it: nobody else wakes our peers. */
    return fd < 0 && n->pauses ? STDOUT_FILENO : fd;
}

static int flush_payload(struct nc *n, size_t *waited, size_t *left)
{
    nc_lock(n);
    *waited = n->payload->len;
    int rc = tool_sink_flush(n->payload);
    *left = n->payload->len;
    nc_unlock(n);
    return rc;
}

/* Every worker that waits for stdout comes here, and lets its own peers go on. */
void nc_stdout_writable(struct nc *n)
{
    struct nc_peer *p;
    size_t waited, left;
    int rc = flush_payload(n, &waited, &left);
    if (rc) {
        stdout_failed(n, -rc, waited);
        return;
    }
    if (!n->pauses || left > RESUME_AT)
        return;
    n->pauses = false;
    TAILQ_FOREACH(p, &n->peers, next)
    {
        nc_peer_resume(p);
    }
}

void nc_stdout_gather(struct nc *n, bool gather)
{
    /* Lines about each message and the messages keep their order. */
    n->gathers = gather && n->out.verbose < 2 && !n->out.json;
    if (n->pauses || nc_stdout_waits(n))
        nc_stdout_writable(n);
}

void nc_stdout_finish(struct nc *n)
{
    while (tool_sink_wants(n->payload) >= 0 && !n->ended) {
        struct pollfd fds[] = {{.fd = tool_sink_wants(n->payload), .events = POLLOUT},
                               {.fd = n->signals.fd, .events = POLLIN}};
        if (poll(fds, 2, NC_NEVER) < 0 && errno != EINTR)
            break;
        if (fds[0].revents)
            nc_stdout_writable(n);
        int signo = fds[1].revents ? tool_signals_next(&n->signals) : 0;
        n->ended = signo && signo != SIGUSR1 && signo != SIGCHLD;
        if (n->ended)
            n->status = TOOL_EXIT_SIGNAL + signo;
    }
    n->tally.unwritten_bytes += n->payload->len;
    tool_sink_close(n->payload);
}
