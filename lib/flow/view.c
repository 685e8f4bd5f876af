/* SPDX-License-Identifier: MIT */
#include "flow/view.h"

#include <string.h>

#include "flow/internal.h"
#include "flow/stack.h"
#include "wire/alert.h"

/* Below the fastest retransmission timer measured (NSS: 50 ms). */
#define BURST_GAP (40 * SD_NS_MS)
/* A flight is repeated this soon after the peer repeated its own. */
#define RESPONSE_WITHIN (20 * SD_NS_MS)
/* What both directions lose within this time, the capture rather lost. */
#define LOST_TOGETHER (50 * SD_NS_MS)
/* Round trips are compared only above this: below, the hosts take as long. */
#define RTT_FAR (5 * SD_NS_MS)
/* Without progress for this long, or twice the longest timer, a handshake has failed. */
#define STUCK_AFTER (3 * SD_NS_SECOND)

enum { MANY_BURSTS = 4 /* retransmissions that say by themselves that it does not go on */ };

static bool in_handshake(const struct sd_event *e)
{
    return e->flight && !(e->flags & SD_EVF_DUPLICATE) &&
           (e->kind == SD_EV_HANDSHAKE || e->kind == SD_EV_CCS || e->kind == SD_EV_PROTECTED);
}

/* --- messages --- */

static struct sd_part *part_of(struct sd_view *v, const struct sd_event *e, uint8_t type)
{
    for (size_t i = 0; i < v->part_count; i++) {
        struct sd_part *p = &v->parts[i];
        if (p->side == sd_event_side(e) && p->type == type && p->message_seq == e->message_seq &&
            (e->kind != SD_EV_HANDSHAKE || p->length == e->length))
            return p;
    }
    if (v->part_count == SD_PARTS_MAX)
        return NULL;
    struct sd_part *p = &v->parts[v->part_count++];
    *p = (struct sd_part){.side = sd_event_side(e),
                          .type = type,
                          .flight = e->flight,
                          .message_seq = e->message_seq,
                          .length = e->kind == SD_EV_HANDSHAKE ? e->length : 0,
                          .number = e->number,
                          .first = e->time};
    return p;
}

static void add_part(struct sd_view *v, const struct sd_event *e)
{
    bool plain = e->kind == SD_EV_HANDSHAKE;
    if (e->kind == SD_EV_CCS)
        return;
    struct sd_part *p = part_of(v, e, plain ? e->message : SD_HS_FINISHED);
    if (!p)
        return;
    p->last = e->time;
    p->sent = e->copy + 1U > p->sent ? e->copy + 1U : p->sent;
    if (plain && !sd_ranges_add(p->have, &p->have_count, SD_RANGES_MAX, e->frag_off,
                                e->frag_off + e->frag_len))
        p->crowded = true;
    p->whole = !plain || (p->have_count == 1 && !p->have[0].from && p->have[0].to == p->length);
}

/* --- bursts --- */

static bool repeats_within(const struct sd_view *v, const struct sd_burst *b,
                           const struct sd_event *e)
{
    for (const struct sd_event *o = &v->x->log[b->first]; o < e; o++)
        if (sd_flight_repeats(o, e))
            return true;
    return false;
}

static struct sd_burst *open_burst(struct sd_view *v, enum sd_side side)
{
    for (size_t i = v->burst_count; i-- > 0;)
        if (v->bursts[i].side == side)
            return &v->bursts[i];
    return NULL;
}

static struct sd_burst *burst_of(struct sd_view *v, const struct sd_event *e)
{
    struct sd_burst *b = open_burst(v, sd_event_side(e));
    if (b && b->flight == e->flight && e->time - b->stop < BURST_GAP && !repeats_within(v, b, e))
        return b;
    if (v->burst_count == SD_BURSTS_MAX)
        return NULL;
    b = &v->bursts[v->burst_count++];
    *b = (struct sd_burst){.side = sd_event_side(e),
                           .flight = e->flight,
                           .first = (size_t)(e - v->x->log),
                           .start = e->time,
                           .number = e->number};
    return b;
}

static void add_to_burst(struct sd_view *v, const struct sd_event *e)
{
    struct sd_burst *b = burst_of(v, e);
    if (!b)
        return;
    uint32_t size = e->ip_length ? e->ip_length : e->datagram;
    b->stop = e->time;
    b->end = (size_t)(e - v->x->log) + 1;
    b->largest = size > b->largest ? size : b->largest;
    b->gap += e->epoch ? 0 : e->gap;
    if (e->flags & SD_EVF_RETRANSMIT)
        b->cause = SD_CAUSE_TIMER;
}

static int64_t previous_copy(const struct sd_view *v, size_t at)
{
    const struct sd_burst *b = &v->bursts[at];
    for (size_t i = at; i-- > 0;)
        if (v->bursts[i].side == b->side && v->bursts[i].flight == b->flight)
            return v->bursts[i].start;
    return b->start;
}

/* The answer to the copy before came by just now: the sender had not seen it yet. On a way
 * much shorter than the timer that is chance: something was lost before. */
static bool crosses(const struct sd_view *v, size_t at)
{
    const struct sd_burst *b = &v->bursts[at];
    int64_t rtt = v->rtt_client + v->rtt_server;
    int64_t own = b->side == SD_SERVER ? v->rtt_server : v->rtt_client;
    int64_t window = own + own / 8 > BURST_GAP ? own + own / 8 : BURST_GAP;
    for (size_t i = at; i-- > 0;) {
        const struct sd_burst *o = &v->bursts[i];
        if (o->side == b->side && o->flight == b->flight)
            return false;
        if (rtt && rtt < (b->start - previous_copy(v, at)) / 3)
            return false;
        if (o->side != b->side && o->flight > b->flight && o->cause == SD_CAUSE_FIRST &&
            b->start - o->start < window)
            return true;
    }
    return false;
}

/* A repetition right after one of the peer's is an answer to it; what the way takes comes
 * on top where the capture was made far from that side. */
static void explain_bursts(struct sd_view *v)
{
    for (size_t i = 0; i < v->burst_count; i++) {
        struct sd_burst *b = &v->bursts[i];
        int64_t rtt = b->side == SD_SERVER ? v->rtt_server : v->rtt_client;
        /* A HelloVerifyRequest has no timer (RFC 6347 section 4.2.1): it answers. */
        if (b->cause == SD_CAUSE_TIMER && b->flight == 2)
            b->cause = SD_CAUSE_RESPONSE;
        if (b->cause == SD_CAUSE_TIMER && crosses(v, i))
            b->cause = SD_CAUSE_CROSSED;
        for (size_t j = i; b->cause == SD_CAUSE_TIMER && j-- > 0;) {
            const struct sd_burst *o = &v->bursts[j];
            if (o->side == b->side || o->cause == SD_CAUSE_FIRST)
                continue;
            if (b->start - o->stop <= RESPONSE_WITHIN + rtt)
                b->cause = SD_CAUSE_RESPONSE;
            break;
        }
    }
}

unsigned sd_view_bursts(const struct sd_view *v, enum sd_side side, uint8_t flight)
{
    unsigned n = 0;
    for (size_t i = 0; i < v->burst_count; i++)
        n += v->bursts[i].side == side && v->bursts[i].flight == flight;
    return n;
}

unsigned sd_view_caused(const struct sd_view *v, enum sd_side side, uint8_t flight,
                        enum sd_cause cause)
{
    unsigned n = 0;
    for (size_t i = 0; i < v->burst_count; i++)
        n += v->bursts[i].side == side && v->bursts[i].flight == flight &&
             v->bursts[i].cause == cause;
    return n;
}

const struct sd_burst *sd_view_burst(const struct sd_view *v, enum sd_side side, uint8_t flight)
{
    for (size_t i = 0; i < v->burst_count; i++)
        if (v->bursts[i].side == side && v->bursts[i].flight == flight)
            return &v->bursts[i];
    return NULL;
}

const struct sd_part *sd_view_part(const struct sd_view *v, enum sd_side side, uint8_t type)
{
    for (size_t i = 0; i < v->part_count; i++)
        if (v->parts[i].side == side && v->parts[i].type == type)
            return &v->parts[i];
    return NULL;
}

bool sd_view_whole(const struct sd_view *v, enum sd_side side)
{
    for (size_t i = 0; i < v->part_count; i++)
        if (v->parts[i].side == side && !v->parts[i].whole)
            return false;
    return true;
}

static const struct sd_part *newest_hello(const struct sd_view *v)
{
    const struct sd_part *newest = NULL;
    for (size_t i = 0; i < v->part_count; i++) {
        const struct sd_part *p = &v->parts[i];
        if (p->side == SD_CLIENT && p->type == SD_HS_CLIENT_HELLO &&
            (!newest || p->message_seq > newest->message_seq))
            newest = p;
    }
    return newest;
}

bool sd_view_absent(const struct sd_view *v, enum sd_side side)
{
    uint16_t max = 0;
    unsigned count = 0;
    for (size_t i = 0; i < v->part_count; i++) {
        const struct sd_part *p = &v->parts[i];
        if (p->side != side || p->flight != (side == SD_SERVER ? 4 : 5) || !p->length)
            continue;
        max = p->message_seq > max ? p->message_seq : max;
        count++;
    }
    uint16_t first = v->x->cookie_count || sd_kept(v->x, SD_KEPT_RETRY).len ? 1 : 0;
    const struct sd_part *hello = newest_hello(v);
    if (!hello)
        return false; /* the capture lacks the beginning, and does not tell what else */
    first = hello->message_seq > first ? hello->message_seq : first;
    if (side == SD_CLIENT)
        first = (uint16_t)(first + 1);
    return count && max + 1U - first > count;
}

const struct sd_event *sd_view_alert(const struct sd_view *v, enum sd_side side, int description)
{
    for (size_t i = 0; v->alerts && i < v->x->count; i++) {
        const struct sd_event *e = &v->x->log[i];
        if (e->kind == SD_EV_ALERT && sd_event_side(e) == side &&
            (description < 0 ? e->level == 2 : e->message == description))
            return e;
    }
    return NULL;
}

/* --- gaps in the record numbers of epoch 0 --- */

struct seen_numbers {
    struct sd_range range[SD_RANGES_MAX * 4];
    size_t count;
    uint64_t base;
    bool any;
};

static bool counts_for_gaps(const struct sd_event *e, enum sd_side side)
{
    bool record = e->kind == SD_EV_HANDSHAKE || e->kind == SD_EV_CCS || e->kind == SD_EV_ALERT ||
                  e->kind == SD_EV_MALFORMED;
    bool numbered = e->kind != SD_EV_MALFORMED || e->content;
    if (!record || !numbered || e->epoch || e->flags & SD_EVF_UNIFIED || sd_event_side(e) != side)
        return false;
    /* A server may take its first numbers from the client's (RFC 6347 section 4.2.1). */
    return side == SD_CLIENT || e->flight >= 4 || e->kind != SD_EV_HANDSHAKE;
}

static uint32_t frame_of_number(const struct sd_view *v, enum sd_side side, uint64_t seq)
{
    for (size_t i = 0; i < v->x->count; i++)
        if (counts_for_gaps(&v->x->log[i], side) && v->x->log[i].seq == seq)
            return v->x->log[i].number;
    return 0;
}

static void note_gap(struct sd_view *v, enum sd_side side, uint64_t from, uint64_t to, bool leading)
{
    v->lost[side] += (unsigned)(to - from);
    if (v->gap_count == SD_GAPS_MAX)
        return;
    v->gaps[v->gap_count++] =
        (struct sd_gap){side, from, to, frame_of_number(v, side, to), leading};
}

/* What the numbers of a direction begin with: a client's with 0; those of a server that asked
 * for a cookie with the one of a ClientHello that brought it (RFC 6347 section 4.2.1): of several
 * copies, the newest one that it can be. */
static uint64_t first_number(const struct sd_exchange *x, const struct sd_event *e)
{
    enum { NEAR = 32 };
    if (sd_event_side(e) == SD_CLIENT)
        return !x->reversed && e->seq < NEAR ? 0 : e->seq;
    uint64_t base = e->seq;
    for (const struct sd_event *o = x->log; x->cookie_count && o < e; o++)
        if (o->kind == SD_EV_HANDSHAKE && o->message == SD_HS_CLIENT_HELLO && o->flight == 3 &&
            o->seq <= e->seq && e->seq - o->seq < NEAR)
            base = o->seq;
    return base;
}

static void find_gaps(struct sd_view *v, enum sd_side side)
{
    struct seen_numbers s = {0};
    if (v->x->side[side].snapped)
        return; /* what is cut off a datagram may be records */
    for (size_t i = 0; i < v->x->count; i++) {
        const struct sd_event *e = &v->x->log[i];
        if (!counts_for_gaps(e, side))
            continue;
        if (!s.any) {
            s.base = first_number(v->x, e);
            s.any = true;
        }
        if (e->seq < s.base || e->seq - s.base > UINT16_MAX)
            continue;
        uint32_t at = (uint32_t)(e->seq - s.base);
        sd_ranges_add(s.range, &s.count, sizeof s.range / sizeof *s.range, at, at + 1);
    }
    if (s.count && s.range[0].from)
        note_gap(v, side, s.base, s.base + s.range[0].from, true);
    for (size_t i = 1; i < s.count; i++)
        note_gap(v, side, s.base + s.range[i - 1].to, s.base + s.range[i].from, false);
}

static int64_t time_of_frame(const struct sd_exchange *x, uint32_t number)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].number == number)
            return x->log[i].time;
    return 0;
}

/* Both directions lost something in the same moment: rather the capture did. */
static bool lost_together(const struct sd_view *v)
{
    for (size_t i = 0; i < v->gap_count; i++)
        for (size_t j = i + 1; j < v->gap_count; j++) {
            int64_t apart =
                time_of_frame(v->x, v->gaps[i].before) - time_of_frame(v->x, v->gaps[j].before);
            if (v->gaps[i].side != v->gaps[j].side && apart < LOST_TOGETHER &&
                apart > -LOST_TOGETHER)
                return true;
        }
    return false;
}

/* --- times --- */

static int64_t first_answer(const struct sd_view *v, enum sd_side from, uint8_t flight,
                            uint8_t answer)
{
    const struct sd_burst *ask = sd_view_burst(v, from, flight);
    const struct sd_burst *got = sd_view_burst(v, sd_other(from), answer);
    if (!ask || !got || sd_view_bursts(v, from, flight) > 1)
        return 0;
    return got->start > ask->stop ? got->start - ask->stop : 0;
}

static void measure_rtt(struct sd_view *v)
{
    v->rtt_server = first_answer(v, SD_CLIENT, 1, 2);
    if (!v->rtt_server)
        v->rtt_server = first_answer(v, SD_CLIENT, 1, 4);
    if (!v->rtt_server)
        v->rtt_server = first_answer(v, SD_CLIENT, 5, 6);
    v->rtt_client = first_answer(v, SD_SERVER, 2, 3);
    if (!v->rtt_client)
        v->rtt_client = first_answer(v, SD_SERVER, 4, 5);
}

static bool initial_ttl(uint8_t ttl)
{
    return ttl == 64 || ttl == 128 || ttl == 255;
}

static void find_vantage(struct sd_view *v)
{
    const struct sd_direction *c = &v->x->side[SD_CLIENT], *s = &v->x->side[SD_SERVER];
    bool near_c = c->datagrams && initial_ttl(c->ttl_max);
    bool near_s = s->datagrams && initial_ttl(s->ttl_max);
    if (near_c != near_s)
        v->vantage = near_c ? SD_NEAR_CLIENT : SD_NEAR_SERVER;
    else if (v->rtt_server && v->rtt_client && v->rtt_server / 4 > v->rtt_client &&
             v->rtt_server > RTT_FAR)
        v->vantage = SD_NEAR_CLIENT;
    else if (v->rtt_server && v->rtt_client && v->rtt_client / 4 > v->rtt_server &&
             v->rtt_client > RTT_FAR)
        v->vantage = SD_NEAR_SERVER;
    else if (c->datagrams && s->datagrams && !near_c)
        v->vantage = SD_MIDDLE;
}

static void measure_timers(struct sd_view *v)
{
    int64_t interval[SD_BURSTS_MAX];
    for (uint8_t flight = 1; flight <= 6; flight++) {
        int64_t last = 0;
        size_t n = 0;
        enum sd_side side = flight % 2 ? SD_CLIENT : SD_SERVER;
        for (size_t i = 0; i < v->burst_count; i++) {
            const struct sd_burst *b = &v->bursts[i];
            if (b->flight != flight || b->side != side || b->cause == SD_CAUSE_RESPONSE)
                continue;
            if (last)
                interval[n++] = b->start - last;
            if (last && b->start - last > v->backoff)
                v->backoff = b->start - last;
            last = b->start;
        }
        if (!*v->stacks && side == SD_CLIENT)
            sd_stack_names(sd_stack_nearest(v->x, interval, n), v->stacks);
    }
}

/* --- may anything be said of it? --- */

static int64_t last_progress(const struct sd_view *v)
{
    int64_t at = v->x->start;
    for (size_t i = 0; i < v->x->count; i++)
        if (in_handshake(&v->x->log[i]) && !(v->x->log[i].flags & SD_EVF_RETRANSMIT))
            at = v->x->log[i].time;
    return at;
}

static bool refused_by_icmp(const struct sd_view *v)
{
    if (v->x->side[SD_SERVER].datagrams)
        return false;
    for (size_t i = 0; i < v->x->count; i++)
        if (v->x->log[i].kind == SD_EV_ICMP && !(v->x->log[i].flags & SD_EVF_SERVER))
            return true;
    return false;
}

/* A warning that ends a handshake all the same: this side sent nothing of it afterwards. */
static bool is_farewell(const struct sd_exchange *x, const struct sd_event *e)
{
    if (e->kind != SD_EV_ALERT || x->established ||
        (e->message != SD_ALERT_CLOSE_NOTIFY && e->message != SD_ALERT_USER_CANCELED))
        return false;
    for (const struct sd_event *o = e + 1; o < x->log + x->count; o++)
        if (o->kind == SD_EV_HANDSHAKE && sd_event_side(o) == sd_event_side(e))
            return false;
    return true;
}

const struct sd_event *sd_view_ending_alert(const struct sd_view *v)
{
    const struct sd_exchange *x = v->x;
    for (size_t i = 0; v->alerts && i < x->count; i++)
        if (x->log[i].kind == SD_EV_ALERT && x->log[i].level == 2)
            return &x->log[i];
    for (size_t i = 0; v->alerts && i < x->count; i++)
        if (is_farewell(x, &x->log[i]))
            return &x->log[i];
    return NULL;
}

static bool has_concluded(const struct sd_view *v)
{
    const struct sd_exchange *x = v->x;
    const struct sd_event *end = sd_view_ending_alert(v);
    /* A client that closes before anybody answered has only given up early. */
    if (x->established || x->superseded || refused_by_icmp(v) ||
        (end && (end->level == 2 || x->side[SD_SERVER].datagrams)))
        return true;
    int64_t stuck = v->now - last_progress(v);
    int64_t horizon = 2 * v->backoff > STUCK_AFTER ? 2 * v->backoff : STUCK_AFTER;
    unsigned again = 0;
    for (size_t i = 0; i < v->burst_count; i++)
        again += v->bursts[i].cause != SD_CAUSE_FIRST;
    bool spoke = x->side[SD_SERVER].datagrams || x->side[SD_SERVER].foreign;
    return (stuck >= horizon && (again || spoke)) || (stuck >= STUCK_AFTER && again >= 2) ||
           again >= MANY_BURSTS;
}

/* An answer to something that was not captured. */
static bool answers_the_unseen(const struct sd_exchange *x)
{
    const struct sd_direction *c = &x->side[SD_CLIENT], *s = &x->side[SD_SERVER];
    const struct sd_rare *rare = sd_rare(x);
    /* A STUN response answers a request of the other side. */
    bool stun = rare->beside[SD_CLIENT].stun_successes && !rare->beside[SD_SERVER].stun;
    if (!s->datagrams)
        return x->hellos_cookie || c->sealed.seen || sd_kept(x, SD_KEPT_CLIENT_KEY_EXCHANGE).p ||
               (stun && !s->foreign);
    return !c->datagrams;
}

void sd_view_build(struct sd_view *v, const struct sd_exchange *x, int64_t now, bool drops)
{
    memset(v, 0, offsetof(struct sd_view, bursts)); /* the arrays are large, and rarely used up */
    v->x = x;
    v->now = now;
    v->silence = now - x->last;
    for (const struct sd_event *e = x->log; e < x->log + x->count; e++) {
        v->flags |= e->flags;
        v->kinds |= (uint16_t)(1U << e->kind);
        v->gaps_seen |= e->gap > 0;
        if (!in_handshake(e))
            continue;
        add_part(v, e);
        add_to_burst(v, e);
    }
    v->alerts = v->kinds & 1U << SD_EV_ALERT;
    find_gaps(v, SD_CLIENT);
    find_gaps(v, SD_SERVER);
    measure_rtt(v);
    explain_bursts(v);
    measure_timers(v);
    find_vantage(v);
    v->one_way = answers_the_unseen(x);
    v->doubtful = drops || lost_together(v);
    v->concluded = has_concluded(v);
}

/* The client ended it on purpose, "for some reason unrelated to a protocol failure" (RFC 5246
 * section 7.2.2), as who only asks what a server does. One that had to wait gave up: that is a
 * failure. A server that does not take a plaintext alert for the client's repeats its flight later,
 * and that means nothing. */
static bool canceled(const struct sd_view *v)
{
    const struct sd_event *e = sd_view_ending_alert(v);
    for (size_t i = 0; e && i < v->burst_count; i++)
        if (v->bursts[i].cause == SD_CAUSE_TIMER && v->x->log + v->bursts[i].first < e)
            return false;
    return e && v->x->side[SD_SERVER].datagrams && e->message == SD_ALERT_USER_CANCELED &&
           sd_event_side(e) == SD_CLIENT;
}

enum sd_outcome sd_outcome_of(const struct sd_view *v)
{
    const struct sd_exchange *x = v->x;
    if (x->established)
        return SD_OK;
    bool alert = sd_view_ending_alert(v) != NULL;
    bool snapped = (x->side[SD_CLIENT].snapped || x->side[SD_SERVER].snapped) && !alert &&
                   x->side[SD_SERVER].datagrams;
    bool headless = x->reversed && !x->has_client_random && !x->has_server_random && !alert;
    if (x->mid_session || x->evicted || canceled(v) || snapped || headless || v->one_way ||
        !v->concluded)
        return SD_INCOMPLETE;
    return SD_FAILED;
}
