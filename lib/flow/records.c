/* SPDX-License-Identifier: MIT */
/* One datagram of an exchange becomes events, and changes what is known of it. */
#include <string.h>

#include "flow/internal.h"
#include "wire/alert.h"
#include "wire/record.h"

#define COPY_WITHIN (500 * SD_NS_MS) /* the network copies; later than that it was sent again */

/* Data that was on its way when the peer closed has arrived by then. */
#define CLOSE_KNOWN_AFTER (1 * SD_NS_SECOND)

enum {
    LOG_RESERVE = 16, /* places only for what decides: alerts, ICMP */
    FOREIGN_LOGGED = 4,
    RESTARTED = 64 /* numbers of epoch 0 end below, and a Finished may have taken one of them */
};

struct sd_event *sd_event_add(struct sd_tracker *t, enum sd_event_kind kind, uint64_t number,
                              int64_t time, enum sd_side side)
{
    if (t->event_count == SD_EVENTS_MAX)
        return NULL;
    struct sd_event *e = &t->events[t->event_count++];
    *e = (struct sd_event){.kind = kind & 15, .number = (uint32_t)number, .time = time};
    if (side == SD_SERVER)
        e->flags |= SD_EVF_SERVER;
    if (t->event_count == 1)
        e->flags |= SD_EVF_FIRST;
    return e;
}

static uint16_t at_most_u16(uint32_t n)
{
    return n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
}

void sd_event_sizes(struct sd_event *e, const struct sd_datagram *d)
{
    e->datagram = at_most_u16(d->length);
    e->ip_length = at_most_u16(d->ip_length);
}

/* --- the log --- */

static bool make_log_room(struct sd_tracker *t, struct sd_exchange *x)
{
    if (x->count < x->room)
        return true;
    uint32_t more = x->room + x->room / 2, room = more < SD_LOG_MAX ? more : SD_LOG_MAX;
    if (x->count >= room)
        return false;
    const struct sd_alloc *a = &t->config.alloc;
    struct sd_event *log = a->resize(a->arg, x->log, room * sizeof *log);
    if (!log) {
        t->counts.no_memory++;
        return false;
    }
    t->logs += (room - x->room) * sizeof *log;
    x->log = log;
    x->room = room;
    return true;
}

static bool decides(const struct sd_event *e)
{
    return e->kind == SD_EV_ALERT || e->kind == SD_EV_ICMP || e->kind == SD_EV_IP_CUT ||
           (e->kind == SD_EV_PROTECTED && e->content == SD_CT_ALERT);
}

static bool belongs_in_log(const struct sd_exchange *x, const struct sd_event *e)
{
    const struct sd_direction *d = &x->side[sd_event_side(e)];
    if (e->kind == SD_EV_APPDATA && d->appdata > SD_LOG_APPDATA && !(e->flags & SD_EVF_REUSED))
        return false;
    if (e->kind == SD_EV_FOREIGN && d->foreign > FOREIGN_LOGGED)
        return false;
    return decides(e) || x->count < SD_LOG_MAX - LOG_RESERVE;
}

void sd_log_append(struct sd_tracker *t, struct sd_exchange *x)
{
    for (size_t i = 0; i < t->event_count; i++) {
        if (belongs_in_log(x, &t->events[i]) && make_log_room(t, x))
            x->log[x->count++] = t->events[i];
        else
            x->unlogged++;
    }
}

/* --- one record --- */

struct reading {
    struct sd_tracker *t;
    struct sd_flow *f;
    struct sd_exchange *x;
    const struct sd_datagram *d;
    enum sd_side side;
    const struct sd_record *rec; /* as it came, or as it was opened: then it is `own` */
    struct sd_record own;
    uint16_t gap;
    bool duplicate, reordered, reused, opened;
    bool disordered; /* its time is before that of one which the capture has in front of it */
};

static struct sd_event *add_event(struct reading *r, enum sd_event_kind kind)
{
    struct sd_event *e = sd_event_add(r->t, kind, r->d->number, r->d->time, r->side);
    if (!e)
        return NULL;
    e->seq = r->rec->seq & SD_U48;
    e->epoch = r->rec->epoch;
    e->content = r->rec->type;
    e->record = (uint16_t)r->rec->length;
    sd_event_sizes(e, r->d);
    e->gap = r->gap;
    r->gap = 0; /* before the record, not before each message in it */
    e->flags |= (uint16_t)(r->duplicate ? SD_EVF_DUPLICATE : 0);
    e->flags |= (uint16_t)(r->reordered ? SD_EVF_REORDERED : 0);
    e->flags |= (uint16_t)(r->reused ? SD_EVF_REUSED : 0);
    e->flags |= (uint16_t)(r->opened ? SD_EVF_DECRYPTED : 0);
    e->flags |= (uint16_t)(r->rec->unified ? SD_EVF_UNIFIED : 0);
    e->flags |= (uint16_t)(r->d->fragments ? SD_EVF_IP_FRAGMENTS : 0);
    e->flags |= (uint16_t)(r->d->payload.len < r->d->length ? SD_EVF_SNAPPED : 0);
    return e;
}

static void place_event(struct reading *r, struct sd_event *e)
{
    if (e->flags & SD_EVF_DUPLICATE)
        e->flight = 0;
    sd_flight_assign(r->x, e);
    if (!(e->flags & SD_EVF_DUPLICATE))
        sd_flight_copies(r->t, r->x, e);
}

/* Tells a repetition from a change. Every byte of a handshake goes through it: SipHash would
 * cost more than all the rest of reading them. The key is secret, and who could choose a
 * collision would only save itself a mark. */
static uint32_t fingerprint(struct sd_hash_key key, struct sd_span s)
{
    /* Never a multiplier that leaves the high bits alone, whatever the key: 2^64 over phi. */
    const uint64_t times = (key.k1 ^ UINT64_C(0x9e3779b97f4a7c15)) | 1;
    uint64_t h = key.k0 ^ s.len, word;
    for (; s.len >= sizeof word; s.p += sizeof word, s.len -= sizeof word) {
        memcpy(&word, s.p, sizeof word);
        h = (h ^ word) * times;
        h ^= h >> 32;
    }
    for (word = 0; s.len; s.p++, s.len--)
        word = word << 8 | *s.p;
    h = (h ^ word) * times;
    return (uint32_t)(h >> 40);
}

static void take_whole(struct reading *r, const struct sd_event *e, struct sd_span body)
{
    if (body.len != e->length)
        return; /* the capture has only its beginning */
    if (r->opened)
        sd_keys_message(r->t, r->f, r->side, e->message, body);
    sd_message_show(r->t, r->x, e, body);
}

static void take_message(struct reading *r, struct sd_event *e, const struct sd_handshake *h)
{
    bool duplicate = e->flags & SD_EVF_DUPLICATE;
    struct sd_pending *joined = duplicate ? NULL : sd_message_fragment(r->t, r->f, h, e);
    place_event(r, e);
    if (joined)
        take_whole(r, e, (struct sd_span){joined->body, joined->length});
    else if (!duplicate && h->frag_len == h->length)
        take_whole(r, e, h->body);
    sd_message_free(r->t, joined);
}

static void read_messages(struct reading *r)
{
    struct sd_rd rd = sd_rd_init(r->rec->body.p, r->rec->body.len);
    struct sd_handshake h;
    enum sd_handshake_status s;
    struct sd_span rest = sd_rd_rest(&rd);
    while ((s = sd_handshake_next(&rd, &h)) == SD_HANDSHAKE_OK ||
           (s == SD_HANDSHAKE_CUT && r->d->payload.len < r->d->length)) {
        struct sd_event *e = add_event(r, SD_EV_HANDSHAKE);
        if (!e)
            return;
        e->message = h.type;
        e->length = h.length & SD_U24;
        e->message_seq = h.message_seq;
        e->frag_off = h.frag_off & SD_U24;
        e->frag_len = h.frag_len & SD_U24;
        e->hash = fingerprint(r->t->config.key, h.body) & SD_U24;
        if (s == SD_HANDSHAKE_CUT)
            h.body = (struct sd_span){rest.p + SD_HANDSHAKE_HEADER_LEN,
                                      rest.len - SD_HANDSHAKE_HEADER_LEN};
        take_message(r, e, &h);
        if (s == SD_HANDSHAKE_CUT)
            return;
        rest = sd_rd_rest(&rd);
    }
    bool cut = r->d->payload.len < r->d->length && r->rec->body.len < r->rec->length;
    if (s != SD_HANDSHAKE_END && !(cut && r->t->event_count))
        add_event(r, SD_EV_MALFORMED);
}

static void read_alert(struct reading *r)
{
    struct sd_alert a;
    bool ok = sd_alert_parse(&a, r->rec->body);
    struct sd_event *e = add_event(r, ok ? SD_EV_ALERT : SD_EV_MALFORMED);
    if (!e || !ok)
        return;
    e->message = a.description;
    e->level = a.level;
    e->minor = (uint8_t)r->rec->version;
    if (a.description == SD_ALERT_CLOSE_NOTIFY || a.description == SD_ALERT_USER_CANCELED)
        r->x->side[r->side].closing = true;
}

/* Data that nobody has answered yet, and data after the other side's goodbye. */
static void note_data(const struct reading *r)
{
    struct sd_direction *side = &r->x->side[r->side];
    const struct sd_direction *other = &r->x->side[sd_other(r->side)];
    side->appdata++;
    side->after_close += other->closing && r->d->time - other->last > CLOSE_KNOWN_AFTER;
    if (!side->unanswered++) {
        side->unanswered_number = (uint32_t)r->d->number;
        side->unanswered_from = r->d->time;
    }
    int64_t since = (r->d->time - side->unanswered_from) / SD_NS_MS;
    side->unanswered_ms = since < 0 ? 0 : since < UINT32_MAX ? (uint32_t)since : UINT32_MAX;
}

static void read_sealed(struct reading *r)
{
    /* Of a record with a connection id nobody sees the type: before both have finished it
     * is a Finished (RFC 9146 section 3). */
    bool data = r->rec->type == SD_CT_APPDATA || (r->rec->unified && r->rec->epoch == 3) ||
                (r->rec->type == SD_CT_CID && (r->x->established || r->x->mid_session));
    struct sd_event *e = add_event(r, data ? SD_EV_APPDATA : SD_EV_PROTECTED);
    struct sd_direction *side = &r->x->side[r->side];
    if (data && !r->duplicate)
        note_data(r);
    /* An alert is two bytes and what protects them; a close_notify is what comes last. */
    side->closing = r->rec->type == SD_CT_ALERT;
    if (!e)
        return;
    if (!data || side->appdata <= SD_LOG_APPDATA) /* to compare it with what claims its number */
        e->hash = fingerprint(r->t->config.key, r->rec->body) & SD_U24;
    if (!data) /* which belongs to no flight */
        place_event(r, e);
}

static void read_content(struct reading *r)
{
    bool readable = r->opened || r->rec->epoch == 0;
    struct sd_event *e;
    switch (readable && !r->rec->unified ? r->rec->type : 0) {
    case SD_CT_HANDSHAKE:
        read_messages(r);
        break;
    case SD_CT_ALERT:
        read_alert(r);
        break;
    case SD_CT_CCS:
        e = add_event(r, SD_EV_CCS);
        if (e)
            place_event(r, e);
        break;
    case SD_CT_ACK:
        add_event(r, SD_EV_ACK);
        break;
    default:
        read_sealed(r);
    }
}

static bool only_asked_for_cookies(const struct sd_exchange *x)
{
    for (size_t i = 0; i < x->count; i++)
        if (sd_event_side(&x->log[i]) == SD_SERVER && x->log[i].kind == SD_EV_HANDSHAKE &&
            x->log[i].message != SD_HS_HELLO_VERIFY_REQUEST)
            return false;
    return true;
}

/* A HelloVerifyRequest often has the record number of the ClientHello it answers (RFC 6347
 * section 4.2.1), and the ServerHello after it begins again: neither is a copy by the network. */
static bool starts_over(const struct reading *r)
{
    if (r->side != SD_SERVER || r->rec->epoch || r->rec->type != SD_CT_HANDSHAKE ||
        r->rec->body.len < SD_HANDSHAKE_HEADER_LEN)
        return false;
    uint8_t type = r->rec->body.p[0];
    return type == SD_HS_HELLO_VERIFY_REQUEST ||
           (type == SD_HS_SERVER_HELLO && only_asked_for_cookies(r->x));
}

static bool is_record(const struct sd_event *e)
{
    return e->kind != SD_EV_ICMP && e->kind != SD_EV_FOREIGN && e->kind != SD_EV_IP_CUT;
}

static bool same_bytes(const struct reading *r, const struct sd_event *e)
{
    if (e->content != r->rec->type || e->record != r->rec->length)
        return false;
    bool hashed = e->hash && (e->kind == SD_EV_APPDATA || e->kind == SD_EV_PROTECTED);
    return !hashed || e->hash == (fingerprint(r->t->config.key, r->rec->body) & SD_U24);
}

/* Old stacks send a ClientHello again under its old number. A request that answers a hello of its
 * own is no copy. */
static bool is_plain_copy(const struct reading *r, const struct sd_event *e)
{
    if (r->d->time - e->time > COPY_WITHIN)
        return false;
    return e->kind != SD_EV_HANDSHAKE || e->message != SD_HS_HELLO_VERIFY_REQUEST ||
           sd_hello_pieces_answered(r->x);
}

enum number_seen { NUMBER_UNKNOWN, NUMBER_OF_COPY, NUMBER_OF_ANOTHER };

/* What had this number before: the very same record, which the network copied, or another one. */
static enum number_seen look_up_number(const struct reading *r)
{
    const struct sd_exchange *x = r->x;
    enum number_seen seen = NUMBER_UNKNOWN;
    for (size_t i = x->count; i-- > 0;) {
        const struct sd_event *e = &x->log[i];
        if (e->seq != r->rec->seq || e->epoch != r->rec->epoch || sd_event_side(e) != r->side ||
            !is_record(e))
            continue;
        bool same = same_bytes(r, e);
        if (same && !e->epoch)
            return is_plain_copy(r, e) ? NUMBER_OF_COPY : NUMBER_UNKNOWN;
        if (same)
            return NUMBER_OF_COPY;
        if (e->epoch)
            seen = NUMBER_OF_ANOTHER;
    }
    return seen;
}

/* Of application data the log holds the beginning only. */
static bool is_beyond_log(const struct reading *r)
{
    return r->rec->epoch && r->rec->type == SD_CT_APPDATA &&
           r->x->side[r->side].appdata >= SD_LOG_APPDATA;
}

/* A stack that goes on counting from epoch 0 for its Finished, and begins again after it, will
 * use the number of the Finished twice. */
static void note_set_back(struct reading *r, struct sd_numbers *n)
{
    struct sd_direction *side = &r->x->side[r->side];
    if (!n->seen)
        side->carried = r->rec->epoch == 1 && r->rec->seq && r->rec->type == SD_CT_HANDSHAKE &&
                        (side->plain.seen ? r->rec->seq == side->plain.max + 1 : r->x->reversed);
    else if (side->carried && r->rec->seq < n->min) {
        *n = (struct sd_numbers){0};
        side->carried = false;
        side->set_back = true;
    }
}

static void note_late(const struct reading *r)
{
    struct sd_rare *rare = sd_rare_new(r->t, r->x);
    if (!rare || rare->first_late[r->side].number)
        return;
    rare->first_late[r->side].number = (uint32_t)r->d->number;
    rare->first_late[r->side].time = r->d->time;
}

static void note_number(struct reading *r)
{
    struct sd_direction *side = &r->x->side[r->side];
    if (r->rec->unified && !r->opened)
        return; /* encrypted: RFC 9147 section 4.2.3 */
    struct sd_numbers *n = r->rec->epoch ? &side->sealed : &side->plain;
    if (r->rec->epoch && r->rec->epoch != side->epoch) {
        if (side->epoch > r->rec->epoch)
            return; /* of an earlier epoch: late, not lost */
        *n = (struct sd_numbers){0};
        side->epoch = r->rec->epoch;
    }
    if (!r->rec->epoch && starts_over(r)) {
        bool copy = n->seen && r->rec->seq == n->max && look_up_number(r) == NUMBER_OF_COPY;
        *n = (struct sd_numbers){
            .min = r->rec->seq & SD_U48, .max = r->rec->seq, .seen = 1, .window = 1};
        r->duplicate = copy;
        return;
    }
    if (r->rec->epoch)
        note_set_back(r, n);
    bool first = !n->seen;
    uint32_t late = n->late;
    bool again = sd_numbers_note(n, r->rec->seq, &r->gap, &r->reordered);
    r->reordered = r->reordered && !r->disordered;
    if (n->late != late && r->rec->epoch)
        note_late(r);
    if (first && !r->rec->epoch && r->side == SD_CLIENT && !r->x->reversed)
        r->gap = r->rec->seq < 16 ? (uint16_t)r->rec->seq : 0; /* a client counts from 0 */
    enum number_seen seen =
        again || (side->set_back && r->rec->seq < RESTARTED) ? look_up_number(r) : NUMBER_UNKNOWN;
    r->reused = seen == NUMBER_OF_ANOTHER;
    r->duplicate = seen == NUMBER_OF_COPY || (again && !r->reused && is_beyond_log(r));
    if (n->largest < r->rec->length)
        n->largest = r->rec->length & UINT16_MAX;
}

static void unseal_record(struct reading *r)
{
    struct sd_record plain;
    if (!r->f->keys && r->f->tried_keys)
        return;
    if (!(r->rec->epoch || r->rec->unified) || !sd_keys_open(r->t, r->f, r->side, r->rec, &plain))
        return;
    plain.length = r->rec->length; /* what diagrams and sizes speak of is the wire */
    plain.unified = false;
    r->own = plain;
    r->rec = &r->own;
    r->opened = r->x->opened = true;
}

static void take_record(struct reading *r)
{
    r->gap = 0;
    r->duplicate = r->reordered = r->reused = r->opened = false;
    unseal_record(r);
    note_number(r);
    if (!r->x->version)
        r->x->version = r->rec->unified ? SD_DTLS_1_3 : r->rec->version;
    if (r->rec->epoch || r->rec->unified)
        r->x->proven = r->x->proven || r->side == SD_CLIENT;
    read_content(r);
}

static void note_datagram(struct sd_exchange *x, const struct sd_datagram *d, enum sd_side side)
{
    struct sd_direction *s = &x->side[side];
    x->side[sd_other(side)].unanswered = 0;
    s->datagrams++;
    s->first = s->first ? s->first : d->time;
    s->last = d->time > s->last ? d->time : s->last;
    s->ttl_max = d->ttl > s->ttl_max ? d->ttl : s->ttl_max;
    s->largest_ip = d->ip_length > s->largest_ip ? d->ip_length : s->largest_ip;
    uint16_t length = at_most_u16(d->length);
    s->largest_datagram = length > s->largest_datagram ? length : s->largest_datagram;
    s->snapped |= d->payload.len < d->length;
    x->last = d->time > x->last ? d->time : x->last;
}

/* After it was read: the datagram that proves the address is no longer part of an attack. */
static void count_unproven(struct sd_exchange *x, const struct sd_datagram *d, enum sd_side side)
{
    if (!x->proven && !x->path_validated)
        *(side == SD_SERVER ? &x->server_bytes_unproven : &x->client_bytes_unproven) += d->length;
}

/* Its number was used: what it lacks was not lost. */
static void note_unreadable(struct reading *r)
{
    r->gap = 0;
    r->duplicate = r->reordered = r->reused = r->opened = false;
    note_number(r);
    add_event(r, SD_EV_MALFORMED);
}

bool sd_events_continue(struct sd_tracker *t, struct sd_exchange *x, const struct sd_datagram *d,
                        enum sd_side side)
{
    uint16_t rest = x->side[side].rest;
    if (!rest || d->payload.len < d->length || d->payload.len < rest)
        return false;
    struct sd_datagram after = *d;
    struct reading r = {.t = t, .x = x, .d = d, .side = side};
    struct sd_look look;
    sd_look_at(&look, d, 0);
    if (look.count)
        return false; /* it begins with a record of its own */
    after.payload.p += rest;
    after.payload.len -= rest;
    after.length -= rest;
    sd_look_at(&look, &after, 0);
    if (after.payload.len && !look.count)
        return false;
    note_datagram(x, r.d, side);
    x->side[side].rest = 0;
    struct sd_look_walk w = sd_look_walk(&look);
    while (sd_look_next(&w, &r.rec) == SD_RECORD_OK)
        note_unreadable(&r);
    if (!look.count)
        sd_event_add(t, SD_EV_MALFORMED, r.d->number, r.d->time, side);
    sd_log_append(t, x);
    return true;
}

/* Zero bytes after the last record: the records count all the same. */
static bool note_trailing(struct reading *r, const struct sd_look *l)
{
    struct sd_span rest = sd_look_trailing(l);
    struct sd_tracker *t = r->t;
    if (!rest.len || !sd_look_zero(rest) || !t->event_count)
        return false;
    t->events[t->event_count - 1].flags |= SD_EVF_TRAILING;
    struct sd_rare *rare = sd_rare_new(t, r->x);
    if (!rare)
        return true;
    uint16_t len = at_most_u16((uint32_t)rest.len);
    bool first = !rare->trailing[r->side].datagrams++;
    rare->trailing[r->side].unaligned += r->d->length % 4 != 0;
    if (first || len < rare->trailing[r->side].least)
        rare->trailing[r->side].least = len;
    if (len > rare->trailing[r->side].most)
        rare->trailing[r->side].most = len;
    return true;
}

void sd_events_read(struct sd_tracker *t, struct sd_flow *f, const struct sd_look *l,
                    enum sd_side side)
{
    struct sd_exchange *x = f->x;
    struct reading r = {.t = t,
                        .f = f,
                        .x = x,
                        .d = l->datagram,
                        .side = side,
                        .disordered = l->datagram->time < x->side[side].last};
    struct sd_look_walk w = sd_look_walk(l);
    enum sd_record_status s;
    note_datagram(x, r.d, side);
    x->side[side].rest = 0;
    while ((s = sd_look_next(&w, &r.rec)) == SD_RECORD_OK || (s == SD_RECORD_CUT && l->snapped)) {
        take_record(&r);
        if (s == SD_RECORD_CUT)
            break;
    }
    if (s == SD_RECORD_CID) {
        r.own = (struct sd_record){.type = SD_CT_CID, .length = r.d->payload.len};
        r.rec = &r.own;
        r.gap = 0;
        x->side[side].appdata++;
        add_event(&r, SD_EV_APPDATA);
    } else if (s == SD_RECORD_CUT && !l->snapped && !r.rec->unified) {
        note_unreadable(&r);
        x->side[side].rest = (uint16_t)(r.rec->length - r.rec->body.len);
    } else if (s != SD_RECORD_END && !l->snapped && !note_trailing(&r, l)) {
        r.own = (struct sd_record){0};
        r.rec = &r.own;
        add_event(&r, SD_EV_MALFORMED);
    }
    count_unproven(x, r.d, side);
    if (t->event_count && t->events[0].flight)
        x->last_handshake = r.d->time;
    sd_log_append(t, x);
    sd_note_established(x, r.d->time);
}
