/* SPDX-License-Identifier: MIT */
#include "dtls_scan/ask/deliver.h"

#include "wire/handshake.h"
#include "wire/junk.h"
#include "wire/record.h"

enum { FRAGMENTS = 64, JUNK_RECORD = 32 };

/* One hello on its way. */
struct parcel {
    const struct scan_delivery *how;
    struct sd_span body;
    uint16_t version, message_seq;
    uint64_t *seq;
};

static size_t piece_size(const struct parcel *c)
{
    size_t n = c->how->fragment ? c->how->fragment : SCAN_HELLO_WHOLE;
    return n < c->body.len ? n : c->body.len;
}

static unsigned piece_count(const struct parcel *c)
{
    size_t n = piece_size(c), count = n ? (c->body.len + n - 1) / n : 1;
    return count < FRAGMENTS ? (unsigned)count : FRAGMENTS;
}

static void put_fragment(struct sd_wr *w, const struct parcel *c, unsigned index)
{
    size_t size = piece_size(c), from = index * size, to = from + size;
    if (to > c->body.len)
        to = c->body.len;
    from -= c->how->overlap < from ? c->how->overlap : from;
    struct sd_handshake h = {.type = SD_HS_CLIENT_HELLO,
                             .length = (uint32_t)c->body.len,
                             .message_seq = c->message_seq,
                             .frag_off = (uint32_t)from,
                             .frag_len = (uint32_t)(to - from),
                             .body = {c->body.p + from, to - from}};
    size_t record = sd_record_open(w, SD_CT_HANDSHAKE, c->version, 0, (*c->seq)++);
    sd_handshake_build(w, &h);
    sd_record_close(w, record);
}

static void put_beside(struct sd_wr *w, const struct scan_delivery *how)
{
    if (how->two_records)
        sd_junk_build(w, JUNK_RECORD, NULL);
    for (size_t i = 0; i < how->trailing; i++)
        sd_wr_u8(w, 0xff); /* begins no record of any version */
}

static bool send_parcel(struct scan_port *p, const struct parcel *c)
{

    uint8_t buf[SCAN_HELLO_BYTES + FRAGMENTS * 32 + 256];
    unsigned count = piece_count(c);
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    for (unsigned i = 0; i < count; i++) {
        bool last = i + 1 == count;
        put_fragment(&w, c, c->how->reverse ? count - 1 - i : i);
        if (last)
            put_beside(&w, c->how);
        if (c->how->together && !last)
            continue;
        if (w.bad || !scan_port_send(p, buf, sd_wr_len(&w)))
            return false;
        w = sd_wr_init(buf, sizeof buf);
    }
    return true;
}

bool scan_deliver(struct scan_port *p, const struct scan_delivery *d, const struct scan_hello *h,
                  uint16_t message_seq, uint64_t *seq)
{
    uint8_t body[SCAN_HELLO_BYTES];
    struct sd_wr w = sd_wr_init(body, sizeof body);
    scan_hello_body(&w, h);
    struct parcel c = {.how = d,
                       .body = {body, sd_wr_len(&w)},
                       .version = h->record_version,
                       .message_seq = message_seq,
                       .seq = seq};
    return !w.bad && send_parcel(p, &c);
}
