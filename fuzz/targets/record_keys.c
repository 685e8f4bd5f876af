/* SPDX-License-Identifier: MIT */
#include "targets/record_keys.h"

#include <string.h>

#include "harness/common.h"
#include "harness/make.h"
#include "wire/handshake.h"
#include "wire/keyexchange.h"
#include "wire/record.h"

static void check_key(struct sd_span body, enum sd_exchange_kind kind, bool psk, bool schemes)
{
    struct sd_server_key k;
    bool ok = sd_server_key_parse(&k, body, kind, psk, schemes);
    fuzz_check(ok || (!k.group && !k.prime_bits && !k.scheme), "a refused key exchange has values");
    fuzz_check(k.prime_bits <= 8 * body.len, "a prime of %u bits in %zu bytes", k.prime_bits,
               body.len);
    fuzz_check(!k.scheme || (schemes && !psk), "a signature where none is");
    fuzz_note(k.group);
    fuzz_note(k.prime_bits);
    fuzz_note(k.scheme);
}

void record_keys_check(struct sd_span body)
{
    for (unsigned kind = SD_KX_NONE; kind <= SD_KX_DHE; kind++)
        for (unsigned bits = 0; bits < 4; bits++)
            check_key(body, (enum sd_exchange_kind)kind, bits & 1, bits & 2);
}

/* The text is printable and ends in its buffer, however short that is. */
static void check_text(struct sd_span dn)
{
    char buf[16];
    for (size_t cap = 1; cap <= sizeof buf; cap += sizeof buf - 1) {
        const char *text = sd_authority_text(dn, buf, cap);
        fuzz_check(text == buf && strnlen(buf, cap) < cap, "a name without an end");
        for (; *text; text++)
            fuzz_check(*text >= ' ' && *text < 127, "a name with the byte %02x", (uint8_t)*text);
    }
    fuzz_note_bytes(buf, strlen(buf));
}

static void check_inside(struct sd_span part, struct sd_span body)
{
    fuzz_check(!part.len || (part.p >= body.p && part.p + part.len <= body.p + body.len),
               "a list outside of its message");
}

static size_t check_request(struct sd_span body, uint16_t version)
{
    struct sd_cert_request q;
    struct sd_span dn;
    size_t count = 0;
    bool ok = sd_cert_request_parse(&q, body, version);
    fuzz_check(ok || (!q.types.len && !q.schemes.len && !q.authorities.len),
               "a refused request has values");
    fuzz_check(q.schemes.len % 2 == 0, "half a signature scheme");
    check_inside(q.types, body);
    check_inside(q.schemes, body);
    check_inside(q.authorities, body);
    fuzz_note(q.types.len << 16 | q.schemes.len);
    for (struct sd_rd r = sd_rd_init(q.authorities.p, q.authorities.len);
         sd_authority_next(&r, &dn); count++)
        check_text(dn);
    return count;
}

size_t record_keys_check_request(struct sd_span body)
{
    return check_request(body, SD_DTLS_1_0) + check_request(body, SD_DTLS_1_2) +
           check_request(body, SD_DTLS_1_3);
}

/* --- seeds --- */

static void seed_message(struct fuzz_seeder *s, uint8_t type, struct sd_span body)
{
    uint8_t datagram[512], bytes[600];
    struct sd_wr d = sd_wr_init(datagram, sizeof datagram), w = sd_wr_init(bytes, sizeof bytes);
    make_message(&d, 1, type, 1, body);
    fuzz_op_put(&w, 0, 0, datagram, sd_wr_len(&d));
    fuzz_seed(s, bytes, sd_wr_len(&w));
}

/* Distinguished names: CN, O, both in one set, a long length, and broken ones. */
#define CN                                                                                         \
    "\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02"                                                 \
    "ca"
#define O                                                                                          \
    "\x31\x0b\x30\x09\x06\x03\x55\x04\x0a\x0c\x02"                                                 \
    "o\x01"
#define LONG                                                                                       \
    "\x31\x81\x0c\x30\x82\x00\x08\x06\x03\x55\x04\x03\x0c\x01"                                     \
    "l"
#define ODD "\x31\x04\x30\x02\x05\x00"

static const struct name {
    const char *bytes;
    uint8_t len;
} names[] = {{"\x30\x0d" CN, 15},
             {"\x30\x0d" O, 15},
             {"\x30\x0f" LONG, 17},
             {"\x30\x13" ODD CN, 21},
             {"\x30\x83\0\0", 4},
             {"\x31\x0d" CN, 15},
             {"\x30\x04\x31\x02\x30\x00", 6}};

static void put_names(struct sd_wr *w)
{
    size_t all = sd_wr_open(w, 2);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sd_wr_u16(w, names[i].len);
        sd_wr_bytes(w, names[i].bytes, names[i].len);
    }
    sd_wr_close(w, all, 2);
}

static void seed_requests(struct fuzz_seeder *s)
{
    uint8_t bytes[256];
    for (int version = 0; version < 3; version++) {
        struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
        if (version < 2)
            sd_wr_bytes(&w, "\2\1\100", 3);
        if (version == 1)
            sd_wr_bytes(&w, "\0\4\4\3\4\1", 6);
        if (version < 2) {
            put_names(&w);
        } else {
            sd_wr_u8(&w, 0);
            size_t block = sd_wr_open(&w, 2);
            sd_wr_bytes(&w, "\0\x0d\0\6\0\4\4\3\4\1\0\x2f", 12);
            size_t one = sd_wr_open(&w, 2);
            put_names(&w);
            sd_wr_close(&w, one, 2);
            sd_wr_close(&w, block, 2);
        }
        seed_message(s, SD_HS_CERTIFICATE_REQUEST, make_span(bytes, sd_wr_len(&w)));
    }
}

void record_keys_seeds(struct fuzz_seeder *s)
{
    static const struct {
        const char *bytes;
        uint8_t len;
    } keys[] = {{"\3\0\x1d\2kk\4\3\0\1s", 11}, /* ECDHE */
                {"\0\1h\3\0\x1d\2kk", 9},      /* ECDHE with a PSK */
                {"\0\4\0\0\x7fp\0\1\2\0\2yy\4\1\0\1s", 18},
                {"\0\1h\0\1\xff\0\1\2\0\1y", 12},
                {"\1\0\x1d\2kk", 6},
                {"\0\0\0\1\2\0\1y", 8}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        seed_message(s, SD_HS_SERVER_KEY_EXCHANGE, make_span(keys[i].bytes, keys[i].len));
    seed_requests(s);
}
