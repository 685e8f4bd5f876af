/* SPDX-License-Identifier: MIT */
#include "mtu/search.h"

#include "mtu/sizes.h"

enum {
    TRIES_MIN = 3,    /* MAX_PROBES of RFC 8899 section 5.1.2 */
    TRIES_SILENT = 6, /* of the smallest size, until the search gives up */
    TRIES_MAX = 14,
    MAX_PROBES = 60,
    PPM = 1000000,
    DOUBT_PPM = 1000 /* silence this unlikely is not bad luck */
};

static const sd_time first_rto = SD_SEC, shortest_rto = 30 * SD_MS;

struct sd_mtu_config sd_mtu_defaults(bool ipv6, unsigned max)
{
    struct sd_mtu_config c = {.min = ipv6 ? 1280 : 576,
                              .base = sd_mtu_packet(1232, ipv6),
                              .max = max,
                              .max_probes = MAX_PROBES,
                              .first_rto = first_rto};
    return c;
}

void sd_mtu_init(struct sd_mtu *m, const struct sd_mtu_config *cfg, uint32_t first_id)
{
    *m = (struct sd_mtu){.cfg = *cfg, .state = SD_MTU_BASE, .next_id = first_id};
    if (m->cfg.max < m->cfg.min)
        m->cfg.max = m->cfg.min;
    if (m->cfg.base < m->cfg.min)
        m->cfg.base = m->cfg.min;
    if (m->cfg.base > m->cfg.max)
        m->cfg.base = m->cfg.max;
    m->upper = m->cfg.max;
}

bool sd_mtu_over(const struct sd_mtu *m)
{
    return m->limit != SD_MTU_LIMIT_UNKNOWN || m->state == SD_MTU_COMPLETE;
}

/* How likely n losses in a row are by bad luck, in parts per million: Laplace's
 * rule of succession over the probes known to fit, applied n times. Of a path on
 * which few probes were seen it promises little. */
static uint64_t doubt_ppm(const struct sd_mtu *m, unsigned n)
{
    uint64_t ppm = PPM;
    for (unsigned i = 0; i < n; i++)
        ppm = ppm * (m->fit_lost + 1 + i) / (m->fit_sent + 2 + i);
    return ppm;
}

static bool not_luck(const struct sd_mtu *m, unsigned n)
{
    return n >= TRIES_MAX || (n >= TRIES_MIN && doubt_ppm(m, n) <= DOUBT_PPM);
}

static unsigned missed(const struct sd_mtu *m, unsigned size)
{
    for (unsigned i = 0; i < m->misses; i++)
        if (m->miss[i].size == size)
            return m->miss[i].count;
    return 0;
}

/* The largest size not yet lost: one below the smallest loss. */
static unsigned ceiling(const struct sd_mtu *m)
{
    unsigned top = m->upper;
    for (unsigned i = 0; i < m->misses; i++)
        if (m->miss[i].size - 1 < top)
            top = m->miss[i].size - 1;
    return top;
}

static void add_miss(struct sd_mtu *m, unsigned size)
{
    unsigned i = 0, largest = 0;
    for (; i < m->misses && m->miss[i].size != size; i++)
        if (m->miss[i].size > m->miss[largest].size)
            largest = i;
    if (i == SD_MTU_MISSES)
        i = largest; /* the smaller ones say more */
    else if (i == m->misses)
        m->misses++;
    m->miss[i].count = m->miss[i].size == size ? m->miss[i].count + 1 : 1;
    m->miss[i].size = size;
}

static void end_search(struct sd_mtu *m, enum sd_mtu_limit limit, uint64_t doubt)
{
    m->state = limit == SD_MTU_LIMIT_NO_REPLY ? SD_MTU_ERROR : SD_MTU_COMPLETE;
    m->confidence = doubt >= PPM ? 0 : (unsigned)((PPM - doubt) / 1000);
    m->limit = limit;
}

/* Up to `confirmed` all losses were bad luck: they are how lossy the path is. */
static void forget_misses(struct sd_mtu *m)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < m->misses; i++) {
        if (m->miss[i].size > m->confirmed) {
            m->miss[kept++] = m->miss[i];
            continue;
        }
        m->fit_lost += m->miss[i].count;
        m->fit_sent += m->miss[i].count;
    }
    m->misses = kept;
}

static void take_rtt(struct sd_mtu *m, sd_time rtt)
{
    sd_time off = rtt > m->srtt ? rtt - m->srtt : m->srtt - rtt;
    m->var = m->srtt ? (3 * m->var + off) / 4 : rtt / 2;
    m->srtt = m->srtt ? (7 * m->srtt + rtt) / 8 : rtt;
}

static sd_time probe_rto(const struct sd_mtu *m)
{
    sd_time t = m->srtt + 4 * m->var;
    if (!m->srtt)
        return m->cfg.first_rto;
    return t < shortest_rto ? shortest_rto : t;
}

static void lose_probe(struct sd_mtu *m, unsigned size)
{
    if (size > m->confirmed) {
        add_miss(m, size);
        return;
    }
    m->fit_sent++;
    m->fit_lost++;
}

/* The losses of the base stay what they are, doubtful: when the smallest size
 * is answered, the search below asks again wherever it ends. */
static unsigned next_base(struct sd_mtu *m)
{
    if (m->state == SD_MTU_BASE && missed(m, m->cfg.base) < TRIES_MIN)
        return m->cfg.base;
    m->state = SD_MTU_ERROR;
    if (missed(m, m->cfg.min) < TRIES_SILENT)
        return m->cfg.min;
    end_search(m, SD_MTU_LIMIT_NO_REPLY, PPM);
    return 0;
}

/* Somewhere in (confirmed, top]: what ICMP said, all of it, or about the middle. */
static unsigned guess_size(struct sd_mtu *m, unsigned top)
{
    unsigned low = m->confirmed + 1, span = top - low, hint = m->hint;
    m->hint = 0;
    if (hint >= low && hint <= top)
        return hint;
    if (m->found_likely) {
        m->found_likely = false;
        return low;
    }
    if (top == m->upper && !m->misses)
        return top;
    unsigned likely = sd_mtu_likely(low + span / 4, top - span / 4);
    return likely ? likely : low + span / 2;
}

static unsigned next_search(struct sd_mtu *m)
{
    unsigned top = ceiling(m), edge = m->confirmed + 1;
    if (m->confirmed >= m->upper) {
        end_search(m, SD_MTU_LIMIT_LOCAL, 0);
        return 0;
    }
    if (top > m->confirmed)
        return guess_size(m, top);
    unsigned n = missed(m, edge);
    if (not_luck(m, n)) {
        m->upper = m->confirmed;
        end_search(m, m->icmp == m->confirmed ? SD_MTU_LIMIT_ICMP : SD_MTU_LIMIT_SILENT,
                   doubt_ppm(m, n));
        return 0;
    }
    m->control = !m->control;
    return m->control ? m->confirmed : edge;
}

static unsigned next_size(struct sd_mtu *m)
{
    if (sd_mtu_over(m))
        return 0;
    if (m->probes >= m->cfg.max_probes) {
        end_search(m, m->confirmed ? SD_MTU_LIMIT_UNKNOWN : SD_MTU_LIMIT_NO_REPLY, PPM);
        return 0;
    }
    return m->confirmed ? next_search(m) : next_base(m);
}

struct sd_mtu_step sd_mtu_next(struct sd_mtu *m, sd_time now)
{
    struct sd_mtu_step s = {.when = m->deadline, .id = m->next_id};
    if (m->pending && now < m->deadline)
        return s;
    if (m->pending) {
        unsigned size = m->sent[(m->pending - 1) % SD_MTU_IDS].size;
        m->pending = 0;
        lose_probe(m, size);
    }
    s.size = next_size(m);
    s.when = s.size ? now : SD_NEVER;
    return s;
}

void sd_mtu_sent(struct sd_mtu *m, const struct sd_mtu_step *s, sd_time now)
{
    unsigned slot = s->id % SD_MTU_IDS;
    m->sent[slot].size = s->size;
    m->sent[slot].at = now;
    m->sent[slot].answered = false;
    m->next_id = s->id + 1;
    m->pending = s->id + 1;
    m->deadline = now + probe_rto(m);
    m->probes++;
}

static bool awaits_answer(const struct sd_mtu *m, uint32_t id)
{
    unsigned slot = id % SD_MTU_IDS;
    return m->next_id - id - 1 < SD_MTU_IDS && m->sent[slot].size && !m->sent[slot].answered;
}

void sd_mtu_acked(struct sd_mtu *m, uint32_t id, sd_time now)
{
    if (!awaits_answer(m, id))
        return;
    unsigned slot = id % SD_MTU_IDS, size = m->sent[slot].size;
    m->sent[slot].answered = true;
    take_rtt(m, now - m->sent[slot].at);
    if (m->pending == id + 1)
        m->pending = 0;
    m->fit_sent++;
    /* A late answer to a size that the search has given up: the caller's check finds it. */
    if (size <= m->confirmed || size > m->upper)
        return;
    m->confirmed = size;
    m->found_likely = m->state == SD_MTU_SEARCH && (sd_mtu_reason(size) || size == m->icmp);
    if (m->state != SD_MTU_COMPLETE)
        m->state = SD_MTU_SEARCH;
    forget_misses(m);
}

bool sd_mtu_hint(struct sd_mtu *m, uint32_t id, unsigned next_hop)
{
    /* RFC 8899 section 4.6.2: not below the minimum, not at or above what was sent. */
    if (!awaits_answer(m, id) || next_hop < m->cfg.min || next_hop < m->confirmed ||
        next_hop >= m->sent[id % SD_MTU_IDS].size)
        return false;
    m->hint = m->icmp = next_hop;
    m->found_likely = next_hop == m->confirmed;
    return true;
}
