#include "flow/tracker.h"

#include <string.h>

#include "flow/icmp.h"
#include "flow/internal.h"
#include "wire/hello.h"

enum {
    FLOWS_DEFAULT = 50000,
    PENDING_DEFAULT = 64 << 20,
    KEPT_DEFAULT = 256 << 20,
    CANDIDATES = 3 /* protected datagrams that make an association without a handshake */
};

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
    while (t->oldest)
        sd_flow_remove(t, t->oldest);
    sd_table_fini(&t->flows);
    sd_index_fini(&t->index);
    sd_alloc_free(&t->config.alloc, t);
}

static void tell(struct sd_tracker *t, const struct sd_exchange *x, const struct sd_datagram *d)
{
    if (!t->config.packet || !t->event_count)
        return;
    struct sd_packet p = {.datagram = d,
                          .x = x,
                          .number = t->events[0].number,
                          .time = t->events[0].time,
                          .events = t->events,
                          .count = t->event_count};
    t->config.packet(t->config.arg, &p);
}

/* --- whose datagram is it? --- */

struct hello {
    uint8_t type;          /* of the first handshake message of epoch 0; 0xff = none */
    const uint8_t *random; /* of a ClientHello or ServerHello, if its beginning is there */
};

static struct hello peek(const struct sd_datagram *d)
{
    struct hello none = {.type = 0xff};
    struct sd_rd first = sd_rd_init(d->payload.p, d->payload.len);
    if (sd_rd_u8(&first) != SD_CT_HANDSHAKE)
        return none;
    struct sd_records it = sd_records_init(d->payload.p, d->payload.len, 0);
    struct sd_record rec;
    enum sd_record_status s = sd_record_next(&it, &rec);
    if ((s != SD_RECORD_OK && s != SD_RECORD_CUT) || rec.type != SD_CT_HANDSHAKE || rec.epoch)
        return none;
    struct sd_rd r = sd_rd_init(rec.body.p, rec.body.len);
    struct sd_handshake h;
    enum sd_handshake_status hs = sd_handshake_next(&r, &h);
    if (hs != SD_HANDSHAKE_OK && hs != SD_HANDSHAKE_CUT)
        return none;
    struct hello found = {.type = h.type};
    struct sd_rd body = sd_rd_init(rec.body.p, rec.body.len);
    sd_rd_bytes(&body, SD_HANDSHAKE_HEADER_LEN + 2);
    struct sd_span random = sd_rd_bytes(&body, SD_RANDOM_LEN);
    if (!h.frag_off && random.len)
        found.random = random.p;
    return found;
}

static void set_ends(struct sd_exchange *x, const struct sd_addr *client,
                     const struct sd_addr *server)
{
    x->client = *client;
    x->server = *server;
}

static struct sd_exchange *begin(struct sd_tracker *t, struct sd_flow *f,
                                 const struct sd_datagram *d, const struct hello *h)
{
    bool on_sealed = false;
    if (f->x) {
        f->x->superseded = true;
        f->x->next = t->next_id + 1;
        on_sealed = f->x->established != 0;
        sd_exchange_judge(t, f);
        sd_exchange_drop(t, f);
    }
    struct sd_exchange *x = sd_exchange_begin(t, f);
    if (!x)
        return NULL;
    bool from_server = h->type == SD_HS_SERVER_HELLO || h->type == SD_HS_HELLO_VERIFY_REQUEST ||
                       h->type == SD_HS_CERTIFICATE_REQUEST ||
                       h->type == SD_HS_SERVER_KEY_EXCHANGE || h->type == SD_HS_SERVER_HELLO_DONE;
    /* Without a hello the lower port is more likely the server's. */
    if (h->type == 0xff)
        from_server = sd_addr_port(&d->src) < sd_addr_port(&d->dst);
    set_ends(x, from_server ? &d->dst : &d->src, from_server ? &d->src : &d->dst);
    x->carrier = d->carrier & UINT8_MAX;
    x->start = x->last = x->last_handshake = d->time;
    x->mid_session = h->type == 0xff;
    x->reversed = h->type != SD_HS_CLIENT_HELLO;
    x->on_sealed = on_sealed;
    return x;
}

static void learn_random(struct sd_tracker *t, struct sd_flow *f, const struct hello *h,
                         enum sd_side side)
{
    struct sd_exchange *x = f->x;
    if (h->type != SD_HS_CLIENT_HELLO || !h->random || side != SD_CLIENT ||
        (x->has_client_random && !memcmp(x->client_random, h->random, SD_RANDOM_LEN)))
        return;
    sd_index_leave(&t->index, f);
    memcpy(x->client_random, h->random, SD_RANDOM_LEN);
    x->has_client_random = true;
}

/* Clients of before RFC 4347 (and CAPWAP ones still) take a new random for the ClientHello
 * with the cookie: the cookie says which handshake it belongs to. */
static bool echoes_cookie(const struct sd_tracker *t, const struct sd_exchange *x,
                          const struct sd_datagram *d)
{
    struct sd_records it = sd_records_init(d->payload.p, d->payload.len, 0);
    struct sd_record rec;
    struct sd_handshake h;
    struct sd_client_hello ch;
    if (!x->cookie_count || x->hellos_cookie || sd_record_next(&it, &rec) != SD_RECORD_OK)
        return false;
    struct sd_rd r = sd_rd_init(rec.body.p, rec.body.len);
    if (sd_handshake_next(&r, &h) != SD_HANDSHAKE_OK ||
        sd_client_hello_parse(&ch, h.body, h.length) == SD_HELLO_BAD)
        return false;
    return sd_cookie_known(t, x, ch.cookie); /* an empty one, too */
}

/* A ClientHello of the handshake before, that the network brings only now. */
static bool is_late_copy(const struct sd_tracker *t, const struct sd_flow *f, const struct hello *h)
{
    const struct sd_exchange *x = f->x;
    if (h->type != SD_HS_CLIENT_HELLO || !h->random || !f->previous || x->mid_session)
        return false;
    return memcmp(h->random, x->client_random, SD_RANDOM_LEN) != 0 &&
           sd_random_hash(t, h->random) == f->previous_random;
}

/* A ClientHello with another random begins another handshake, and does so before anybody
 * asks whether its record numbers were seen: they start at 0 again. */
static bool is_new_generation(const struct sd_tracker *t, const struct sd_flow *f,
                              const struct sd_datagram *d, const struct hello *h)
{
    const struct sd_exchange *x = f->x;
    if (h->type != SD_HS_CLIENT_HELLO || !h->random)
        return false;
    if (x->mid_session)
        return true;
    if (!x->has_client_random)
        return x->established != 0; /* else it may be the one whose hello was not captured */
    if (!memcmp(h->random, x->client_random, SD_RANDOM_LEN))
        return false;
    if (echoes_cookie(t, x, d))
        return false;
    /* Both want to be the client: one handshake that cannot succeed, not two. */
    if (!sd_addr_eq(&d->src, &x->client) && !x->established && !x->has_server_random)
        return false;
    return true;
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
        rare->beside[side].rtp += rtp;
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
    enum sd_side side = sd_addr_eq(&d->src, &x->client) ? SD_CLIENT : SD_SERVER;
    if (!note_beside(t, x, d, side))
        return;
    x->last = d->time;
    struct sd_event *e = sd_event_add(t, SD_EV_FOREIGN, d->number, d->time, side);
    if (e)
        sd_event_sizes(e, d);
    sd_log_append(t, x);
    tell(t, x, d);
}

/* --- across conversations --- */

/* Is this record the next one of the client's association x? By the connection id that the
 * server gave, or by a record number that goes on where x stopped. */
static bool continues(const struct sd_tracker *t, const struct sd_exchange *x,
                      const struct sd_datagram *d)
{
    const struct sd_direction *c = &x->side[SD_CLIENT];
    struct sd_records it = sd_records_init(d->payload.p, d->payload.len, x->cid_len[SD_SERVER]);
    struct sd_record rec;
    if (!x->established || sd_record_next(&it, &rec) != SD_RECORD_OK)
        return false;
    if (rec.cid.len)
        return (uint32_t)sd_hash(t->config.key, rec.cid.p, rec.cid.len) == x->cid_hash[SD_SERVER];
    return !rec.unified && rec.epoch && rec.epoch == c->epoch && rec.seq > c->sealed.max &&
           rec.seq - c->sealed.max <= 64;
}

/* An association that this record continues from another address of its client. */
static struct sd_exchange *find_continued(const struct sd_tracker *t, const struct sd_datagram *d)
{
    struct sd_flow *f = sd_index_first(&t->index, SD_BY_SERVER, &d->dst);
    for (unsigned i = 0; f && i < SD_INDEX_MAX; i++, f = sd_index_next(f, SD_BY_SERVER))
        if (sd_addr_eq(&f->x->server, &d->dst) && continues(t, f->x, d))
            return f->x;
    return NULL;
}

/* An association whose client is answered where it moved to. */
static struct sd_exchange *find_answered(const struct sd_tracker *t, const struct sd_datagram *d)
{
    struct sd_flow *f = sd_index_first(&t->index, SD_BY_SERVER, &d->src);
    for (unsigned i = 0; f && i < SD_INDEX_MAX; i++, f = sd_index_next(f, SD_BY_SERVER))
        if (sd_addr_eq(&f->x->server, &d->src) && sd_rare(f->x)->moved_number &&
            sd_addr_eq(&f->x->rare->moved_to, &d->dst))
            return f->x;
    return NULL;
}

static void note_moved(struct sd_tracker *t, struct sd_exchange *x, const struct sd_datagram *d)
{
    struct sd_rare *rare = sd_rare_new(t, x);
    struct sd_records it = sd_records_init(d->payload.p, d->payload.len, x->cid_len[SD_SERVER]);
    struct sd_record rec;
    uint16_t gap;
    bool reordered;
    if (!rare)
        return;
    if (!rare->moved_number) {
        rare->moved_to = d->src;
        rare->moved_number = (uint32_t)d->number;
        rare->moved_time = d->time;
        rare->last_before_move = x->last;
    }
    while (sd_record_next(&it, &rec) == SD_RECORD_OK) {
        rare->moved_cid |= rec.cid.len > 0;
        sd_numbers_note(&x->side[SD_CLIENT].sealed, rec.seq, &gap, &reordered);
    }
    rare->moved_records++;
}

static void tell_moved(struct sd_tracker *t, const struct sd_exchange *x,
                       const struct sd_datagram *d, enum sd_side side)
{
    struct sd_records it =
        sd_records_init(d->payload.p, d->payload.len, x->cid_len[sd_other(side)]);
    struct sd_record rec;
    struct sd_event *e;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK &&
           (e = sd_event_add(t, SD_EV_APPDATA, d->number, d->time, side)) != NULL) {
        e->content = rec.type;
        e->epoch = rec.epoch;
        e->seq = rec.seq & SD_U48;
        e->record = (uint16_t)rec.length;
        sd_event_sizes(e, d);
    }
    tell(t, x, d);
}

static bool take_moved(struct sd_tracker *t, const struct sd_datagram *d)
{
    struct sd_exchange *x = find_continued(t, d);
    if (x) {
        note_moved(t, x, d);
        tell_moved(t, x, d, SD_CLIENT);
        return true;
    }
    x = find_answered(t, d);
    if (x) {
        x->rare->moved_answers++;
        tell_moved(t, x, d, SD_SERVER);
    }
    return x != NULL;
}

/* What a server says from an address that nobody asked: who waits for an answer? */
static void take_stranger(struct sd_tracker *t, const struct sd_datagram *d)
{
    struct sd_flow *f = sd_index_first(&t->index, SD_BY_CLIENT, &d->dst);
    for (unsigned i = 0; f && i < SD_INDEX_MAX; i++, f = sd_index_next(f, SD_BY_CLIENT)) {
        struct sd_exchange *x = f->x;
        if (!sd_addr_eq(&x->client, &d->dst) || x->side[SD_SERVER].datagrams ||
            sd_rare(x)->stranger_number || d->time - x->side[SD_CLIENT].last > INT64_C(1000000000))
            continue;
        struct sd_rare *rare = sd_rare_new(t, x);
        if (!rare)
            return;
        rare->stranger = d->src;
        rare->stranger_number = (uint32_t)d->number;
    }
}

/* --- in --- */

static bool consistent(struct sd_flow *f, const struct sd_datagram *d)
{
    struct sd_records it = sd_records_init(d->payload.p, d->payload.len, 0);
    struct sd_record rec;
    int side = sd_addr_eq(&d->src, &f->addr[1]);
    if (sd_record_next(&it, &rec) != SD_RECORD_OK)
        return it.status == SD_RECORD_CID;
    if (rec.unified && f->candidates && f->candidate_epoch > rec.epoch)
        return false;
    bool rising = !f->candidates || rec.unified ||
                  (rec.epoch == f->candidate_epoch &&
                   (!f->candidate_seq[side] || rec.seq > f->candidate_seq[side]));
    f->candidate_epoch = rec.epoch;
    f->candidate_seq[side] = rec.seq;
    return rising;
}

static bool enough_candidates(struct sd_flow *f, const struct sd_datagram *d)
{
    f->candidates = consistent(f, d) ? (uint8_t)(f->candidates + 1) : 0;
    return f->candidates >= CANDIDATES;
}

static void take_dtls(struct sd_tracker *t, struct sd_flow *f, const struct sd_datagram *d)
{
    struct hello h = peek(d);
    if (f->x && is_late_copy(t, f, &h)) {
        t->counts.dtls++;
        return;
    }
    if (!f->x || is_new_generation(t, f, d, &h))
        if (!begin(t, f, d, &h))
            return;
    struct sd_exchange *x = f->x;
    enum sd_side side = sd_addr_eq(&d->src, &x->client) ? SD_CLIENT : SD_SERVER;
    learn_random(t, f, &h, side);
    t->counts.no_memory += !sd_index_enter(&t->index, f);
    t->counts.dtls++;
    sd_records_read(t, f, d, side);
    tell(t, x, d);
}

static bool begins_record(const struct sd_exchange *x, const struct sd_datagram *d)
{
    struct sd_records it = sd_records_init(d->payload.p, d->payload.len, 0);
    struct sd_record rec;
    enum sd_record_status s = sd_record_next(&it, &rec);
    if (rec.unified && x->negotiated && x->version != SD_DTLS_1_3)
        return false;
    return s == SD_RECORD_OK || s == SD_RECORD_CID ||
           (s == SD_RECORD_CUT && d->payload.len < d->length);
}

/* First packet of a pair of addresses: is it worth a place in the table? */
static struct sd_flow *admit(struct sd_tracker *t, const struct sd_datagram *d, enum sd_begins b)
{
    if (b == SD_BEGINS_NOTHING && d->kind != SD_PAYLOAD_STUN_SUCCESS)
        return NULL;
    if (b == SD_BEGINS_SEALED && take_moved(t, d))
        return NULL;
    if (b == SD_BEGINS_HELLO && peek(d).type != SD_HS_CLIENT_HELLO)
        take_stranger(t, d);
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

static void begin_packet(struct sd_tracker *t, int64_t time)
{
    t->event_count = 0;
    t->now = time > t->now ? time : t->now;
}

static void take_datagram(struct sd_tracker *t, const struct sd_datagram *d)
{
    t->counts.datagrams++;
    begin_packet(t, d->time);
    struct sd_flow *f = sd_flow_find(t, &d->src, &d->dst, d->lane);
    enum sd_begins b = SD_BEGINS_NOTHING;
    if (!f || !f->x)
        b = d->kind == SD_PAYLOAD_DTLS ? sd_detect(d) : SD_BEGINS_NOTHING;
    if (!f)
        f = admit(t, d, b);
    if (!f)
        return;
    sd_flow_touch(t, f);
    if (f->x ? d->kind != SD_PAYLOAD_DTLS || !begins_record(f->x, d) : b == SD_BEGINS_NOTHING)
        take_foreign(t, f, d);
    else if (f->x || b == SD_BEGINS_HELLO || enough_candidates(f, d))
        take_dtls(t, f, d);
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
    begin_packet(t, time);
    struct sd_flow *f = sd_flow_find(t, &e->src, &e->dst, 0);
    if (!f || !f->x)
        return;
    enum sd_side side = sd_addr_eq(&e->src, &f->x->client) ? SD_CLIENT : SD_SERVER;
    struct sd_event *ev = sd_event_add(t, SD_EV_ICMP, e->number, time, side);
    ev->icmp_type = e->type;
    ev->icmp_code = e->code;
    ev->icmp_mtu = (e->mtu < SD_U24 ? e->mtu : SD_U24) & SD_U24;
    ev->icmp_protocol = e->from.sa.sa_family == AF_INET6 ? SD_PROTO_ICMPV6 : SD_PROTO_ICMP;
    ev->length = e->quoted_length & SD_U24;
    if (!f->x->icmp_number) {
        f->x->icmp_number = ev->number;
        f->x->icmp_from = e->from;
    }
    sd_log_append(t, f->x);
    tell(t, f->x, NULL);
}

void sd_tracker_ip_incomplete(struct sd_tracker *t, const struct sd_ip_incomplete *e)
{
    int64_t time = sane(e->time);
    begin_packet(t, time);
    struct sd_flow *f = sd_flow_find(t, &e->src, &e->dst, 0);
    if (!f || !f->x)
        return;
    enum sd_side side = sd_addr_eq(&e->src, &f->x->client) ? SD_CLIENT : SD_SERVER;
    struct sd_event *ev = sd_event_add(t, SD_EV_IP_CUT, e->number, time, side);
    ev->frag_len = e->have & SD_U24;
    ev->length = e->total & SD_U24;
    sd_log_append(t, f->x);
    tell(t, f->x, NULL);
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

void sd_tracker_finish(struct sd_tracker *t)
{
    for (struct sd_flow *f = t->first; f; f = f->next)
        sd_exchange_judge(t, f);
    t->config.done = NULL;
    while (t->oldest)
        sd_flow_remove(t, t->oldest);
}

struct sd_tracker_counts sd_tracker_counts(const struct sd_tracker *t)
{
    return t->counts;
}
