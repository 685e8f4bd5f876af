/* SPDX-License-Identifier: MIT */
/* Data to a peer, in datagrams that fit. */
#include "nc_dtls/nc.h"

/* Sends what fits one datagram. Returns its size; 0 = a smaller one has to be tried. */
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

void nc_send(struct nc *n, sdtls_conn *c, const void *data, size_t len)
{
    const char *p = data;
    /* 0 bytes fit a connection that is closing: its CLOSED event is on the way. */
    while (len && sdtls_max_payload(c)) {
        size_t sent = send_piece(n, c, p, len);
        p += sent;
        len -= sent;
    }
}
