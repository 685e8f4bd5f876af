/* stdin to the peers: one read, one datagram. It is read only while somebody is
 * there to get it, so nothing is lost before the first handshake is complete. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

/* What replies may take when nothing is said. */
enum { QUIT_AFTER_MS = 200 };

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
        nc_peer_send(n, p->conn, data, len);
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

/* A server outlives its stdin unless told otherwise: it may have been started
 * with none. */
static void at_end(struct nc *n)
{
    const struct nc_config *c = &n->cfg;
    n->pump.ended = true;
    if (n->pump.kept)
        send_to_all(n, n->pump.buf, n->pump.kept);
    n->pump.kept = 0;
    if (c->role == NC_SERVER && !c->close_at_eof && c->quit_after_ms == UINT32_MAX)
        return;
    unsigned linger = c->quit_after_ms == UINT32_MAX ? QUIT_AFTER_MS : c->quit_after_ms;
    n->quit_at = nc_now() + (c->close_at_eof ? 0 : linger);
    nc_wake_at(n, n->quit_at);
}

void nc_pump_run(struct nc *n)
{
    struct nc_pump *in = &n->pump;
    ssize_t got = read(STDIN_FILENO, in->buf + in->kept, sizeof in->buf - in->kept);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0 && errno != EIO) /* EIO: the terminal has gone */
        tool_error(&n->out, "cannot read stdin: %s", strerror(errno));
    if (got <= 0)
        at_end(n);
    else if (n->cfg.line)
        send_lines(n, in->kept + (size_t)got);
    else
        send_to_all(n, in->buf, (size_t)got);
}
