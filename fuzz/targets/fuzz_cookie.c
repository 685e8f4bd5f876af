/* SPDX-License-Identifier: MIT */
/* The gate's cookie: time passes, secrets rotate, cookies are given out and shown again, by their
 * owners and by others. A model knows which of them are good.
 *
 * An operation has four bytes: code, three arguments. */
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "harness/gate_kit.h"
#include "harness/make.h"

#include "gate/cookie.h"
#include "wire/handshake.h"
#include "wire/hello.h"

enum op { OP_TIME, OP_ISSUE, OP_SHOW, OP_CODES };

/* What changes between giving out a cookie and showing it. */
enum change {
    CHANGE_NOTHING,
    CHANGE_COOKIE_BIT,
    CHANGE_PEER_PORT,
    CHANGE_PEER_HOST,
    CHANGE_PEER_FAMILY,
    CHANGE_LOCAL_PORT,
    CHANGE_LOCAL_HOST,
    CHANGE_RANDOM,
    CHANGE_SESSION_ID,
    CHANGE_VERSION,
    CHANGE_SHORTER,
    CHANGE_LONGER,
    CHANGE_OTHERS_COOKIE,
    CHANGES
};

enum { ISSUED_MAX = 8, COOKIE_ROOM = 255 };

static const sd_time first_time = 1000 * SD_SEC;

struct client {
    struct sd_addr peer, local;
    uint8_t random[SD_RANDOM_LEN], session_id[SD_SESSION_ID_MAX];
    size_t session_id_len;
    uint16_t version;
};

struct issued {
    struct client client;
    struct sd_gate_cookie cookie;
    sd_time at;
};

struct world {
    struct sd_gate gate;
    struct fuzz_rng rng;
    sd_time now;
    unsigned macs;
    struct issued issued[ISSUED_MAX];
    unsigned count;
};

/* In place of HMAC (the gate is handed its hash). Each step can be undone, so no two messages that
 * differ in one word have the same MAC. */
static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

static uint64_t mix_bytes(uint64_t h, const uint8_t *p, size_t len)
{
    uint64_t word;
    for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
        memcpy(&word, p, sizeof word);
        h = mix(h, word);
    }
    word = len;
    for (; len; len--)
        word = word << 8 | *p++;
    return mix(h, word);
}

static void cheap_mac(void *macs, const uint8_t key[SD_GATE_SECRET_LEN], const uint8_t *data,
                      size_t len, uint8_t out[32])
{
    uint64_t h = mix_bytes(mix_bytes(0, key, SD_GATE_SECRET_LEN), data, len);
    ++*(unsigned *)macs;
    for (size_t i = 0; i < 4; i++) {
        h = mix(h, i);
        memcpy(out + i * sizeof h, &h, sizeof h);
    }
}

static struct sd_client_hello hello_of(const struct client *c, struct sd_span cookie)
{
    static const uint8_t suites[] = {0xc0, 0x2b}, null[] = {0};
    return (struct sd_client_hello){.version = c->version,
                                    .random = {c->random, sizeof c->random},
                                    .session_id = {c->session_id, c->session_id_len},
                                    .cookie = cookie,
                                    .suites = {suites, sizeof suites},
                                    .compression = {null, 1},
                                    .missing = SD_HELLO_NOTHING};
}

/* Before every datagram, as the endpoint does it. */
static void rotate(struct world *w)
{
    uint8_t secret[SD_GATE_SECRET_LEN];
    if (!sd_gate_wants_secret(&w->gate, w->now))
        return;
    fuzz_random_bytes(&w->rng, secret, sizeof secret);
    sd_gate_rotate(&w->gate, secret, w->now);
    fuzz_check(!sd_gate_wants_secret(&w->gate, w->now), "a new secret is wanted right after one");
}

/* The gate's verdict on the whole datagram. */
static struct sd_gate_result at_the_gate(const struct world *w, const struct client *c,
                                         struct sd_span cookie, struct sd_gate_cookie *fresh)
{
    static struct fuzz_place place;
    uint8_t datagram[512], reply[SD_GATE_REPLY_MAX];
    struct sd_client_hello ch = hello_of(c, cookie);
    struct sd_wr d = sd_wr_init(datagram, sizeof datagram);
    size_t record = sd_record_open(&d, SD_CT_HANDSHAKE, SD_DTLS_1_2, 0, 1);
    size_t message = sd_handshake_open(&d, SD_HS_CLIENT_HELLO, 1);
    sd_client_hello_build(&d, &ch);
    sd_handshake_close(&d, message);
    sd_record_close(&d, record);
    size_t len = sd_wr_len(&d);
    uint8_t *copy = fuzz_place(&place, make_span(datagram, len));
    struct sd_gate_result r = sd_gate_check(&w->gate, copy, len, &c->peer, &c->local, reply);
    fuzz_check(r.reply_len <= len, "%zu bytes are answered with %zu", len, r.reply_len);
    fuzz_check((r.verdict == SD_GATE_REPLY) == (r.reply_len > 0), "an empty reply");
    if (r.verdict == SD_GATE_REPLY)
        memcpy(fresh->bytes, reply + r.reply_len - sizeof fresh->bytes, sizeof fresh->bytes);
    return r;
}

/* The check of the cookie and the gate's verdict must agree. Both do the same work for a right and
 * a wrong cookie of the same length. */
static bool good(struct world *w, const struct client *c, struct sd_span cookie,
                 struct sd_gate_cookie *fresh)
{
    static struct fuzz_place place;
    uint8_t *copy = fuzz_place(&place, cookie);
    struct sd_client_hello ch = hello_of(c, make_span(copy, cookie.len));
    struct sd_gate_cookie sent = {0};
    w->macs = 0;
    bool ok = sd_gate_cookie_check(
        &w->gate, &(struct sd_gate_cookie_subject){&c->peer, &c->local, &ch, NULL}, fresh);
    bool long_enough = cookie.len == SD_GATE_COOKIE_LEN;
    unsigned macs = w->gate.has_previous && long_enough ? 2 : 1;
    fuzz_check(w->macs == macs, "%u MACs for a cookie of %zu bytes instead of %u", w->macs,
               cookie.len, macs);
    struct sd_gate_result r = at_the_gate(w, c, cookie, &sent);
    fuzz_check(ok == (r.verdict == SD_GATE_ADMIT), "gate and cookie disagree");
    fuzz_check(ok || !memcmp(&sent, fresh, sizeof sent), "the reply has another cookie");
    fuzz_note(ok);
    return ok;
}

static void issue(struct world *w, const uint8_t arg[3])
{
    struct issued *i = &w->issued[w->count++ % ISSUED_MAX];
    i->client = (struct client){
        .peer = kit_addr(arg[0] % KIT_FAMILIES, arg[0] >> 4, (uint16_t)(40000 + arg[1])),
        .local = kit_addr(arg[0] % KIT_FAMILIES, 100, 4433),
        .version = arg[2] & 1 ? SD_DTLS_1_0 : SD_DTLS_1_2,
        .session_id_len = arg[2] % (SD_SESSION_ID_MAX + 1)};
    memset(i->client.random, arg[2], sizeof i->client.random);
    memset(i->client.session_id, arg[1], i->client.session_id_len);
    i->at = w->now;
    struct sd_gate_result r = at_the_gate(w, &i->client, make_span("", 0), &i->cookie);
    fuzz_check(r.verdict == SD_GATE_REPLY, "a hello without a cookie gets no cookie");
}

static void flip(void *bytes, size_t len, unsigned bit)
{
    if (len)
        ((uint8_t *)bytes)[bit / 8 % len] ^= (uint8_t)(1 << bit % 8);
}

/* True: the cookie, or something that it vouches for, is another one now. */
static bool change(enum change what, unsigned detail, struct client *c,
                   uint8_t cookie[static COOKIE_ROOM], size_t *len)
{
    bool four = c->peer.sa.sa_family == AF_INET;
    switch (what) {
    case CHANGE_COOKIE_BIT:
        flip(cookie, *len, detail);
        return true;
    case CHANGE_PEER_PORT:
        sd_addr_set_port(&c->peer, sd_addr_port(&c->peer) ^ (uint16_t)(1 << detail % 16));
        return true;
    case CHANGE_PEER_HOST:
        flip(four ? (void *)&c->peer.in.sin_addr : &c->peer.in6.sin6_addr, four ? 4 : 16, detail);
        return true;
    case CHANGE_PEER_FAMILY:
        c->peer = kit_addr(four ? KIT_MAPPED : KIT_FOUR,
                           four ? ((uint8_t *)&c->peer.in.sin_addr)[3]
                                : c->peer.in6.sin6_addr.s6_addr[15],
                           sd_addr_port(&c->peer));
        return true;
    case CHANGE_LOCAL_PORT:
        sd_addr_set_port(&c->local, sd_addr_port(&c->local) ^ (uint16_t)(1 << detail % 16));
        return true;
    case CHANGE_LOCAL_HOST:
        flip(four ? (void *)&c->local.in.sin_addr : &c->local.in6.sin6_addr, four ? 4 : 16, detail);
        return true;
    case CHANGE_RANDOM:
        flip(c->random, sizeof c->random, detail);
        return true;
    case CHANGE_SESSION_ID:
        flip(c->session_id, c->session_id_len, detail);
        return c->session_id_len > 0;
    case CHANGE_VERSION:
        c->version ^= SD_DTLS_1_0 ^ SD_DTLS_1_2;
        return true;
    case CHANGE_SHORTER:
        *len = detail % *len;
        return true;
    case CHANGE_LONGER:
        *len += 1 + detail % (COOKIE_ROOM - *len);
        return true;
    default:
        return false;
    }
}

static const struct issued *pick(const struct world *w, unsigned which)
{
    return &w->issued[which % (w->count < ISSUED_MAX ? w->count : ISSUED_MAX)];
}

static bool same_client(const struct client *a, const struct client *b)
{
    return sd_addr_eq(&a->peer, &b->peer) && sd_addr_eq(&a->local, &b->local) &&
           a->version == b->version && a->session_id_len == b->session_id_len &&
           !memcmp(a->random, b->random, sizeof a->random) &&
           !memcmp(a->session_id, b->session_id, a->session_id_len);
}

static void show(struct world *w, const uint8_t arg[3])
{
    if (!w->count)
        return;
    enum change what = arg[1] % CHANGES;
    struct client c = pick(w, arg[0])->client;
    const struct issued *i = pick(w, what == CHANGE_OTHERS_COOKIE ? arg[2] : arg[0]);
    struct sd_gate_cookie fresh;
    uint8_t cookie[COOKIE_ROOM] = {0};
    size_t len = sizeof i->cookie.bytes;
    memcpy(cookie, i->cookie.bytes, len);
    bool changed = change(what, arg[2], &c, cookie, &len) || !same_client(&c, &i->client);
    bool ok = good(w, &c, make_span(cookie, len), &fresh);
    sd_time age = w->now - i->at;
    fuzz_check(!ok || !changed, "a cookie is good for another sender or hello (change %d)",
               (int)what);
    fuzz_check(!ok || age < 2 * SD_GATE_PERIOD, "a cookie is still good after %llu s",
               (unsigned long long)(age / SD_SEC));
    fuzz_check(ok || changed || age >= SD_GATE_PERIOD, "a cookie is no longer good after %llu s",
               (unsigned long long)(age / SD_SEC));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    struct world w = {.rng = {42}, .now = first_time};
    uint8_t secret[SD_GATE_SECRET_LEN];
    fuzz_random_bytes(&w.rng, secret, sizeof secret);
    sd_gate_init(&w.gate, cheap_mac, &w.macs, secret, w.now);
    for (;;) {
        uint8_t code = sd_rd_u8(&in);
        uint8_t arg[3];
        for (int i = 0; i < 3; i++)
            arg[i] = sd_rd_u8(&in);
        if (in.bad)
            return 0;
        if (code % OP_CODES == OP_TIME)
            w.now += arg[0] * SD_SEC + arg[1] * (SD_SEC / 256);
        rotate(&w);
        if (code % OP_CODES == OP_ISSUE)
            issue(&w, arg);
        else if (code % OP_CODES == OP_SHOW)
            show(&w, arg);
    }
}

/* Every change, for every kind of address, at once and one rotation later. */
void fuzz_seeds(struct fuzz_seeder *s)
{
    for (uint8_t family = 0; family < KIT_FAMILIES; family++) {
        uint8_t bytes[1024];
        struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
        for (uint8_t what = 0; what < CHANGES; what++) {
            sd_wr_u32(&w, (uint32_t)(OP_ISSUE << 24 | family << 16 | what << 8 | what));
            sd_wr_u32(&w, (uint32_t)(OP_SHOW << 24 | what << 16 | what << 8 | (5 + 40 * family)));
            sd_wr_u32(&w, (uint32_t)(OP_TIME << 24 | 31 << 16));
            sd_wr_u32(&w, (uint32_t)(OP_SHOW << 24 | what << 16));
        }
        fuzz_seed(s, bytes, sd_wr_len(&w));
    }
}
