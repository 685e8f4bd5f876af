/* A hint at the way back without any cooperation: Linux and others answer a ping without
 * DF, so the fragments of a large reply show the path MTU from there (measured). ICMP may
 * take another way than UDP: a hint, no more. */
#ifndef MTU_PING_H
#define MTU_PING_H

#include "base/addr.h"
#include "base/clock.h"

struct ping {
    bool done;
    bool answered;
    int error;    /* errno of the socket; 0 = it could be opened */
    unsigned mtu; /* IP packet that came back whole; 0 = not known */
    bool exact;   /* one byte more came in fragments; else at least that much passes */
    unsigned sent;
};

/* `largest`: IP packet that gets there. */
void ping_run(struct ping *p, const struct sd_addr *to, bool ipv6, unsigned largest,
              sd_time deadline);

#endif
