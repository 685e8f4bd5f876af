/* Where large packets vanish: the same probe in a small and a large size with rising TTL. */
#ifndef MTU_TRACE_H
#define MTU_TRACE_H

#include "dtls_mtu/path.h"

enum { TRACE_HOPS = 30 };

struct hop {
    struct sd_addr from; /* AF_UNSPEC: nobody answered */
    bool small, large;   /* the time of such a packet expired there */
};

struct trace {
    bool done, reached;  /* a small packet got to the server */
    unsigned hops;       /* looked at: the last one is before the server when reached */
    unsigned last_large; /* the last hop that a large packet got to; 0 = none */
    unsigned small, large;
    struct hop hop[TRACE_HOPS];
};

/* False when a signal came. */
bool trace_run(struct trace *t, struct path *p, unsigned small, unsigned large, sd_time rtt,
               sd_time deadline);

#endif
