#include "dtls_mtu/measure.h"

#include <errno.h>
#include <string.h>

enum {
    COPIES_MIN = 8,  /* of each size in the check */
    COPIES_MAX = 12, /* on a lossy path */
    PAIRS = 60,      /* of the limit and the smallest size, where loss may depend on the size */
    APART = 20,   /* so many more losses of one than of the other are no luck: 3 sigma at worst */
    RESTARTS = 2, /* of a search that was wrong, or whose path changed meanwhile */
    CHECK_IDS = 1 << 20
};

static const sd_time gap = 2 * SD_MS, rto_min = 60 * SD_MS;

struct run {
    struct measured *m;
    const struct carrier *c;
    const struct measure_limits *l;
    struct sd_mtu search;
    uint32_t check_id, check_first;
    struct {
        uint8_t tally;
        bool answered;
    } check[COPIES_MAX * TALLIES + 2 * PAIRS];
};

static void note_icmp(struct measured *m, const struct sd_report *r, bool accepted)
{
    unsigned i = 0;
    while (i < m->icmp_count &&
           !(m->icmp[i].mtu == r->mtu && sd_addr_eq(&m->icmp[i].from, &r->from)))
        i++;
    if (i == ICMP_MAX)
        return;
    if (i == m->icmp_count)
        m->icmp[m->icmp_count++] = (struct icmp_word){.from = r->from, .mtu = r->mtu};
    m->icmp[i].count++;
    m->icmp[i].refused += !accepted;
}

static void on_report(struct run *r, const struct heard *h)
{
    bool ours = h->known && h->id < CHECK_IDS;
    if (h->report.error != EMSGSIZE || h->report.here)
        return;
    note_icmp(r->m, &h->report, h->known);
    if (ours)
        sd_mtu_hint(&r->search, h->id, h->report.mtu);
}

static void on_answer(struct run *r, const struct heard *h)
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

/* Hears until `until`, or until something came that may change what is next. */
static bool hear(struct run *r, sd_time until)
{
    struct heard h;
    r->c->hear(r->c->arg, &h, until);
    if (h.kind == HEARD_STOP)
        r->m->end = MEASURE_STOPPED;
    if (h.kind == HEARD_REPORT)
        on_report(r, &h);
    if (h.kind == HEARD_ANSWER)
        on_answer(r, &h);
    return h.kind != HEARD_NOTHING;
}

static bool over(struct run *r)
{
    if (r->m->end == MEASURE_STOPPED)
        return true;
    if (sd_clock_now() < r->l->deadline)
        return false;
    r->m->end = MEASURE_UNSURE;
    return true;
}

static void search(struct run *r)
{
    struct sd_mtu *s = &r->search;
    while (!over(r)) {
        struct sd_mtu_step step = sd_mtu_next(s, sd_clock_now());
        if (sd_mtu_over(s))
            return;
        if (!step.size) {
            hear(r, step.when);
            continue;
        }
        r->c->send(r->c->arg, step.id, step.size);
        sd_mtu_sent(s, &step, sd_clock_now());
        r->m->probes++;
        if (r->l->progress)
            r->l->progress(r->l->arg, s);
    }
}

static sd_time patience(const struct run *r)
{
    sd_time t = r->search.srtt + 4 * r->search.var;
    return t < rto_min ? rto_min : t;
}

/* So many that bad luck alone would silence them all in one of 1000 runs. */
static unsigned copies(const struct run *r)
{
    const struct sd_mtu *s = &r->search;
    double loss = s->fit_sent ? (double)s->fit_lost / s->fit_sent : 0, all = 1;
    unsigned n = 0;
    for (; n < COPIES_MAX && all > 0.001; n++)
        all *= loss;
    return n < COPIES_MIN ? COPIES_MIN : n;
}

static void send_copy(struct run *r, unsigned which)
{
    struct tally *t = &r->m->tally[which];
    uint32_t i = r->check_id - r->check_first;
    if (!t->size)
        return;
    r->check[i].tally = (uint8_t)which;
    r->check[i].answered = false;
    r->c->send(r->c->arg, r->check_id++, t->size);
    t->sent++;
    r->m->probes++;
    for (sd_time until = sd_clock_now() + gap; sd_clock_now() < until;)
        hear(r, until);
}

static void wait_answers(struct run *r)
{
    for (sd_time until = sd_clock_now() + patience(r); sd_clock_now() < until && !over(r);)
        hear(r, until);
}

static unsigned lost_of(const struct tally *t)
{
    return t->sent - t->answered;
}

/* Is that size lost because it is large? Then the smallest one is not. */
static bool lost_by_size(struct run *r, unsigned which)
{
    struct tally *large = &r->m->tally[which], *small = &r->m->tally[TALLY_SMALL];
    r->check_first = r->check_id;
    *large = (struct tally){.size = large->size};
    *small = (struct tally){.size = r->l->min};
    for (unsigned n = PAIRS; n && !over(r); n--) {
        send_copy(r, which);
        send_copy(r, TALLY_SMALL);
    }
    wait_answers(r);
    return lost_of(large) >= lost_of(small) + APART && large->answered;
}

/* The limit, one byte more, and the largest size, in turns: what differs is the size. */
static void check(struct run *r)
{
    struct measured *m = r->m;
    unsigned limit = r->search.confirmed, max = r->l->max;
    memset(m->tally, 0, sizeof m->tally);
    r->check_first = r->check_id;
    m->size_loss = false;
    m->tally[TALLY_LIMIT].size = limit;
    m->tally[TALLY_ABOVE].size = limit < max ? limit + 1 : 0;
    m->tally[TALLY_TOP].size = limit + 1 < max ? max : 0;
    for (unsigned n = copies(r); n && !over(r); n--)
        for (unsigned i = TALLY_LIMIT; i <= TALLY_TOP; i++)
            send_copy(r, i);
    wait_answers(r);
    if (lost_of(&m->tally[TALLY_LIMIT]) && limit > r->l->min)
        m->size_loss = lost_by_size(r, TALLY_LIMIT);
}

enum judgement { RIGHT, CHANGED, UNLUCKY };

/* What arrived now and did not before, or the other way round. Where larger ones arrive and are
 * lost no more than small ones the search has had bad luck. */
static enum judgement judge(struct run *r)
{
    struct measured *m = r->m;
    unsigned top = TALLY_LIMIT;
    m->mtu = m->largest = r->search.confirmed;
    if (!m->tally[TALLY_LIMIT].answered && m->tally[TALLY_LIMIT].sent)
        return CHANGED;
    for (unsigned i = TALLY_ABOVE; i <= TALLY_TOP; i++)
        if (m->tally[i].answered)
            top = i;
    if (top == TALLY_LIMIT)
        return RIGHT;
    m->size_loss = m->size_loss || lost_by_size(r, top);
    m->largest = m->tally[top].size;
    return m->size_loss ? RIGHT : UNLUCKY;
}

static void conclude(struct run *r)
{
    const struct sd_mtu *s = &r->search;
    struct measured *m = r->m;
    m->limit = s->limit;
    m->confidence = s->confidence;
    m->rtt = s->srtt ? s->srtt : r->l->rtt;
    m->small_sent = s->fit_sent + m->tally[TALLY_LIMIT].sent;
    m->small_lost = s->fit_lost + m->tally[TALLY_LIMIT].sent - m->tally[TALLY_LIMIT].answered;
    if (m->end != MEASURE_DONE)
        return;
    if (!m->mtu)
        m->end = MEASURE_NO_REPLY;
    else if (s->limit == SD_MTU_LIMIT_UNKNOWN)
        m->end = MEASURE_UNSURE;
}

static void begin(struct run *r)
{
    struct sd_mtu_config cfg = sd_mtu_defaults(r->l->ipv6, r->l->max);
    cfg.min = r->l->min;
    cfg.max_probes = r->l->max_probes;
    cfg.first_rto = 4 * r->l->rtt < 4 * rto_min ? 4 * rto_min : 4 * r->l->rtt;
    sd_mtu_init(&r->search, &cfg, r->search.next_id);
}

void measure_run(struct measured *m, const struct carrier *c, const struct measure_limits *l)
{
    struct run r = {.m = m, .c = c, .l = l, .check_id = CHECK_IDS};
    enum judgement judgement = RIGHT;
    *m = (struct measured){.end = MEASURE_DONE};
    for (unsigned again = 0; again <= RESTARTS; again++) {
        begin(&r);
        search(&r);
        if (!r.search.confirmed || m->end != MEASURE_DONE)
            break;
        check(&r);
        judgement = judge(&r);
        m->changes += judgement == CHANGED;
        if (judgement == RIGHT || m->end != MEASURE_DONE)
            break;
    }
    if (m->end != MEASURE_DONE || !r.search.confirmed)
        m->mtu = m->largest = r.search.confirmed;
    if (m->end == MEASURE_DONE && r.search.confirmed && judgement != RIGHT)
        m->end = MEASURE_UNSURE;
    conclude(&r);
}
