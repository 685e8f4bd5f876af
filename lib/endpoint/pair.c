/* SPDX-License-Identifier: MIT */
/* Two connections that use one peer: an established one, and the handshake that may replace it. */
#include "endpoint/internal.h"

void sd_pair_link(struct sdtls_conn *old, struct sdtls_conn *c)
{
    old->successor = c;
    c->incumbent = old;
    sd_peer_set_user(old->peer, old);
}

void sd_pair_leave(struct sdtls_conn *c)
{
    struct sdtls_conn *other = c->successor ? c->successor : c->incumbent;
    if (!other)
        return;
    sd_peer_set_user(c->peer, other);
    other->successor = other->incumbent = NULL;
    c->successor = c->incumbent = NULL;
    c->peer = NULL;
}
