/* SPDX-License-Identifier: MIT */
/* Data to a peer, in datagrams that fit. What cannot be sent now is kept with the peer, and what
 * would bring more of it is not read meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nc_dtls/nc.h"

static void tally_sent(struct nc *n, sdtls_conn *c, size_t len)
{
    n->tally.sent++;
    n->tally.sent_bytes += len;
    nc_pace_sent(n, len);
    nc_report_data(n, sdtls_peer_text(c), true, len);
}

static void tally_refused(struct nc *n, int rc, size_t len)
{
    n->tally.refused++;
    n->tally.refused_bytes += len;
    snprintf(n->tally.why, sizeof n->tally.why, "%s",
             *sdtls_errmsg(n->s) ? sdtls_errmsg(n->s) : sdtls_strerror(rc));
}

int nc_send_piece(struct nc *n, sdtls_conn *c, const void *data, size_t len, size_t *done)
{
    for (;;) {
        size_t most = sdtls_max_payload(c);
        size_t piece = len < most ? len : most;
        int rc = sdtls_send(c, data, piece);
        if (rc == SDTLS_TOOBIG && sdtls_max_payload(c) < piece)
            continue; /* the route has just become narrower */
        *done = rc == SDTLS_AGAIN ? 0 : piece;
        if (rc == SDTLS_OK)
            tally_sent(n, c, piece);
        else if (rc != SDTLS_AGAIN)
            tally_refused(n, rc, piece);
        return rc;
    }
}

/* As much as may be sent now; how much that was. An echo answers at the speed of the question. */
static size_t send_some(struct nc *n, struct nc_peer *p, const uint8_t *data, size_t len)
{
    size_t at = 0, done;
    /* 0 bytes fit a connection that is closing: its CLOSED event is on the way. */
    while (at < len && sdtls_max_payload(p->conn) && (n->cfg.echo || nc_pace_ready(n))) {
        p->blocked = nc_send_piece(n, p->conn, data + at, len - at, &done) == SDTLS_AGAIN;
        if (p->blocked)
            break;
        at += done;
    }
    return sdtls_max_payload(p->conn) ? at : len;
}

static void keep_unsent(struct nc *n, struct nc_peer *p, const uint8_t *data, size_t len)
{
    p->unsent = malloc(len);
    if (!p->unsent) {
        n->tally.unsent_bytes += len;
        return;
    }
    memcpy(p->unsent, data, len);
    p->unsent_len = len;
    nc_team_count(n, NC_COUNT_WAITING, 1);
}

void nc_send(struct nc *n, struct nc_peer *p, const void *data, size_t len)
{
    size_t sent = send_some(n, p, data, len);
    if (sent < len)
        keep_unsent(n, p, (const uint8_t *)data + sent, len - sent);
}

void nc_send_forget(struct nc *n, struct nc_peer *p)
{
    if (p->unsent)
        nc_team_count(n, NC_COUNT_WAITING, -1);
    free(p->unsent);
    p->unsent = NULL;
    p->unsent_len = 0;
}

static void send_more(struct nc *n, struct nc_peer *p)
{
    size_t sent = send_some(n, p, p->unsent, p->unsent_len);
    p->unsent_len -= sent;
    memmove(p->unsent, p->unsent + sent, p->unsent_len);
    if (p->unsent_len)
        return;
    nc_send_forget(n, p);
    if (n->cfg.echo)
        nc_peer_resume(p);
}

void nc_send_writable(struct nc *n, struct nc_peer *p)
{
    p->blocked = false;
    if (p->unsent)
        send_more(n, p);
}

void nc_send_tick(struct nc *n)
{
    struct nc_peer *p;
    if (!n->shared[NC_COUNT_WAITING])
        return;
    TAILQ_FOREACH(p, &n->peers, next)
    {
        if (p->unsent && !p->blocked)
            send_more(n, p);
    }
}

/* The library may hold one datagram more of each. */
bool nc_all_sent(const struct nc *n)
{
    const struct nc_peer *p;
    if (n->shared[NC_COUNT_WAITING])
        return false;
    TAILQ_FOREACH(p, &n->peers, next)
    {
        if (sdtls_unsent(p->conn))
            return false;
    }
    return true;
}
