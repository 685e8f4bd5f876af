/* SPDX-License-Identifier: MIT */
/* stdin to the peers: one read, one datagram. It is read only while a peer is connected, so nothing
 * is lost before the first handshake is complete; and only when all of them have what was read
 * before. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

static bool is_fed_otherwise(const struct nc_config *c)
{
    return c->no_stdin || c->exec || c->role == NC_LOAD || c->role == NC_PROBE;
}

/* Somebody is there, and has what was read before. */
static bool may_send(struct nc *n)
{
    return nc_team_sum(n, NC_COUNT_PEERS) && !nc_team_sum(n, NC_COUNT_WAITING) &&
           nc_team_delivered(n) && nc_pace_ready(n);
}

static void send_to_all(struct nc *n, const void *data, size_t len)
{
    struct nc_peer *p;
    nc_team_broadcast(n, data, len);
    TAILQ_FOREACH(p, &n->peers, next)
    {
        nc_send(n, p, data, len);
    }
}

/* The length of the next message in the buffer: what is there, or with --line a line, unless it is
 * too long for the buffer. 0 = there is none yet. */
static size_t next_payload(const struct nc *n)
{
    const struct nc_pump *in = &n->pump;
    const uint8_t *begin = in->buf + in->at;
    size_t len = in->end - in->at;
    const uint8_t *newline = n->cfg.line ? memchr(begin, '\n', len) : NULL;
    if (newline)
        return (size_t)(newline + 1 - begin);
    return n->cfg.line && len < sizeof in->buf && !in->ended ? 0 : len;
}

/* A server outlives its stdin unless -q or -N is given: it may have been started without one. */
static void stdin_ended(struct nc *n)
{
    const struct nc_config *c = &n->cfg;
    n->pump.done = true;
    if (c->role == NC_SERVER && !c->close_at_eof && c->quit_after_ms == UINT32_MAX)
        return;
    n->leaving = "stdin ended";
    nc_quit_after_replies(n);
}

static void send_input(struct nc *n)
{
    struct nc_pump *in = &n->pump;
    size_t len;
    while (may_send(n) && (len = next_payload(n))) {
        const uint8_t *message = in->buf + in->at;
        in->at += len;
        send_to_all(n, message, len);
    }
    if (in->ended && in->at == in->end && !nc_team_sum(n, NC_COUNT_WAITING) && nc_team_delivered(n))
        stdin_ended(n);
}

bool nc_pump_wanted(struct nc *n)
{
    const struct nc_pump *in = &n->pump;
    return !is_fed_otherwise(&n->cfg) && !in->ended && may_send(n);
}

void nc_pump_tick(struct nc *n)
{
    if (!is_fed_otherwise(&n->cfg) && !n->pump.done && may_send(n))
        send_input(n);
}

void nc_pump_run(struct nc *n)
{
    struct nc_pump *in = &n->pump;
    memmove(in->buf, in->buf + in->at, in->end - in->at);
    in->end -= in->at;
    in->at = 0;
    ssize_t got = read(STDIN_FILENO, in->buf + in->end, sizeof in->buf - in->end);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0 && errno != EIO) { /* EIO: the terminal has gone */
        tool_error(&n->out, "cannot read stdin: %s", strerror(errno));
        n->failure = TOOL_EXIT_USAGE;
    }
    if (got > 0)
        in->end += (size_t)got;
    else
        in->ended = true;
    send_input(n);
}
