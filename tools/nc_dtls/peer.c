/* SPDX-License-Identifier: MIT */
/* What a client and a server both do with an established connection. */
#include <stdlib.h>

#include "nc_dtls/nc.h"

struct nc_peer *nc_peer_of(const sdtls_event *ev)
{
    return sdtls_user(ev->conn);
}

struct nc_peer *nc_peer_add(struct nc *n, sdtls_conn *c)
{
    struct nc_peer *p = calloc(1, sizeof *p);
    if (!p) {
        tool_error(&n->out, "%s: out of memory", sdtls_peer_text(c));
        sdtls_close(c);
        return NULL;
    }
    p->conn = c;
    nc_note_handshake(n, c);
    sdtls_set_user(c, p);
    TAILQ_INSERT_TAIL(&n->peers, p, next);
    nc_team_count(n, NC_COUNT_PEERS, 1);
    if (n->cfg.exec && !nc_exec(n, p))
        sdtls_close(c);
    return p;
}

void nc_peer_remove(struct nc *n, struct nc_peer *p)
{
    n->tally.unsent_bytes += p->unsent_len + sdtls_unsent(p->conn);
    n->tally.unread_peers += p->paused;
    nc_send_forget(n, p);
    TAILQ_REMOVE(&n->peers, p, next);
    nc_team_count(n, NC_COUNT_PEERS, -1);
    sdtls_set_user(p->conn, NULL);
    if (p->child)
        nc_exec_hang_up(n, p->child);
    free(p);
}

void nc_close_all(struct nc *n)
{
    struct nc_peer *p;
    while ((p = TAILQ_FIRST(&n->peers))) {
        nc_report_leaving(n, p->conn);
        sdtls_close(p->conn);
        nc_peer_remove(n, p);
    }
}

/* Where data goes decides when there is enough of it. */
static bool takes_no_more(struct nc *n, const struct nc_peer *p)
{
    if (n->cfg.echo)
        return p->unsent;
    return p->child ? nc_exec_full(p->child) : nc_stdout_full(n);
}

void nc_peer_data(struct nc *n, const sdtls_event *ev)
{
    struct nc_peer *p = nc_peer_of(ev);
    if (!p)
        return;
    n->tally.received++;
    n->tally.received_bytes += ev->len;
    nc_report_data(n, sdtls_peer_text(ev->conn), false, ev->len);
    if (n->cfg.echo)
        nc_send(n, p, ev->data, ev->len);
    else if (p->child)
        nc_exec_data(n, p->child, ev->data, ev->len);
    else if (!n->cfg.exec)
        nc_stdout(n, ev->data, ev->len);
    if (!takes_no_more(n, p))
        return;
    nc_peer_pause(p);
    n->pauses = n->pauses || nc_stdout_full(n);
}

void nc_peer_writable(struct nc *n, const sdtls_event *ev)
{
    struct nc_peer *p = nc_peer_of(ev);
    if (p)
        nc_send_writable(n, p);
}
