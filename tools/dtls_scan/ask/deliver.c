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

static size_t later_size(const struct parcel *c)
{
    return c->how->fragment ? c->how->fragment : SCAN_HELLO_WHOLE;
}

static size_t first_size(const struct parcel *c)
{
    size_t n = c->how->first ? c->how->first : later_size(c);
    return n < c->body.len ? n : c->body.len;
}

static unsigned piece_count(const struct parcel *c)
{
    size_t rest = c->body.len - first_size(c);
    size_t count = 1 + (rest + later_size(c) - 1) / later_size(c);
    return count < FRAGMENTS ? (unsigned)count : FRAGMENTS;
}

static void put_piece(struct sd_wr *w, const struct parcel *c, unsigned index)
{
    size_t from = index ? first_size(c) + (index - 1) * later_size(c) : 0;
    size_t to = index ? from + later_size(c) : first_size(c);
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

    uint8_t buf[SCAN_HELLO_BYTES + FRAGMENTS * 64 + 256];
    unsigned count = piece_count(c);
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    for (unsigned i = 0; i < count; i++) {
        bool last = i + 1 == count;
        put_piece(&w, c, c->how->reverse ? count - 1 - i : i);
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
