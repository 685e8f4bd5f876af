/* SPDX-License-Identifier: MIT */
/* stdin to the peers: one read, one datagram. It is read only while a peer is connected, so nothing
 * is lost before the first handshake is complete. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

bool nc_pump_wanted(const struct nc *n)
{
    bool fed = n->cfg.no_stdin || n->cfg.exec || n->cfg.role == NC_LOAD || n->cfg.role == NC_PROBE;
    return !fed && !n->pump.ended && !TAILQ_EMPTY(&n->peers);
}

static void send_to_all(struct nc *n, const void *data, size_t len)
{
    struct nc_peer *p;
    TAILQ_FOREACH(p, &n->peers, next)
    {
        nc_send(n, p->conn, data, len);
    }
}

/* Sends the complete lines and keeps the rest; a line too long for the buffer
 * goes in pieces. */
static void send_lines(struct nc *n, size_t len)
{
    struct nc_pump *in = &n->pump;
    const uint8_t *p = in->buf, *end = in->buf + len, *newline;
    while ((newline = memchr(p, '\n', (size_t)(end - p)))) {
        send_to_all(n, p, (size_t)(newline + 1 - p));
        p = newline + 1;
    }
    in->kept = (size_t)(end - p);
    if (in->kept == sizeof in->buf) {
        send_to_all(n, p, in->kept);
        in->kept = 0;
    }
    memmove(in->buf, p, in->kept);
}

/* A server outlives its stdin unless -q or -N is given: it may have been started without one. */
static void stdin_ended(struct nc *n)
{
    const struct nc_config *c = &n->cfg;
    n->pump.ended = true;
    if (n->pump.kept)
        send_to_all(n, n->pump.buf, n->pump.kept);
    n->pump.kept = 0;
    if (c->role == NC_SERVER && !c->close_at_eof && c->quit_after_ms == UINT32_MAX)
        return;
    n->leaving = "stdin ended";
    nc_quit_after_replies(n);
}

void nc_pump_run(struct nc *n)
{
    struct nc_pump *in = &n->pump;
    ssize_t got = read(STDIN_FILENO, in->buf + in->kept, sizeof in->buf - in->kept);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0 && errno != EIO) { /* EIO: the terminal has gone */
        tool_error(&n->out, "cannot read stdin: %s", strerror(errno));
        n->failure = TOOL_EXIT_USAGE;
    }
    if (got <= 0)
        stdin_ended(n);
    else if (n->cfg.line)
        send_lines(n, in->kept + (size_t)got);
    else
        send_to_all(n, in->buf, (size_t)got);
}
