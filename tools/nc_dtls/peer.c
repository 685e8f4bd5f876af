/* What client and server do with an established connection alike. */
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
    sdtls_set_user(c, p);
    TAILQ_INSERT_TAIL(&n->peers, p, next);
    if (n->cfg.exec && !nc_exec(n, p))
        sdtls_close(c);
    return p;
}

void nc_peer_remove(struct nc *n, struct nc_peer *p)
{
    TAILQ_REMOVE(&n->peers, p, next);
    sdtls_set_user(p->conn, NULL);
    if (p->child)
        nc_exec_hang_up(n, p->child);
    free(p);
}

/* How much went out of what fits one datagram; 0 when it has to be less. */
static size_t send_piece(struct nc *n, sdtls_conn *c, const void *data, size_t len)
{
    size_t most = sdtls_max_payload(c);
    size_t piece = len < most ? len : most;
    int rc = sdtls_send(c, data, piece);
    if (rc == SDTLS_TOOBIG && sdtls_max_payload(c) < piece)
        return 0; /* the route has just become narrower */
    if (rc)
        tool_warn(&n->out, "%s: %zu bytes not sent: %s", sdtls_peer_text(c), piece,
                  sdtls_strerror(rc));
    else
        nc_report_data(n, sdtls_peer_text(c), true, piece);
    return piece;
}

void nc_peer_send(struct nc *n, sdtls_conn *c, const void *data, size_t len)
{
    const char *p = data;
    /* 0 bytes fit a connection that is closing: its CLOSED event is on the way. */
    while (len && sdtls_max_payload(c)) {
        size_t sent = send_piece(n, c, p, len);
        p += sent;
        len -= sent;
    }
}

void nc_peer_data(struct nc *n, const sdtls_event *ev)
{
    struct nc_peer *p = nc_peer_of(ev);
    if (!p)
        return;
    nc_report_data(n, sdtls_peer_text(ev->conn), false, ev->len);
    if (n->cfg.echo)
        nc_peer_send(n, ev->conn, ev->data, ev->len);
    else if (p->child)
        nc_exec_data(n, p->child, ev->data, ev->len);
    else if (!n->cfg.exec)
        nc_stdout(n, ev->data, ev->len);
}
