/* Finds the largest packet of one direction: drives the search of lib/mtu over a carrier
 * of probes, then checks what it found, and keeps the evidence. */
#ifndef MTU_MEASURE_H
#define MTU_MEASURE_H

#include <stdbool.h>

#include "dtls_mtu/path.h"
#include "mtu/search.h"

/* How probes get there and answers back: hellos, or messages to a cooperating peer. */
struct carrier {
    void *arg;
    /* 0, or -errno when this host does not send it. */
    int (*send)(void *arg, uint32_t id, unsigned packet);
    void (*hear)(void *arg, struct heard *h, sd_time until);
};

struct measure_limits {
    bool ipv6;
    unsigned min, max; /* IP packet bytes: the smallest known to be answered; the local limit */
    sd_time rtt;       /* of a small probe */
    unsigned max_probes;
    sd_time deadline;
    void (*progress)(void *arg, const struct sd_mtu *m); /* NULL = none */
    void *arg;
};

enum { ICMP_MAX = 4 };

/* What a router said, and how often. */
struct icmp_word {
    struct sd_addr from;
    unsigned mtu;
    unsigned count, refused; /* refused: quoted nothing that was sent */
};

/* Probes of one size in the final check. */
struct tally {
    unsigned size, sent, answered;
};

enum { TALLY_LIMIT, TALLY_ABOVE, TALLY_TOP, TALLY_SMALL, TALLIES };

enum measure_end {
    MEASURE_DONE,
    MEASURE_NO_REPLY, /* not even the smallest size */
    MEASURE_UNSURE,   /* too many probes or too much time: the result is the best known */
    MEASURE_STOPPED   /* a signal */
};

struct measured {
    enum measure_end end;
    enum sd_mtu_limit limit;
    unsigned mtu;        /* IP packet bytes; 0 = none */
    unsigned confidence; /* per mille that it is exact */
    bool size_loss;      /* larger packets arrive now and then: loss that depends on the size */
    unsigned largest;    /* that arrived at all */
    unsigned changes;    /* how often the path was another one when checked */
    unsigned probes;
    unsigned small_sent, small_lost; /* probes known to fit: the loss of the path */
    sd_time rtt;
    struct icmp_word icmp[ICMP_MAX];
    unsigned icmp_count;
    /* Of the limit, of one byte more, and of the largest size; of the smallest when the limit
     * was lost at all. */
    struct tally tally[TALLIES];
};

void measure_run(struct measured *m, const struct carrier *c, const struct measure_limits *l);

#endif
