/* SPDX-License-Identifier: MIT */
/* Where large packets vanish: probes of a small and a large size with rising TTL. */
#ifndef MTU_TRACE_H
#define MTU_TRACE_H

#include "dtls_mtu/path.h"

enum { MTU_TRACE_HOPS = 30 };

struct mtu_hop {
    struct sd_addr from; /* AF_UNSPEC: no answer */
    bool small, large;   /* a packet of this size got there: its TTL expired */
};

struct mtu_trace {
    bool done, reached;    /* a small packet got to the server */
    unsigned hops;         /* tried; when `reached`, the last one is next to the server */
    unsigned last_large;   /* the last hop that a large packet got to; 0 = none */
    unsigned small, large; /* IP packet bytes */
    struct mtu_hop hop[MTU_TRACE_HOPS];
};

/* False: a signal came. */
bool mtu_trace_run(struct mtu_trace *t, struct mtu_path *p, unsigned small, unsigned large,
                   sd_time rtt, sd_time deadline);

#endif
