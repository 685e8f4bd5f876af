/* SPDX-License-Identifier: MIT */
/* The path-MTU search on a path from the input: its limit, what it loses and delays, the ICMP
 * errors that it sends or forges. When the input ends, the path becomes honest.
 *
 * Always: each probe has a size within the bounds, a search ends within its number of probes, time
 * moves on, and a confirmed size was answered and fits the path. */
#include <string.h>

#include "harness/common.h"

#include "mtu/search.h"
#include "mtu/sizes.h"

enum { FLIGHT_MAX = 64, STEPS_MAX = 2000, SEARCHES_MAX = 5 };

static const sd_time first_time = SD_SEC, honest_rtt = 20 * SD_MS, late_unit = 400 * SD_MS,
                     turn_length = 50 * SD_MS;

/* What happens to a probe: the low bits of an input byte. The other bits are details. */
enum fate {
    FATE_FINE,
    FATE_LOST,
    FATE_LATE,
    FATE_TWICE,
    FATE_ICMP_TRUE,
    FATE_ICMP_FORGED,
    FATE_SILENCE,
    FATE_OTHER_LIMIT,
    FATES
};

struct answer {
    uint32_t id;
    unsigned size;
    sd_time when;
};

struct world {
    struct sd_rd in;
    struct sd_mtu m;
    struct sd_mtu_config cfg;
    sd_time now;
    unsigned limit, highest_limit; /* the highest since the search began */
    unsigned answered;             /* the largest size that was answered since then */
    unsigned silent;               /* this many probes more are lost */
    bool honest; /* no probe that fits was lost, nothing was forged, no limit changed */
    struct answer flight[FLIGHT_MAX];
    unsigned flying, searches;
    uint32_t last_id;
};

static void check(struct world *w)
{
    const struct sd_mtu *m = &w->m;
    fuzz_check(m->confirmed <= w->answered, "confirmed %u, but only %u was answered", m->confirmed,
               w->answered);
    fuzz_check(m->confirmed <= w->highest_limit, "confirmed %u on a path of %u", m->confirmed,
               w->highest_limit);
    fuzz_check(!m->confirmed || m->confirmed >= w->cfg.min, "confirmed %u, below the minimum",
               m->confirmed);
    fuzz_check(m->probes <= w->cfg.max_probes, "%u probes are too many", m->probes);
    fuzz_check(m->misses <= SD_MTU_MISSES && m->confidence <= 1000, "a result is out of bounds");
    fuzz_check(m->state != SD_MTU_COMPLETE || m->confirmed,
               "the search is complete without a size");
    fuzz_note(m->confirmed * 8U + m->state);
}

static void answer_at(struct world *w, uint32_t id, unsigned size, sd_time when)
{
    if (w->flying < FLIGHT_MAX)
        w->flight[w->flying++] = (struct answer){id, size, when};
}

/* Delivers the answers that are due by `until`, in the order of their probes. */
static void deliver(struct world *w, sd_time until)
{
    for (unsigned i = 0; i < w->flying;) {
        struct answer a = w->flight[i];
        if (a.when > until) {
            i++;
            continue;
        }
        memmove(w->flight + i, w->flight + i + 1, (--w->flying - i) * sizeof *w->flight);
        if (w->now < a.when)
            w->now = a.when;
        if (w->answered < a.size)
            w->answered = a.size;
        sd_mtu_acked(&w->m, a.id, w->now);
        check(w);
    }
}

static void forged(struct world *w, uint32_t id, unsigned detail)
{
    const unsigned lies[] = {0,
                             1,
                             68,
                             575,
                             576,
                             1279,
                             1280,
                             1499,
                             w->limit - 1,
                             w->limit + 1,
                             w->m.confirmed - 1,
                             w->m.confirmed + 1,
                             w->cfg.max,
                             65535,
                             UINT32_MAX,
                             w->cfg.min};
    w->honest = false;
    fuzz_note(sd_mtu_hint(&w->m, detail & 16 ? id - detail : id, lies[detail % 16]));
}

static void other_limit(struct world *w, unsigned detail)
{
    w->limit = w->cfg.min + detail * 61 % (w->cfg.max - w->cfg.min + 1);
    if (w->highest_limit < w->limit)
        w->highest_limit = w->limit;
    w->honest = false;
}

/* A probe on its way. Without input the path is honest and takes 20 ms. */
static void travel(struct world *w, const struct sd_mtu_step *s)
{
    bool fits = s->size <= w->limit;
    uint8_t byte = sd_rd_u8(&w->in), detail = byte / FATES;
    sd_time rtt = honest_rtt;
    if (w->silent) {
        w->silent--;
        return;
    }
    switch (byte % FATES) {
    case FATE_LOST:
        w->honest &= !fits;
        return;
    case FATE_LATE:
        w->honest = false;
        rtt = (detail + 1U) * late_unit;
        break;
    case FATE_TWICE:
        if (fits)
            answer_at(w, s->id, s->size, w->now + rtt + detail * SD_MS);
        break;
    case FATE_ICMP_TRUE:
        if (!fits)
            fuzz_note(sd_mtu_hint(&w->m, s->id, w->limit));
        break;
    case FATE_ICMP_FORGED:
        forged(w, s->id, detail);
        break;
    case FATE_SILENCE:
        w->honest = false;
        w->silent = detail;
        return;
    case FATE_OTHER_LIMIT:
        other_limit(w, detail);
        break;
    }
    if (fits)
        answer_at(w, s->id, s->size, w->now + rtt);
}

/* One turn of a caller's loop. False: the search has ended. */
static bool turn(struct world *w)
{
    struct sd_mtu_step s = sd_mtu_next(&w->m, w->now);
    check(w);
    if (!s.size) {
        fuzz_check(s.when > w->now, "the search has nothing to do but wants to run at once");
        if (sd_mtu_over(&w->m))
            return false;
        deliver(w, s.when);
        if (w->now < s.when && w->m.pending)
            w->now = s.when;
        return true;
    }
    fuzz_check(s.size >= w->cfg.min && s.size <= w->cfg.max, "a probe of %u bytes in [%u, %u]",
               s.size, w->cfg.min, w->cfg.max);
    fuzz_check(s.id != w->last_id, "two probes have one id");
    w->last_id = s.id;
    sd_mtu_sent(&w->m, &s, w->now);
    travel(w, &s);
    check(w);
    const sd_time next = w->now + turn_length;
    deliver(w, next < w->m.deadline ? next : w->m.deadline);
    return true;
}

static void search(struct world *w)
{
    unsigned turns = 0;
    while (turn(w))
        fuzz_check(++turns < STEPS_MAX, "the search does not end");
}

static void begin(struct world *w)
{
    bool ipv6 = sd_rd_u8(&w->in) & 1;
    unsigned max = 1280 + sd_rd_u16(&w->in) % 7721, limit = sd_rd_u16(&w->in);
    w->in.bad = false;
    w->cfg = sd_mtu_defaults(ipv6, max);
    w->limit = w->cfg.min + limit % (max - w->cfg.min + 1);
    w->last_id = UINT32_MAX;
}

/* Another search on the same path; answers to the last one may still be on their way. */
static void again(struct world *w)
{
    sd_mtu_init(&w->m, &w->cfg, w->m.next_id);
    w->answered = 0;
    w->highest_limit = w->limit;
    w->honest = !w->flying && !w->silent;
    search(w);
    deliver(w, w->now + SD_SEC);
    fuzz_check(!sd_mtu_next(&w->m, w->now).size, "a probe after the end");
    fuzz_check(!w->honest || (w->m.confirmed == w->limit && w->m.confidence >= 999),
               "the result is %u (confidence %u) on an honest path of %u", w->m.confirmed,
               w->m.confidence, w->limit);
}

/* The input is used up: probes on their way are lost, and the next search is on an honest path. */
static void settle(struct world *w)
{
    w->flying = w->silent = 0;
    again(w);
    fuzz_check(w->m.confirmed == w->limit, "the last result is %u on an honest path of %u",
               w->m.confirmed, w->limit);
    const char *why = sd_mtu_reason(w->m.confirmed);
    fuzz_note(why ? strlen(why) : 0);
    fuzz_note(sd_mtu_payload(w->m.confirmed, w->cfg.min == 1280));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.in = sd_rd_init(data, size), .now = first_time};
    begin(&w);
    do
        again(&w);
    while (++w.searches < SEARCHES_MAX && sd_rd_left(&w.in));
    w.in = sd_rd_init("", 0);
    settle(&w);
    return 0;
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    static const uint16_t limits[] = {0, 704, 724, 824, 896, 916, 924};
    for (uint8_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        uint8_t bytes[64];
        struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
        sd_wr_u8(&w, i & 1);
        sd_wr_u16(&w, i & 2 ? 220 : 7720);
        sd_wr_u16(&w, limits[i]);
        for (uint8_t n = 0; n < 40; n++)
            sd_wr_u8(&w, i < 2 ? 0 : n % 7 == i ? (uint8_t)(n * 8 + i) : 0);
        fuzz_seed(s, bytes, sd_wr_len(&w));
    }
}
