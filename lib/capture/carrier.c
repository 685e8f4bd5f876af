/* SPDX-License-Identifier: MIT */
#include "capture/carrier.h"

#include <stdlib.h>
#include <string.h>

#include "wire/record.h"

enum {
    UNIFIED_MIN = 18, /* header of 2 bytes, 16 of ciphertext (RFC 9147 section 4.2.3) */
    RTP_MIN = 8,      /* an RTCP header with its source */
    STUN_HEADER = 20,
    STUN_COOKIE = 0x2112a442,
    CHANNEL_HEADER = 4,
    CHANNEL_PADDING = 3,
    ZRTP_COOKIE = 0x5a525450,
    QUIC_CID_MAX = 20
};

/* --- what is it? --- */

static bool starts_with_record(struct sd_span payload, size_t length)
{
    bool snapped = payload.len < length;
    struct sd_records it = sd_records_init(payload.p, payload.len, 0);
    struct sd_record rec;
    switch (sd_record_next(&it, &rec)) {
    case SD_RECORD_OK:
        return !rec.unified || length >= UNIFIED_MIN;
    case SD_RECORD_CUT:
        return !rec.unified || snapped;
    case SD_RECORD_CID:
        return length >= UNIFIED_MIN;
    case SD_RECORD_NO_HEADER:
        return snapped;
    default:
        return false;
    }
}

/* RFC 8489 section 5. A message of RFC 3489 has no cookie and cannot be recognised. */
static enum sd_payload stun_kind(struct sd_rd r, size_t length)
{
    uint16_t type = sd_rd_u16(&r), body = sd_rd_u16(&r);
    uint32_t cookie = sd_rd_u32(&r);
    if (r.bad || cookie != STUN_COOKIE || body % 4 || (size_t)body + STUN_HEADER > length)
        return SD_PAYLOAD_OTHER;
    return type == 0x0101 ? SD_PAYLOAD_STUN_SUCCESS : SD_PAYLOAD_STUN;
}

/* RFC 8656 section 12.4 */
static bool is_channel(struct sd_rd r, size_t length)
{
    sd_rd_u16(&r);
    size_t sent = (size_t)sd_rd_u16(&r) + CHANNEL_HEADER;
    return !r.bad && sent <= length && length - sent <= CHANNEL_PADDING;
}

static bool is_zrtp(struct sd_rd r)
{
    sd_rd_u32(&r);
    return sd_rd_u32(&r) == ZRTP_COOKIE;
}

/* RFC 8999 section 5.1; no version in use has longer connection ids. */
static bool is_quic_long(struct sd_rd r)
{
    sd_rd_bytes(&r, 5);
    return sd_rd_u8(&r) <= QUIC_CID_MAX && !r.bad;
}

enum sd_payload sd_payload_kind(struct sd_span payload, size_t length)
{
    struct sd_rd r = sd_rd_init(payload.p, payload.len), peek = r;
    uint8_t first = sd_rd_u8(&peek);
    if (peek.bad)
        return SD_PAYLOAD_OTHER;
    if (first <= 3)
        return stun_kind(r, length);
    if (first >= 16 && first <= 19 && is_zrtp(r))
        return SD_PAYLOAD_ZRTP;
    if (first >= 20 && first <= 63 && starts_with_record(payload, length))
        return SD_PAYLOAD_DTLS;
    if (first >= 64 && first <= 79 && is_channel(r, length))
        return SD_PAYLOAD_TURN_CHANNEL;
    if (first >= 128 && first <= 191 && length >= RTP_MIN)
        return SD_PAYLOAD_RTP;
    if (first >= 192 && is_quic_long(r))
        return SD_PAYLOAD_QUIC;
    return SD_PAYLOAD_OTHER;
}

/* --- channels --- */

/* A channel is known by its seeded hash: 64 bits are enough. */
struct channel {
    uint64_t tag; /* 0 = free */
    uint64_t lane;
};

enum { WAYS = 4 };

struct sd_carriers {
    struct sd_hash_key key;
    size_t mask;
    struct channel *channels;
};

struct sd_carriers *sd_carriers_new(struct sd_hash_key key, size_t max)
{
    struct sd_carriers *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    size_t count = WAYS;
    while (count < max)
        count *= 2;
    c->key = key;
    c->mask = count - 1;
    c->channels = calloc(count, sizeof *c->channels);
    if (!c->channels) {
        free(c);
        return NULL;
    }
    return c;
}

void sd_carriers_free(struct sd_carriers *c)
{
    if (!c)
        return;
    free(c->channels);
    free(c);
}

static uint64_t lane_of(const struct sd_carriers *c, const void *data, size_t len)
{
    uint64_t lane = sd_hash(c->key, data, len);
    return lane ? lane : 1; /* 0 is "no lane" */
}

/* The same for both directions. */
static uint64_t channel_tag(const struct sd_carriers *c, const struct sd_datagram *d,
                            uint16_t number)
{
    uint8_t a[SD_ADDR_BYTES], b[SD_ADDR_BYTES], all[2 * SD_ADDR_BYTES + 2];
    size_t n = sd_addr_bytes(&d->src, a), m = sd_addr_bytes(&d->dst, b);
    bool swap = n == m && memcmp(a, b, n) > 0;
    struct sd_wr w = sd_wr_init(all, sizeof all);
    sd_wr_bytes(&w, swap ? b : a, n);
    sd_wr_bytes(&w, swap ? a : b, m);
    sd_wr_u16(&w, number);
    return lane_of(c, all, sd_wr_len(&w));
}

static void remember_channel(struct sd_carriers *c, uint64_t tag, uint64_t lane)
{
    struct channel *set = &c->channels[tag & c->mask & ~(size_t)(WAYS - 1)];
    struct channel *to = &set[tag >> 62]; /* when all are taken */
    for (unsigned i = WAYS; i-- > 0;)
        if (!set[i].tag)
            to = &set[i];
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].tag == tag)
            to = &set[i];
    *to = (struct channel){tag, lane};
}

static uint64_t recall_channel(const struct sd_carriers *c, uint64_t tag)
{
    const struct channel *set = &c->channels[tag & c->mask & ~(size_t)(WAYS - 1)];
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].tag == tag)
            return set[i].lane;
    return 0;
}

/* --- STUN --- */

enum { SEND_INDICATION = 0x0016, DATA_INDICATION = 0x0017, CHANNEL_BIND = 0x0009 };
enum {
    CHANNEL_NUMBER = 0x000c,
    XOR_PEER_ADDRESS = 0x0012,
    DATA = 0x0013,
    COMPREHENSION_OPTIONAL = 0x8000,
    UNREGISTERED = 0xc000 /* "first come first served": no attribute of an RFC */
};

struct attribute {
    uint16_t type;
    uint32_t length; /* as sent; more than value.len when snapped */
    struct sd_span value;
};

struct stun {
    uint16_t type;
    struct sd_span mask; /* cookie and transaction id, which addresses are XORed with */
    struct sd_rd attributes;
    bool cut;
};

static bool stun_open(struct stun *s, const struct sd_datagram *d)
{
    struct sd_rd r = sd_rd_init(d->payload.p, d->payload.len);
    s->type = sd_rd_u16(&r);
    size_t body = sd_rd_u16(&r);
    s->mask = sd_rd_bytes(&r, STUN_HEADER - 4);
    s->cut = body > sd_rd_left(&r);
    s->attributes = sd_rd_sub(&r, s->cut ? sd_rd_left(&r) : body);
    return !r.bad;
}

static bool attribute_next(struct stun *s, struct attribute *a)
{
    struct sd_rd *r = &s->attributes;
    a->type = sd_rd_u16(r);
    a->length = sd_rd_u16(r);
    size_t left = sd_rd_left(r), padding = -a->length & 3;
    if (r->bad || (a->length > left && !s->cut))
        return false;
    a->value = sd_rd_bytes(r, a->length < left ? a->length : left);
    left = sd_rd_left(r);
    sd_rd_bytes(r, padding < left ? padding : left);
    return true;
}

static bool attribute_find(const struct stun *s, uint16_t type, struct attribute *a)
{
    struct stun from = *s;
    while (attribute_next(&from, a))
        if (a->type == type)
            return true;
    return false;
}

/* Zero, family, port and address, the latter two XORed (RFC 8489 section 14.2). 0 = it is not
 * there. */
static uint64_t peer_lane(const struct sd_carriers *c, const struct stun *s)
{
    struct attribute a;
    uint8_t peer[20];
    if (!attribute_find(s, XOR_PEER_ADDRESS, &a) || (a.value.len != 8 && a.value.len != 20))
        return 0;
    peer[0] = 0;
    peer[1] = a.value.p[1];
    for (size_t i = 2; i < 4; i++)
        peer[i] = a.value.p[i] ^ s->mask.p[i - 2];
    for (size_t i = 4; i < a.value.len; i++)
        peer[i] = a.value.p[i] ^ s->mask.p[i - 4];
    return lane_of(c, peer, a.value.len);
}

static void learn_channel(struct sd_carriers *c, const struct sd_datagram *d, const struct stun *s)
{
    struct attribute a, peer;
    if (!attribute_find(s, CHANNEL_NUMBER, &a) || !attribute_find(s, XOR_PEER_ADDRESS, &peer))
        return;
    struct sd_rd r = sd_rd_init(a.value.p, a.value.len);
    uint16_t number = sd_rd_u16(&r);
    uint64_t lane = peer_lane(c, s);
    if (!r.bad && lane)
        remember_channel(c, channel_tag(c, d, number), lane);
}

/* Of an indication that is cut behind its data, the peer is probably the one of before: it is
 * remembered under a number that no channel has. */
static uint64_t indication_lane(struct sd_carriers *c, const struct sd_datagram *d,
                                const struct stun *s)
{
    uint64_t lane = peer_lane(c, s);
    if (lane) {
        remember_channel(c, channel_tag(c, d, 0), lane);
        return lane;
    }
    lane = recall_channel(c, channel_tag(c, d, 0));
    return lane ? lane : lane_of(c, "", 0);
}

/* Strict, because most attributes hold something else: the whole value must be records. A
 * unified header is any byte from 32 to 63, so it may come first only in attributes that no RFC
 * defines. */
static bool holds_records(const struct attribute *a)
{
    struct sd_records it = sd_records_init(a->value.p, a->value.len, 0);
    struct sd_record rec;
    enum sd_record_status s = sd_record_next(&it, &rec);
    if (rec.unified && (a->type < UNREGISTERED || a->length < UNIFIED_MIN))
        return false;
    bool any = s == SD_RECORD_OK;
    while (s == SD_RECORD_OK)
        s = sd_record_next(&it, &rec);
    if (a->value.len < a->length)
        return any || s == SD_RECORD_CUT;
    return any && (s == SD_RECORD_END || s == SD_RECORD_CID);
}

static bool find_records(const struct stun *s, struct attribute *a)
{
    struct stun from = *s;
    while (attribute_next(&from, a))
        if (a->type >= COMPREHENSION_OPTIONAL && holds_records(a))
            return true;
    return false;
}

/* --- taking it off --- */

static bool replace(struct sd_datagram *d, enum sd_carrier carrier, struct sd_span payload,
                    uint32_t length)
{
    d->carrier = carrier;
    d->payload = payload;
    d->length = length;
    return true;
}

static bool unwrap_stun(struct sd_carriers *c, struct sd_datagram *d,
                        void (*emit)(void *arg, const struct sd_datagram *d), void *arg)
{
    struct stun s;
    struct attribute a;
    if (!stun_open(&s, d))
        return false;
    switch (s.type) {
    case SEND_INDICATION:
    case DATA_INDICATION:
        if (!attribute_find(&s, DATA, &a))
            return false;
        d->lane = indication_lane(c, d, &s);
        return replace(d, SD_CARRIER_TURN_INDICATION, a.value, a.length);
    case CHANNEL_BIND:
        learn_channel(c, d, &s);
        return false;
    default:
        if (!find_records(&s, &a))
            return false;
        if (d->kind == SD_PAYLOAD_STUN_SUCCESS)
            emit(arg, d);
        return replace(d, SD_CARRIER_STUN_ATTRIBUTE, a.value, a.length);
    }
}

static bool unwrap_channel(const struct sd_carriers *c, struct sd_datagram *d)
{
    struct sd_rd r = sd_rd_init(d->payload.p, d->payload.len);
    struct sd_span number = sd_rd_bytes(&r, 2);
    uint16_t length = sd_rd_u16(&r);
    if (r.bad)
        return false;
    uint64_t lane =
        recall_channel(c, channel_tag(c, d, (uint16_t)(number.p[0] << 8 | number.p[1])));
    d->lane = lane ? lane : lane_of(c, number.p, number.len);
    size_t left = sd_rd_left(&r);
    struct sd_span data = sd_rd_bytes(&r, length < left ? length : left);
    return replace(d, SD_CARRIER_TURN_CHANNEL, data, length);
}

static bool is_capwap_port(uint16_t port)
{
    return port == 5246 || port == 5247;
}

/* RFC 5415 section 4.2: version 0, type 1 = a DTLS header. Its 24 reserved bits are to be
 * ignored; controllers in the field set some of them. */
static bool unwrap_capwap(struct sd_datagram *d)
{
    struct sd_rd r = sd_rd_init(d->payload.p, d->payload.len);
    if (!is_capwap_port(sd_addr_port(&d->src)) && !is_capwap_port(sd_addr_port(&d->dst)))
        return false;
    if (sd_rd_u32(&r) >> 24 != 0x01)
        return false;
    return replace(d, SD_CARRIER_CAPWAP, sd_rd_rest(&r), d->length - 4);
}

enum {
    RDP_PORT = 3389,
    RDPUDP_SYN = 0x0001,
    RDPUDP_ACK = 0x0004,
    RDPUDP_DATA = 0x0008,
    RDPUDP_FEC = 0x0010,
    RDPUDP_ACK_OF_ACKS = 0x0100,
    RDPUDP_SOURCE_NUMBERS = 8
};

/* MS-RDPEUDP section 3.1.5.1.4: header, what is acknowledged (to a multiple of 4 bytes), two
 * sequence numbers, data. The first byte is one of a sequence number, so it may look like anything:
 * records must follow. */
static bool unwrap_rdpudp(struct sd_datagram *d)
{
    struct sd_rd r = sd_rd_init(d->payload.p, d->payload.len);
    if (sd_addr_port(&d->src) != RDP_PORT && sd_addr_port(&d->dst) != RDP_PORT)
        return false;
    sd_rd_bytes(&r, 6);
    uint16_t flags = sd_rd_u16(&r);
    if (r.bad || (flags & (RDPUDP_SYN | RDPUDP_DATA | RDPUDP_FEC)) != RDPUDP_DATA)
        return false;
    if (flags & RDPUDP_ACK) {
        size_t size = sd_rd_u16(&r);
        sd_rd_bytes(&r, size + (-(size + 2) & 3));
    }
    sd_rd_bytes(&r, flags & RDPUDP_ACK_OF_ACKS ? 4 : 0);
    sd_rd_bytes(&r, RDPUDP_SOURCE_NUMBERS);
    struct sd_span data = sd_rd_rest(&r);
    uint32_t before = (uint32_t)(d->payload.len - data.len);
    if (r.bad || !data.len || !starts_with_record(data, d->length - before))
        return false;
    return replace(d, SD_CARRIER_RDPUDP, data, d->length - before);
}

static bool unwrap(struct sd_carriers *c, struct sd_datagram *d,
                   void (*emit)(void *arg, const struct sd_datagram *d), void *arg)
{
    if (d->carrier == SD_CARRIER_NONE && unwrap_rdpudp(d))
        return true;
    switch (d->kind) {
    case SD_PAYLOAD_STUN:
    case SD_PAYLOAD_STUN_SUCCESS:
        return unwrap_stun(c, d, emit, arg);
    case SD_PAYLOAD_TURN_CHANNEL:
        return unwrap_channel(c, d);
    case SD_PAYLOAD_OTHER:
        return unwrap_capwap(d);
    default:
        return false;
    }
}

/* A STUN check with records may go through a relay; no known protocol nests deeper. */
enum { DEPTH_MAX = 3 };

void sd_carriers_take(struct sd_carriers *c, struct sd_datagram *d,
                      void (*emit)(void *arg, const struct sd_datagram *d), void *arg)
{
    d->kind = sd_payload_kind(d->payload, d->length);
    for (unsigned depth = 0; depth < DEPTH_MAX && unwrap(c, d, emit, arg); depth++)
        d->kind = sd_payload_kind(d->payload, d->length);
    emit(arg, d);
}

static void emit_nothing(void *arg, const struct sd_datagram *d)
{
    (void)arg, (void)d;
}

uint64_t sd_carriers_lane(struct sd_carriers *c, struct sd_datagram *quoted)
{
    sd_carriers_take(c, quoted, emit_nothing, NULL);
    return quoted->lane;
}
