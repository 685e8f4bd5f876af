/* SPDX-License-Identifier: MIT */
/* An estimate of the path from the server without its cooperation: Linux and others answer a ping
 * without DF, so the fragments of a large reply show the path MTU from there (measured). It is
 * only an estimate, because ICMP may take another path than UDP. */
#ifndef MTU_PING_H
#define MTU_PING_H

#include "base/addr.h"
#include "base/clock.h"

struct mtu_ping {
    bool done;
    bool answered;
    int error;    /* errno of opening the socket; 0 = it is open */
    unsigned mtu; /* IP packet that came back whole; 0 = not known */
    bool exact;   /* one byte more came in fragments; else the path carries at least that much */
    unsigned sent;
};

/* `largest`: IP packet that reaches the server. */
void mtu_ping_run(struct mtu_ping *p, const struct sd_addr *to, bool ipv6, unsigned largest,
                  sd_time deadline);

#endif
