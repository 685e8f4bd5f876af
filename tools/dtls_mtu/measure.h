/* SPDX-License-Identifier: MIT */
/* Finds the largest packet of one direction: drives the search of lib/mtu over a carrier
 * of probes, then checks the result, and keeps the evidence. */
#ifndef MTU_MEASURE_H
#define MTU_MEASURE_H

#include <stdbool.h>

#include "dtls_mtu/carrier.h"
#include "mtu/search.h"

struct mtu_measure_limits {
    bool ipv6;
    unsigned min, max; /* IP packet bytes: the smallest to try; the largest this host sends */
    sd_time rtt;       /* of a small probe */
    unsigned max_probes;
    sd_time deadline;
    void (*progress)(void *arg, const struct sd_mtu *m); /* NULL = none */
    void *arg;
};

enum { MTU_ICMP_MAX = 4 };

/* A size that a router announced by ICMP. */
struct mtu_icmp_claim {
    struct sd_addr from;
    unsigned mtu;            /* 0 = the error gives no size */
    unsigned count, refused; /* errors; those that quote no probe */
};

/* Probes of one size in the final check. */
struct mtu_tally {
    unsigned size, sent, answered;
};

enum { MTU_TALLY_LIMIT, MTU_TALLY_ABOVE, MTU_TALLY_TOP, MTU_TALLY_SMALL, MTU_TALLIES };

enum mtu_measure_end {
    MTU_MEASURE_DONE,
    MTU_MEASURE_NO_REPLY, /* not even the smallest size is answered */
    MTU_MEASURE_UNSURE,   /* too many probes or too much time: the result is the best known */
    MTU_MEASURE_STOPPED   /* a signal */
};

struct mtu_measured {
    enum mtu_measure_end end;
    enum sd_mtu_limit limit;
    unsigned mtu;        /* IP packet bytes; 0 = none */
    unsigned confidence; /* per mille that it is exact */
    bool size_loss;      /* only some of the larger packets arrive: loss depends on the size */
    unsigned largest;    /* IP packet that arrived at all */
    unsigned smallest;   /* IP packet that was tried */
    unsigned changes;    /* how often the check found a changed path */
    unsigned probes;
    unsigned small_sent, small_lost; /* probes known to fit: the loss of the path */
    sd_time rtt;
    struct mtu_icmp_claim icmp[MTU_ICMP_MAX];
    unsigned icmp_count;
    /* Of the limit, of one byte more, and of the largest size; of the smallest when some of the
     * limit were lost. */
    struct mtu_tally tally[MTU_TALLIES];
};

void mtu_measure_run(struct mtu_measured *m, const struct mtu_carrier *c,
                     const struct mtu_measure_limits *l);

#endif
