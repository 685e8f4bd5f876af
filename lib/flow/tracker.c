/* SPDX-License-Identifier: MIT */
#include "flow/tracker.h"

#include <string.h>

#include "flow/icmp.h"
#include "flow/internal.h"
#include "wire/hello.h"

enum {
    FLOWS_DEFAULT = 50000,
    PENDING_DEFAULT = 64 << 20,
    KEPT_DEFAULT = 256 << 20,
    BYTES_DEFAULT = 64 << 20,
    CANDIDATES = 3,          /* protected datagrams that make a session without a handshake */
    EPOCH_USUAL = 16,        /* of a session that rekeys now and then */
    PORTS_OF_CLIENTS = 32768 /* from there systems take those of clients (Linux; RFC 6335) */
};

/* The network's copies of a datagram hardly come later. */
#define COPIES_WITHIN (20 * SD_NS_MS)

/* Records of a session that was closed and freed come late, if at all. */
#define LATE_FOR (60 * SD_NS_SECOND)

struct sd_tracker *sd_tracker_new(const struct sd_tracker_config *config)
{
    struct sd_tracker *t = sd_alloc_new(&config->alloc, sizeof *t);
    if (!t)
        return NULL;
    t->config = *config;
    if (!t->config.max_flows)
        t->config.max_flows = FLOWS_DEFAULT;
    if (!t->config.max_pending)
        t->config.max_pending = PENDING_DEFAULT;
    if (!t->config.max_kept)
        t->config.max_kept = KEPT_DEFAULT;
    if (!t->config.max_bytes)
        t->config.max_bytes = BYTES_DEFAULT;
    bool ok = sd_table_init(&t->flows);
    ok = sd_index_init(&t->index, &t->config) && ok;
    if (!ok) {
        sd_tracker_free(t);
        return NULL;
    }
    return t;
}

void sd_tracker_free(struct sd_tracker *t)
{
    if (!t)
        return;
    t->config.done = NULL;
    t->config.lone = NULL;
    while (t->oldest)
        sd_flow_remove(t, t->oldest);
    sd_table_fini(&t->flows);
    sd_index_fini(&t->index);
    sd_alloc_free(&t->config.alloc, t);
}

/* --- whose datagram is it? --- */

static enum sd_side side_of(const struct sd_exchange *x, const struct sd_addr *src)
{
    return sd_addr_eq(src, &x->client) ? SD_CLIENT : SD_SERVER;
}

static bool comes_from_server(const struct sd_look *l)
{
    switch (l->message) {
    case SD_HS_SERVER_HELLO:
    case SD_HS_HELLO_VERIFY_REQUEST:
    case SD_HS_HELLO_REQUEST:
    case SD_HS_CERTIFICATE_STATUS:
    case SD_HS_CERTIFICATE_REQUEST:
    case SD_HS_SERVER_KEY_EXCHANGE:
    case SD_HS_SERVER_HELLO_DONE:
    case SD_HS_NEW_SESSION_TICKET:
        return true;
    case SD_HS_CLIENT_HELLO:
    case SD_HS_CLIENT_KEY_EXCHANGE:
    case SD_HS_CERTIFICATE_VERIFY:
        return false;
    default: /* both send it, or nobody can read it: the lower port is more likely the server's */
        return sd_addr_port(&l->datagram->src) < sd_addr_port(&l->datagram->dst);
    }
}

static struct sd_before supersede(struct sd_tracker *t, struct sd_flow *f, int64_t now)
{
    struct sd_exchange *x = f->x;
    struct sd_before b = sd_relief_before(f, now);
    x->superseded = true;
    x->next = t->next_id + 1;
    sd_exchange_judge(t, f);
    sd_exchange_drop(t, f);
    return b;
}

static struct sd_exchange *begin_exchange(struct sd_tracker *t, struct sd_flow *f,
                                          const struct sd_look *l)
{
    const struct sd_datagram *d = l->datagram;
    struct sd_before before = f->x ? supersede(t, f, d->time) : f->before;
    struct sd_exchange *x = sd_exchange_begin(t, f);
    if (!x)
        return NULL;
    bool from_server = comes_from_server(l);
    x->client = from_server ? d->dst : d->src;
    x->server = from_server ? d->src : d->dst;
    x->carrier = d->carrier & UINT8_MAX;
    x->start = x->last = x->last_handshake = d->time;
    x->mid_session = l->message == SD_NO_MESSAGE;
    x->reversed = l->message != SD_HS_CLIENT_HELLO;
    x->on_sealed = before.open;
    x->after_unknown = before.open && !before.known;
    x->swapped = before.known && sd_addr_eq(&f->addr[before.second], &x->client);
    x->likely_swapped = x->after_unknown && sd_addr_port(&x->client) < PORTS_OF_CLIENTS &&
                        sd_addr_port(&x->server) >= PORTS_OF_CLIENTS;
    x->foreign_before = before.foreign;
    return x;
}

static bool has_random(const struct sd_exchange *x, struct sd_span random)
{
    return !memcmp(x->client_random, random.p, SD_RANDOM_LEN);
}

static void learn_random(struct sd_tracker *t, struct sd_flow *f, const struct sd_look *l,
                         enum sd_side side)
{
    struct sd_exchange *x = f->x;
    if (!l->random.len || side != SD_CLIENT || (x->has_client_random && has_random(x, l->random)))
        return;
    sd_index_leave(&t->index, x);
    memcpy(x->client_random, l->random.p, SD_RANDOM_LEN);
    x->has_client_random = true;
}

/* Clients of before RFC 4347 (and CAPWAP ones still) take a new random for the ClientHello
 * with the cookie: the cookie, which may be empty, says which handshake it belongs to. Where the
 * request was not captured, that it has one says enough; where the hello is cut, the request does.
 */
static bool echoes_cookie(const struct sd_tracker *t, const struct sd_exchange *x,
                          const struct sd_look *l)
{
    if (x->hellos_cookie)
        return false;
    if (!l->readable)
        return l->snapped && x->cookie_count;
    if (!x->side[SD_SERVER].datagrams)
        return l->cookie.len > 0;
    return x->cookie_count && sd_cookie_known(t, x, l->cookie);
}

/* A ClientHello of the handshake before, that the network brings only now. */
static bool is_late_copy(const struct sd_tracker *t, const struct sd_flow *f,
                         const struct sd_look *l)
{
    return l->random.len && f->previous && !f->x->mid_session && !has_random(f->x, l->random) &&
           sd_random_hash(t, l->random.p) == f->previous_random;
}

/* Keys were in use, and then a hello comes whose record number this side has used long before. Of
 * captures that lack the random, or the client's side: there it is all that tells of another
 * handshake. A copy by the network comes sooner. */
static bool counts_anew(const struct sd_exchange *x, const struct sd_look *l)
{
    bool client = l->message == SD_HS_CLIENT_HELLO;
    bool server = l->message == SD_HS_SERVER_HELLO || l->message == SD_HS_HELLO_VERIFY_REQUEST;
    enum sd_side from = side_of(x, &l->datagram->src);
    const struct sd_direction *side = &x->side[from], *other = &x->side[sd_other(from)];
    /* Of a fragment in the middle of a hello only its first one tells. */
    if ((!client && !server) || (client && !l->snapped) ||
        (server && other->datagrams && !other->snapped))
        return false;
    return side->sealed.seen && side->plain.seen && l->records->seq <= side->plain.max &&
           l->datagram->time - x->last_handshake > COPIES_WITHIN;
}

/* A ClientHello with another random begins another handshake, and does so before anybody
 * asks whether its record numbers were seen: they start at 0 again. */
static bool begins_another(const struct sd_tracker *t, const struct sd_exchange *x,
                           const struct sd_look *l)
{
    if (!l->random.len)
        return counts_anew(x, l);
    if (x->mid_session)
        return true;
    if (!x->has_client_random) /* else it may be the one whose hello was not captured */
        return x->established || x->side[SD_SERVER].sealed.seen;
    if (has_random(x, l->random) || echoes_cookie(t, x, l))
        return false;
    /* Both want to be the client: one handshake that cannot succeed, not two. */
    return sd_addr_eq(&l->datagram->src, &x->client) || x->established || x->has_server_random;
}

/* --- datagrams that are not DTLS --- */

static void note_sample(struct sd_rare *rare, enum sd_side side, struct sd_span payload)
{
    size_t len = payload.len < SD_SAMPLE ? payload.len : SD_SAMPLE;
    rare->beside[side].sample_len = (uint8_t)len;
    if (len)
        memcpy(rare->beside[side].sample, payload.p, len);
}

/* Counts it; false for what does not belong to the log, as DTLS is used with it. */
static bool note_beside(struct sd_tracker *t, struct sd_exchange *x, const struct sd_datagram *d,
                        enum sd_side side)
{
    if (d->kind == SD_PAYLOAD_ZRTP || d->kind == SD_PAYLOAD_TURN_CHANNEL)
        return false;
    bool stun = d->kind == SD_PAYLOAD_STUN_SUCCESS || d->kind == SD_PAYLOAD_STUN;
    bool rtp = d->kind == SD_PAYLOAD_RTP;
    bool first = !stun && !rtp && !x->side[side].foreign++;
    struct sd_rare *rare = sd_rare_new(t, x);
    if (rare) {
        rare->beside[side].stun += stun;
        rare->beside[side].stun_successes += d->kind == SD_PAYLOAD_STUN_SUCCESS;
        rare->beside[side].rtp += rtp;
        if ((stun || rtp) && d->length > rare->beside[side].largest)
            rare->beside[side].largest = d->length < UINT16_MAX ? (uint16_t)d->length : UINT16_MAX;
    }
    if (rare && first)
        note_sample(rare, side, d->payload);
    return !stun && !rtp;
}

static void take_foreign(struct sd_tracker *t, struct sd_flow *f, const struct sd_datagram *d)
{
    struct sd_exchange *x = f->x;
    f->validated |= d->kind == SD_PAYLOAD_STUN_SUCCESS;
    if (!x)
        return;
    enum sd_side side = side_of(x, &d->src);
    if (!note_beside(t, x, d, side))
        return;
    x->last = d->time;
    struct sd_event *e = sd_event_add(t, SD_EV_FOREIGN, d->number, d->time, side);
    if (e)
        sd_event_sizes(e, d);
    sd_log_append(t, x);
    sd_packet_report(t, x, d);
}

/* --- in --- */

static bool is_consistent(struct sd_flow *f, const struct sd_look *l)
{
    const struct sd_record *rec = l->records;
    int side = sd_addr_eq(&l->datagram->src, &f->addr[1]);
    if (!l->count)
        return l->status == SD_RECORD_CID;
    if (rec->unified && f->candidates && f->candidate_epoch > rec->epoch)
        return false;
    bool rising = !f->candidates || rec->unified ||
                  (rec->epoch == f->candidate_epoch &&
                   (!f->candidate_seq[side] || rec->seq > f->candidate_seq[side]));
    f->candidate_epoch = rec->epoch;
    f->candidate_seq[side] = rec->seq;
    return rising;
}

/* Version, epoch and lengths that lead to the end of the datagram are no chance. A unified header
 * says little, and behind a connection id nobody finds the length. */
static bool speaks_for_itself(const struct sd_look *l)
{
    const struct sd_record *rec = l->records;
    return l->count && !rec->unified && rec->type != SD_CT_CID && rec->epoch <= EPOCH_USUAL;
}

static bool enough_candidates(struct sd_flow *f, const struct sd_look *l)
{
    if (speaks_for_itself(l))
        return true;
    f->candidates = is_consistent(f, l) ? (uint8_t)(f->candidates + 1) : 0;
    return f->candidates >= CANDIDATES;
}

static void take_dtls(struct sd_tracker *t, struct sd_flow *f, const struct sd_look *l)
{
    struct sd_look own;
    if (f->x && is_late_copy(t, f, l)) {
        t->counts.dtls++;
        return;
    }
    if (!f->x || begins_another(t, f->x, l)) {
        if (!begin_exchange(t, f, l))
            return;
        l = sd_look_with(l, 0, &own);
    }
    struct sd_exchange *x = f->x;
    enum sd_side side = side_of(x, &l->datagram->src);
    learn_random(t, f, l, side);
    t->counts.no_memory += !sd_index_enter(&t->index, x);
    t->counts.dtls++;
    sd_events_read(t, f, l, side);
    sd_packet_report(t, x, l->datagram);
    sd_relief_note(t, f);
}

static bool begins_record(const struct sd_exchange *x, const struct sd_look *l)
{
    const struct sd_record *rec = sd_look_first(l);
    if (!rec)
        return l->status == SD_RECORD_CID;
    if (rec->unified && x->negotiated && x->version != SD_DTLS_1_3)
        return false;
    return l->count || l->snapped;
}

/* First packet of a pair of addresses: is it worth a place in the table? */
static struct sd_flow *admit_flow(struct sd_tracker *t, const struct sd_look *l, enum sd_begins b)
{
    const struct sd_datagram *d = l->datagram;
    if (b == SD_BEGINS_NOTHING || (b == SD_BEGINS_SEALED && sd_elsewhere_continued(t, l)))
        return NULL;
    if (b == SD_BEGINS_HELLO && l->message != SD_HS_CLIENT_HELLO)
        sd_elsewhere_answered(t, d);
    return sd_flow_add(t, &d->src, &d->dst, d->lane);
}

/* Times of a capture are anything. Between 1970 and 2116 their differences, and twice
 * these, fit. 0 would mean "never", and frames without a time have it. */
static int64_t sane(int64_t time)
{
    const int64_t most = INT64_MAX / 2;
    if (time < 1)
        return 1;
    return time < most ? time : most;
}

static void begin_events(struct sd_tracker *t, int64_t time)
{
    t->event_count = 0;
    t->began = t->began ? t->began : time;
    t->now = time > t->now ? time : t->now;
}

/* Something else than DTLS. */
static void take_other(struct sd_tracker *t, struct sd_flow *f, const struct sd_datagram *d)
{
    if (!f && d->kind == SD_PAYLOAD_STUN_SUCCESS)
        f = sd_flow_add(t, &d->src, &d->dst, d->lane);
    if (!f)
        return;
    sd_flow_touch(t, f);
    sd_ice_note(t, f, d);
    take_foreign(t, f, d);
}

/* Of a session that was closed, judged and freed. */
static bool comes_late(const struct sd_tracker *t, const struct sd_flow *f, const struct sd_look *l)
{
    if (!f || !f->over || l->datagram->time - f->over > LATE_FOR)
        return false;
    return l->message != SD_HS_CLIENT_HELLO ||
           (l->random.len && sd_random_hash(t, l->random.p) == f->previous_random);
}

/* On addresses that have no exchange yet, or none any more. */
static void take_first(struct sd_tracker *t, struct sd_flow *f, const struct sd_look *l)
{
    enum sd_begins b = sd_detect(l);
    if (b != SD_BEGINS_NOTHING && comes_late(t, f, l)) {
        sd_flow_touch(t, f);
        t->counts.dtls++;
        return;
    }
    if (!f)
        f = admit_flow(t, l, b);
    if (!f)
        return;
    sd_flow_touch(t, f);
    sd_ice_saw_dtls(t, f);
    if (b == SD_BEGINS_NOTHING)
        take_foreign(t, f, l->datagram);
    else if (b == SD_BEGINS_HELLO || enough_candidates(f, l))
        take_dtls(t, f, l);
}

/* Whatever its first bytes look like: they are from the middle of a record. */
static bool take_continued(struct sd_tracker *t, struct sd_flow *f, const struct sd_datagram *d)
{
    const struct sd_exchange *x = f ? f->x : NULL;
    if (!x || !(x->side[SD_CLIENT].rest | x->side[SD_SERVER].rest) ||
        !sd_events_continue(t, f->x, d, side_of(x, &d->src)))
        return false;
    sd_flow_touch(t, f);
    t->counts.dtls++;
    sd_packet_report(t, f->x, d);
    return true;
}

static void take_datagram(struct sd_tracker *t, const struct sd_datagram *d)
{
    struct sd_look look;
    t->counts.datagrams++;
    begin_events(t, d->time);
    struct sd_flow *f = sd_flow_find(t, &d->src, &d->dst, d->lane);
    const struct sd_exchange *x = f ? f->x : NULL;
    if (take_continued(t, f, d))
        return;
    if (d->kind != SD_PAYLOAD_DTLS) {
        take_other(t, f, d);
        return;
    }
    sd_look_at(&look, d, x ? x->cid_len[sd_other(side_of(x, &d->src))] : 0);
    if (!x) {
        take_first(t, f, &look);
        return;
    }
    sd_flow_touch(t, f);
    if (begins_record(x, &look))
        take_dtls(t, f, &look);
    else
        take_foreign(t, f, d);
}

void sd_tracker_datagram(struct sd_tracker *t, const struct sd_datagram *d)
{
    struct sd_datagram timed = *d;
    timed.time = sane(d->time);
    take_datagram(t, &timed);
}

void sd_tracker_icmp(struct sd_tracker *t, const struct sd_icmp *e)
{
    int64_t time = sane(e->time);
    begin_events(t, time);
    struct sd_flow *f = sd_flow_find(t, &e->src, &e->dst, e->lane);
    if (!f || !f->x)
        return;
    enum sd_side side = side_of(f->x, &e->src);
    struct sd_event *ev = sd_event_add(t, SD_EV_ICMP, e->number, time, side);
    ev->icmp_type = e->type;
    ev->icmp_code = e->code;
    ev->icmp_mtu = (e->mtu < SD_U24 ? e->mtu : SD_U24) & SD_U24;
    ev->icmp_protocol = e->from.sa.sa_family == AF_INET6 ? SD_PROTO_ICMPV6 : SD_PROTO_ICMP;
    ev->length = e->quoted_length & SD_U24;
    if (!f->x->icmp_number && sd_rare_new(t, f->x)) {
        f->x->icmp_number = ev->number;
        f->x->rare->icmp_from = e->from;
    }
    sd_log_append(t, f->x);
    sd_packet_report(t, f->x, NULL);
}

void sd_tracker_ip_incomplete(struct sd_tracker *t, const struct sd_ip_incomplete *e)
{
    int64_t time = sane(e->time);
    begin_events(t, time);
    struct sd_flow *f = sd_flow_find(t, &e->src, &e->dst, 0);
    if (!f || !f->x)
        return;
    enum sd_side side = side_of(f->x, &e->src);
    struct sd_event *ev = sd_event_add(t, SD_EV_IP_CUT, e->number, time, side);
    ev->frag_len = e->have & SD_U24;
    ev->length = e->total & SD_U24;
    sd_log_append(t, f->x);
    sd_packet_report(t, f->x, NULL);
}

void sd_tracker_drops(struct sd_tracker *t)
{
    t->drops = true;
}

void sd_tracker_tick(struct sd_tracker *t, int64_t now)
{
    now = sane(now);
    t->now = now > t->now ? now : t->now;
    for (struct sd_flow *f = t->config.prompt ? t->first : NULL; f; f = f->next)
        sd_exchange_judge_early(t, f);
    while (t->config.idle && t->oldest && t->now - t->oldest->last > t->config.idle)
        sd_flow_remove(t, t->oldest);
}

static void judge_rest(void *of)
{
    struct sd_tracker *t = of;
    if (t->config.handover)
        sd_ended_rest(t->config.handover->ended, &t->index);
    for (struct sd_flow *f = t->first; f; f = f->next)
        sd_exchange_judge_here(t, f);
}

void sd_tracker_finish(struct sd_tracker *t)
{
    sd_judge_call(t, judge_rest, t);
    t->config.done = NULL;
    while (t->oldest)
        sd_flow_remove(t, t->oldest);
}

struct sd_tracker_counts sd_tracker_counts(const struct sd_tracker *t)
{
    return t->counts;
}
