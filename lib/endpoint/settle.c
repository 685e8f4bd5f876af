/* SPDX-License-Identifier: MIT */
/* When a client of the server gets a socket of its own, and its session learns the MTU of its
 * route.
 *
 * Both cost more system calls than all the rest of a handshake, and a client that shakes hands,
 * says nothing and leaves needs neither: until it has a reason, the listener serves it. Reasons are
 * data in either direction, a question of the program (sdtls_conn_fd(), sdtls_max_payload()), and a
 * flight that got no answer or was too big: then reports of the network are wanted. A listener that
 * drops datagrams is a reason at any time: with a flood it would drop the first message of a client
 * that was silent until then. A group is a reason from the beginning (lib/net/peer.c). */
#include "endpoint/internal.h"

void sd_conn_settle(struct sdtls_conn *c, sd_time now)
{
    if (c->settled || !c->peer || !c->session || c->state == SD_CONN_CLOSING)
        return;
    c->settled = true;
    TAILQ_REMOVE(&c->ep->unsettled, c, unsettled);
    c->too_big = false;
    sd_peer_open(c->peer);
    __atomic_store_n(&c->own_fd, sd_peer_fd(c->peer), __ATOMIC_RELAXED);
    sd_session_route(c->session, sd_peer_route_payload(c->peer), now);
}

void sd_conn_settle_asked(const struct sdtls_conn *c)
{
    if (!c->settled)
        sd_conn_settle((struct sdtls_conn *)(uintptr_t)c, sd_endpoint_now(c->ep));
}

/* One for each datagram that is read: many sockets at once would hold up the program. */
void sd_settle_in_flood(struct sdtls *s, sd_time now)
{
    struct sdtls_conn *c = TAILQ_FIRST(&s->unsettled);
    if (c && sd_demux_lossy(s->demux))
        sd_conn_settle(c, now);
}
