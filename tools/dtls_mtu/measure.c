/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/measure.h"

#include <errno.h>
#include <string.h>

enum {
    COPIES_MIN = 8,  /* of each size in the check */
    COPIES_MAX = 12, /* on a lossy path */
    PAIRS = 60,      /* of the limit and the smallest size, where loss may depend on the size */
    APART = 20,   /* this many more losses of one than of the other are no luck: 3 sigma at worst */
    RESTARTS = 2, /* of a search that was wrong, or whose path changed meanwhile */
    CHECK_IDS = 1 << 20
};

static const double bad_luck = 0.001; /* the chance that luck alone loses all copies of a size */
static const sd_time copy_gap = 2 * SD_MS, least_wait = 60 * SD_MS, least_first_wait = 240 * SD_MS;

struct measurement {
    struct mtu_measured *m;
    const struct mtu_carrier *c;
    const struct mtu_measure_limits *l;
    struct sd_mtu search;
    uint32_t check_id, check_first;
    struct {
        uint8_t tally;
        bool answered;
    } check[COPIES_MAX * MTU_TALLIES + 2 * PAIRS];
};

static void note_claim(struct mtu_measured *m, const struct sd_report *r, bool accepted)
{
    unsigned i = 0;
    while (i < m->icmp_count &&
           !(m->icmp[i].mtu == r->mtu && sd_addr_eq(&m->icmp[i].from, &r->from)))
        i++;
    if (i == MTU_ICMP_MAX)
        return;
    if (i == m->icmp_count)
        m->icmp[m->icmp_count++] = (struct mtu_icmp_claim){.from = r->from, .mtu = r->mtu};
    m->icmp[i].count++;
    m->icmp[i].refused += !accepted;
}

static void heed_report(struct measurement *r, const struct mtu_heard *h)
{
    bool ours = h->known && h->id < CHECK_IDS;
    if (h->report.error != EMSGSIZE || h->report.here)
        return;
    note_claim(r->m, &h->report, h->known);
    if (ours)
        sd_mtu_hint(&r->search, h->id, h->report.mtu);
}

static void count_answer(struct measurement *r, const struct mtu_heard *h)
{
    if (!h->known)
        return;
    if (h->id < CHECK_IDS) {
        sd_mtu_acked(&r->search, h->id, h->at);
        return;
    }
    uint32_t i = h->id - r->check_first;
    if (i >= r->check_id - r->check_first || r->check[i].answered)
        return;
    r->check[i].answered = true;
    r->m->tally[r->check[i].tally].answered++;
}

/* Waits until `until`, or until something comes that may change the next step. */
static bool hear_next(struct measurement *r, sd_time until)
{
    struct mtu_heard h;
    r->c->hear(r->c->arg, &h, until);
    if (h.kind == MTU_HEARD_STOP)
        r->m->end = MTU_MEASURE_STOPPED;
    if (h.kind == MTU_HEARD_REPORT)
        heed_report(r, &h);
    if (h.kind == MTU_HEARD_ANSWER)
        count_answer(r, &h);
    return h.kind != MTU_HEARD_NOTHING;
}

static bool run_over(struct measurement *r)
{
    if (r->m->end == MTU_MEASURE_STOPPED)
        return true;
    if (sd_clock_now() < r->l->deadline)
        return false;
    r->m->end = MTU_MEASURE_UNSURE;
    return true;
}

static void search_limit(struct measurement *r)
{
    struct sd_mtu *s = &r->search;
    while (!run_over(r)) {
        struct sd_mtu_step step = sd_mtu_next(s, sd_clock_now());
        if (sd_mtu_over(s))
            return;
        if (!step.size) {
            hear_next(r, step.when);
            continue;
        }
        r->c->send(r->c->arg, step.id, step.size);
        sd_mtu_sent(s, &step, sd_clock_now());
        r->m->probes++;
        if (r->l->progress)
            r->l->progress(r->l->arg, s);
    }
}

static sd_time answer_wait(const struct measurement *r)
{
    sd_time t = r->search.srtt + 4 * r->search.var;
    return t < least_wait ? least_wait : t;
}

/* As many as make it unlikely that bad luck alone loses them all. */
static unsigned copies_needed(const struct measurement *r)
{
    const struct sd_mtu *s = &r->search;
    double loss = s->fit_sent ? (double)s->fit_lost / s->fit_sent : 0, all = 1;
    unsigned n = 0;
    for (; n < COPIES_MAX && all > bad_luck; n++)
        all *= loss;
    return n < COPIES_MIN ? COPIES_MIN : n;
}

static void send_copy(struct measurement *r, unsigned which)
{
    struct mtu_tally *t = &r->m->tally[which];
    uint32_t i = r->check_id - r->check_first;
    if (!t->size)
        return;
    r->check[i].tally = (uint8_t)which;
    r->check[i].answered = false;
    r->c->send(r->c->arg, r->check_id++, t->size);
    t->sent++;
    r->m->probes++;
    for (sd_time until = sd_clock_now() + copy_gap; sd_clock_now() < until;)
        hear_next(r, until);
}

static void wait_answers(struct measurement *r)
{
    for (sd_time until = sd_clock_now() + answer_wait(r); sd_clock_now() < until && !run_over(r);)
        hear_next(r, until);
}

static unsigned tally_lost(const struct mtu_tally *t)
{
    return t->sent - t->answered;
}

/* Is this size lost because it is large? Then the smallest one is not. */
static bool lost_by_size(struct measurement *r, unsigned which)
{
    struct mtu_tally *large = &r->m->tally[which], *small = &r->m->tally[MTU_TALLY_SMALL];
    r->check_first = r->check_id;
    *large = (struct mtu_tally){.size = large->size};
    *small = (struct mtu_tally){.size = r->l->min};
    for (unsigned n = PAIRS; n && !run_over(r); n--) {
        send_copy(r, which);
        send_copy(r, MTU_TALLY_SMALL);
    }
    wait_answers(r);
    return tally_lost(large) >= tally_lost(small) + APART && large->answered;
}

/* Sends the limit, one byte more, and the largest size, in turns: they differ only in size. */
static void check_limit(struct measurement *r)
{
    struct mtu_measured *m = r->m;
    unsigned limit = r->search.confirmed, max = r->l->max;
    memset(m->tally, 0, sizeof m->tally);
    r->check_first = r->check_id;
    m->size_loss = false;
    m->tally[MTU_TALLY_LIMIT].size = limit;
    m->tally[MTU_TALLY_ABOVE].size = limit < max ? limit + 1 : 0;
    m->tally[MTU_TALLY_TOP].size = limit + 1 < max ? max : 0;
    for (unsigned n = copies_needed(r); n && !run_over(r); n--)
        for (unsigned i = MTU_TALLY_LIMIT; i <= MTU_TALLY_TOP; i++)
            send_copy(r, i);
    wait_answers(r);
    if (tally_lost(&m->tally[MTU_TALLY_LIMIT]) && limit > r->l->min)
        m->size_loss = lost_by_size(r, MTU_TALLY_LIMIT);
}

enum judgement { RIGHT, CHANGED, UNLUCKY };

/* Compares the check with the search. When no packet of the limit arrives, the path has changed.
 * When larger ones arrive, and are lost no more often than small ones, the search had bad luck. */
static enum judgement judge_check(struct measurement *r)
{
    struct mtu_measured *m = r->m;
    unsigned top = MTU_TALLY_LIMIT;
    m->mtu = m->largest = r->search.confirmed;
    if (!m->tally[MTU_TALLY_LIMIT].answered && m->tally[MTU_TALLY_LIMIT].sent)
        return CHANGED;
    for (unsigned i = MTU_TALLY_ABOVE; i <= MTU_TALLY_TOP; i++)
        if (m->tally[i].answered)
            top = i;
    if (top == MTU_TALLY_LIMIT)
        return RIGHT;
    m->size_loss = m->size_loss || lost_by_size(r, top);
    m->largest = m->tally[top].size;
    return m->size_loss ? RIGHT : UNLUCKY;
}

static void fill_measured(struct measurement *r)
{
    const struct sd_mtu *s = &r->search;
    struct mtu_measured *m = r->m;
    m->limit = s->limit;
    m->confidence = s->confidence;
    m->rtt = s->srtt ? s->srtt : r->l->rtt;
    m->small_sent = s->fit_sent + m->tally[MTU_TALLY_LIMIT].sent;
    m->small_lost =
        s->fit_lost + m->tally[MTU_TALLY_LIMIT].sent - m->tally[MTU_TALLY_LIMIT].answered;
    if (m->end != MTU_MEASURE_DONE)
        return;
    if (!m->mtu)
        m->end = MTU_MEASURE_NO_REPLY;
    else if (s->limit == SD_MTU_LIMIT_UNKNOWN)
        m->end = MTU_MEASURE_UNSURE;
}

static void begin_search(struct measurement *r)
{
    struct sd_mtu_config cfg = sd_mtu_defaults(r->l->ipv6, r->l->max);
    cfg.min = r->l->min;
    cfg.max_probes = r->l->max_probes;
    cfg.first_rto = 4 * r->l->rtt < least_first_wait ? least_first_wait : 4 * r->l->rtt;
    sd_mtu_init(&r->search, &cfg, r->search.next_id);
}

void mtu_measure_run(struct mtu_measured *m, const struct mtu_carrier *c,
                     const struct mtu_measure_limits *l)
{
    struct measurement r = {.m = m, .c = c, .l = l, .check_id = CHECK_IDS};
    enum judgement judgement = RIGHT;
    *m = (struct mtu_measured){.end = MTU_MEASURE_DONE, .smallest = l->min};
    for (unsigned again = 0; again <= RESTARTS; again++) {
        begin_search(&r);
        search_limit(&r);
        if (!r.search.confirmed || m->end != MTU_MEASURE_DONE)
            break;
        check_limit(&r);
        judgement = judge_check(&r);
        m->changes += judgement == CHANGED;
        if (judgement == RIGHT || m->end != MTU_MEASURE_DONE)
            break;
    }
    if (m->end != MTU_MEASURE_DONE || !r.search.confirmed)
        m->mtu = m->largest = r.search.confirmed;
    if (m->end == MTU_MEASURE_DONE && r.search.confirmed && judgement != RIGHT)
        m->end = MTU_MEASURE_UNSURE;
    fill_measured(&r);
}
