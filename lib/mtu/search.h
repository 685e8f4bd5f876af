/* SPDX-License-Identifier: MIT */
/* The path-MTU search of RFC 8899 section 5.2 for one direction: time and
 * events in, probe sizes out.
 *
 *             base answered           no question left
 *     BASE -----------------> SEARCH ------------------> COMPLETE
 *      |                        ^
 *      | base lost 3 times      |
 *      v                        |
 *    ERROR ---------------------+
 *          smallest size answered
 *
 * Two searches end without a limit: one whose smallest size is lost too often
 * stays in ERROR, and one that has sent all its probes goes to COMPLETE, or to
 * ERROR when no probe was answered.
 *
 * A lost probe may be too large or unlucky. A size is therefore not repeated
 * at once: the search goes on below it, and only where it ends, one byte above
 * what was confirmed, it asks again, until the measured loss no longer explains
 * the silence. An answer there proves that an earlier loss was bad luck. In
 * between go probes of the confirmed size: they measure the loss.
 * A search does not notice that its path changes: the caller checks the result,
 * and starts another search.
 * Sizes are bytes of an IP packet. ICMP only chooses the next size to ask for. */
#ifndef SD_MTU_SEARCH_H
#define SD_MTU_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum sd_mtu_state { SD_MTU_BASE, SD_MTU_SEARCH, SD_MTU_COMPLETE, SD_MTU_ERROR };

enum sd_mtu_limit {
    SD_MTU_LIMIT_UNKNOWN, /* not finished, or not sure */
    SD_MTU_LIMIT_LOCAL,   /* the largest size asked for arrives */
    SD_MTU_LIMIT_ICMP,    /* a router reported it, and probes agree */
    SD_MTU_LIMIT_SILENT,  /* larger packets vanish: a PMTU black hole */
    SD_MTU_LIMIT_NO_REPLY /* not even the smallest size is answered */
};

struct sd_mtu_config {
    unsigned min, base, max; /* min: 576, or 1280 for IPv6 */
    unsigned max_probes;
    sd_time first_rto; /* how long the first probe waits for its answer */
};

enum { SD_MTU_MISSES = 24, SD_MTU_IDS = 32 };

struct sd_mtu {
    struct sd_mtu_config cfg;
    enum sd_mtu_state state;
    enum sd_mtu_limit limit;
    unsigned confirmed, upper; /* 0: nothing confirmed; upper is inclusive */
    unsigned confidence;       /* per mille that `confirmed` is the exact limit */
    unsigned probes;

    unsigned hint, icmp; /* ICMP: to be asked next; the last one accepted */
    bool control, found_likely;
    struct {
        unsigned size, count;
    } miss[SD_MTU_MISSES]; /* lost and larger than `confirmed` */
    unsigned misses;
    unsigned fit_sent, fit_lost; /* probes that are known to fit */
    struct {
        unsigned size;
        sd_time at;
        bool answered;
    } sent[SD_MTU_IDS];
    uint32_t next_id, pending; /* pending: id + 1, 0 = none */
    sd_time deadline, srtt, var;
};

/* What to do now: send `size` with `id`, or (size 0) ask again at `when`, which is
 * SD_NEVER when the search is over. */
struct sd_mtu_step {
    unsigned size;
    uint32_t id;
    sd_time when;
};

/* The defaults of an IPv4 or IPv6 path whose first link carries `max`. */
struct sd_mtu_config sd_mtu_defaults(bool ipv6, unsigned max);
/* `first_id`: the id of the first probe. After another search it is that one's next_id, so that
 * late answers of old probes are not taken for new ones. */
void sd_mtu_init(struct sd_mtu *m, const struct sd_mtu_config *cfg, uint32_t first_id);
struct sd_mtu_step sd_mtu_next(struct sd_mtu *m, sd_time now);
void sd_mtu_sent(struct sd_mtu *m, const struct sd_mtu_step *s, sd_time now);
void sd_mtu_acked(struct sd_mtu *m, uint32_t id, sd_time now);
/* ICMP "too big" that quoted the probe `id`. False: refused. */
bool sd_mtu_hint(struct sd_mtu *m, uint32_t id, unsigned next_hop);
/* The search is over: `limit` and `confidence` are its result. */
bool sd_mtu_over(const struct sd_mtu *m);

#endif
