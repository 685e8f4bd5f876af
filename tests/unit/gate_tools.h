/* SPDX-License-Identifier: MIT */
/* What the tests of lib/gate share: hellos of any shape, and a gate to show them to. */
#ifndef GATE_TOOLS_H
#define GATE_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "gate/gate.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/record.h"

enum { HVR_LEN = 48, MIN_HELLO = 61 };

/* A keyed hash in place of HMAC-SHA-256, which the gate does not know. */
static inline void test_mac(void *arg, const uint8_t key[SD_GATE_SECRET_LEN], const uint8_t *data,
                            size_t len, uint8_t out[32])
{
    if (arg)
        ++*(unsigned *)arg;
    for (size_t i = 0; i < 4; i++) {
        struct sd_hash_key k;
        memcpy(&k, key, sizeof k);
        k.k0 ^= i;
        uint64_t h = sd_hash(k, data, len);
        memcpy(out + 8 * i, &h, sizeof h);
    }
}

/* What a hello is made of; zero = the usual. */
struct shape {
    uint64_t seq;
    uint16_t message_seq;
    uint16_t version;
    uint8_t random; /* every byte of it */
    uint8_t session_id[32];
    size_t session_id_len;
    const void *cookie;
    size_t cookie_len;
    size_t extensions; /* bytes of them */
    size_t fragment;   /* first fragment only, of this many bytes */
};

static inline size_t make_hello(const struct shape *s, uint8_t *out, size_t cap)
{
    static const uint8_t suites[] = {0xc0, 0x2b, 0xc0, 0x2f}, null[] = {0};
    uint8_t random[32], body[1024], padding[600] = {0x00, 0x15};
    memset(random, s->random, sizeof random);
    padding[2] = (uint8_t)((s->extensions - 4) >> 8);
    padding[3] = (uint8_t)(s->extensions - 4);
    struct sd_client_hello ch = {.version = s->version ? s->version : SD_DTLS_1_2,
                                 .random = {random, sizeof random},
                                 .session_id = {s->session_id, s->session_id_len},
                                 .cookie = {s->cookie, s->cookie_len},
                                 .suites = {suites, sizeof suites},
                                 .compression = {null, 1},
                                 .extensions = {padding, s->extensions}};
    struct sd_wr bw = sd_wr_init(body, sizeof body), w = sd_wr_init(out, cap);
    sd_client_hello_build(&bw, &ch);
    uint32_t len = (uint32_t)sd_wr_len(&bw);
    uint32_t frag = s->fragment && s->fragment < len ? (uint32_t)s->fragment : len;
    size_t mark = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_0, 0, s->seq);
    sd_handshake_build(&w, &(struct sd_handshake){.type = SD_HS_CLIENT_HELLO,
                                                  .length = len,
                                                  .message_seq = s->message_seq,
                                                  .frag_len = frag,
                                                  .body = {body, frag}});
    sd_record_close(&w, mark);
    assert_int_not_equal(sd_wr_len(&w), 0);
    return sd_wr_len(&w);
}

struct fixture {
    struct sd_gate gate;
    struct sd_addr peer, local;
    uint8_t reply[SD_GATE_REPLY_MAX];
    unsigned macs;
};

static const uint8_t secrets[4][SD_GATE_SECRET_LEN] = {{1}, {2}, {3}, {4}};

static inline void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    sd_gate_init(&f->gate, test_mac, &f->macs, secrets[0], 0);
    f->peer = sd_addr_any(AF_INET, 50000);
    inet_pton(AF_INET, "192.0.2.7", &f->peer.in.sin_addr);
    f->local = sd_addr_any(AF_INET, 4433);
    inet_pton(AF_INET, "192.0.2.1", &f->local.in.sin_addr);
}

/* Copied to the heap, so that a sanitizer sees the first byte read too far;
 * and what holds for every datagram is checked for every datagram. */
static inline struct sd_gate_result check(struct fixture *f, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    memset(f->reply, 0xee, sizeof f->reply);
    struct sd_gate_result r = sd_gate_check(&f->gate, copy, len, &f->peer, &f->local, f->reply);
    free(copy);
    assert_true(r.reply_len <= len);
    assert_int_equal(r.verdict == SD_GATE_REPLY, r.reply_len > 0);
    for (size_t i = r.reply_len; i < sizeof f->reply; i++)
        assert_int_equal(f->reply[i], 0xee);
    return r;
}

static inline struct sd_gate_result check_shape(struct fixture *f, const struct shape *s)
{
    uint8_t b[1200];
    return check(f, b, make_hello(s, b, sizeof b));
}

/* The cookie out of the HelloVerifyRequest that `s` without one gets. */
static inline void get_cookie(struct fixture *f, struct shape s, uint8_t cookie[SD_GATE_COOKIE_LEN])
{
    s.cookie_len = 0;
    s.message_seq = 0;
    struct sd_gate_result r = check_shape(f, &s);
    assert_int_equal(r.verdict, SD_GATE_REPLY);
    memcpy(cookie, f->reply + HVR_LEN - SD_GATE_COOKIE_LEN, SD_GATE_COOKIE_LEN);
}

static inline void assert_dropped(struct fixture *f, const uint8_t *data, size_t len,
                                  enum sd_gate_reason why)
{
    struct sd_gate_result r = check(f, data, len);
    assert_int_equal(r.verdict, SD_GATE_DROP);
    assert_int_equal(r.reason, why);
}

#endif
