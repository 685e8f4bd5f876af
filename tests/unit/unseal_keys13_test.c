/* SPDX-License-Identifier: MIT */
/* lib/unseal/keys13.c: DTLS 1.3 records (RFC 9147), sealed here by independent steps and by
 * a browser. */
#include "unseal_seal.h"

#include <openssl/kdf.h>

#include "wire/handshake.h"
#include "wire/hello.h"

static const uint8_t client_random[32] = {1, 2, 3}, server_random[32] = {4, 5, 6};
static const uint8_t cid[] = {0xc1, 0xd2, 0xe3, 0xf4};
enum { CID = 0x10, SEQ_16 = 0x08, LEN = 0x04, CID_LEN = sizeof cid };

struct suite {
    uint16_t number;
    const char *cipher, *mask;
    const EVP_MD *(*md)(void);
    size_t key, hash, tag;
};

static const struct suite suites[] = {
    {0x1301, "aes-128-gcm", "aes-128-ecb", EVP_sha256, 16, 32, 16},
    {0x1302, "aes-256-gcm", "aes-256-ecb", EVP_sha384, 32, 48, 16},
    {0x1303, "chacha20-poly1305", "chacha20", EVP_sha256, 32, 32, 16},
    {0x1304, "aes-128-ccm", "aes-128-ecb", EVP_sha256, 16, 32, 16},
    {0x1305, "aes-128-ccm", "aes-128-ecb", EVP_sha256, 16, 32, 8},
};
enum { SUITES = sizeof suites / sizeof *suites };

/* HKDF-Expand-Label with OpenSSL's HKDF. */
static void expand(const struct suite *s, const uint8_t *secret, const char *label, uint8_t *out,
                   size_t len)
{
    uint8_t info[64] = {0, (uint8_t)len, (uint8_t)(6 + strlen(label))};
    int info_len = 4 + snprintf((char *)info + 3, 60, "dtls13%s", label);
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    assert_true(EVP_PKEY_derive_init(c) > 0);
    assert_true(EVP_PKEY_CTX_hkdf_mode(c, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY) > 0);
    assert_true(EVP_PKEY_CTX_set_hkdf_md(c, s->md()) > 0);
    assert_true(EVP_PKEY_CTX_set1_hkdf_key(c, secret, (int)s->hash) > 0);
    assert_true(EVP_PKEY_CTX_add1_hkdf_info(c, info, info_len) > 0);
    assert_true(EVP_PKEY_derive(c, out, &len) > 0);
    EVP_PKEY_CTX_free(c);
}

struct fixture {
    const struct suite *suite;
    struct sd_secrets *secrets;
    struct sd_unprotect u;
    void *keys;
    uint8_t secret[2][16][48]; /* of each direction and epoch */
    uint8_t wire[SEALED_MAX];
    size_t len;
};

static void make_secrets(struct fixture *f)
{
    static const char *const labels[2][2] = {
        {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"},
        {"SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"}};
    for (int d = 0; d < 2; d++) {
        for (int epoch = 2; epoch < 4; epoch++) {
            memset(f->secret[d][epoch], 16 * d + epoch, 48);
            add_secret(f->secrets, labels[d][epoch - 2], client_random, f->secret[d][epoch],
                       f->suite->hash);
        }
        for (int epoch = 4; epoch < 16; epoch++)
            expand(f->suite, f->secret[d][epoch - 1], "traffic upd", f->secret[d][epoch],
                   f->suite->hash);
    }
}

static void fixture_init(struct fixture *f, const struct suite *s)
{
    const struct sd_unprotect_params p = {.client_random = client_random,
                                          .server_random = server_random,
                                          .version = SD_DTLS_1_3,
                                          .suite = s->number};
    *f = (struct fixture){.suite = s, .secrets = sd_secrets_new()};
    make_secrets(f);
    f->u = sd_unseal_hooks(f->secrets);
    f->keys = f->u.begin(f->u.arg, &p);
    assert_non_null(f->keys);
}

static void fixture_fini(struct fixture *f)
{
    f->u.end(f->keys);
    sd_secrets_free(f->secrets);
    assert_int_equal(ERR_peek_error(), 0);
}

static void mask_number(const struct fixture *f, const uint8_t *sn, const uint8_t *body,
                        uint8_t *number, size_t len)
{
    static const uint8_t zeros[16];
    uint8_t mask[16];
    bool chacha = strcmp(f->suite->mask, "chacha20") == 0;
    seal_plain(f->suite->mask, sn, chacha ? body : NULL, chacha ? zeros : body, 16, mask);
    for (size_t i = 0; i < len; i++)
        number[i] ^= mask[i];
}

/* A record of the server or client; `form`: CID, SEQ_16, LEN. */
static void make(struct fixture *f, bool from_server, unsigned epoch, uint64_t seq, unsigned form,
                 struct sd_span inner)
{
    uint8_t key[32], iv[12], sn[32], *number;
    const uint8_t *secret = f->secret[from_server][epoch];
    struct sd_wr w = sd_wr_init(f->wire, sizeof f->wire);
    size_t body = inner.len + f->suite->tag, number_len = form & SEQ_16 ? 2 : 1;
    expand(f->suite, secret, "key", key, f->suite->key);
    expand(f->suite, secret, "iv", iv, sizeof iv);
    expand(f->suite, secret, "sn", sn, f->suite->key);
    sd_wr_u8(&w, (uint8_t)(0x20 | form | (epoch & 3)));
    sd_wr_bytes(&w, cid, form & CID ? CID_LEN : 0);
    number = w.p;
    if (form & SEQ_16)
        sd_wr_u8(&w, (uint8_t)(seq >> 8));
    sd_wr_u8(&w, (uint8_t)seq);
    if (form & LEN)
        sd_wr_u16(&w, (uint16_t)body);
    for (int i = 0; i < 8; i++)
        iv[11 - i] ^= (uint8_t)(seq >> 8 * i);
    seal_aead(f->suite->cipher, key, iv, (int)f->suite->tag,
              (struct sd_span){f->wire, sd_wr_len(&w)}, inner, w.p);
    if (body >= 16)
        mask_number(f, sn, w.p, number, number_len);
    f->len = sd_wr_len(&w) + body;
}

static bool open_part(struct fixture *f, bool from_server, size_t len, struct sd_record *plain)
{
    static uint8_t out[SD_RECORD_BODY_MAX];
    uint8_t *exact = malloc(len); /* the sanitizer guards its end */
    struct sd_record rec;
    memcpy(exact, f->wire, len);
    struct sd_records it = sd_records_init(exact, len, CID_LEN);
    enum sd_record_status st = sd_record_next(&it, &rec);
    bool ok = (st == SD_RECORD_OK || st == SD_RECORD_CUT) &&
              f->u.open(f->keys, from_server, &rec, out, plain);
    free(exact);
    return ok;
}

/* Content, its type, and zeros. */
static const struct sd_span text = {(const uint8_t *)"how do you do?\x17\0\0", 17};

static void check(struct fixture *f, bool from_server, unsigned epoch, uint64_t seq, unsigned form)
{
    struct sd_record plain;
    make(f, from_server, epoch, seq, form, text);
    if (!open_part(f, from_server, f->len, &plain))
        fail_msg("suite %04x, epoch %u, number %llu, form %02x", f->suite->number, epoch,
                 (unsigned long long)seq, form);
    assert_int_equal(plain.epoch, epoch);
    assert_int_equal(plain.seq, seq);
    assert_int_equal(plain.type, SD_CT_APPDATA);
    assert_false(plain.unified);
    assert_int_equal(plain.cid.len, form & CID ? CID_LEN : 0);
    assert_int_equal(plain.body.len, 14);
    assert_memory_equal(plain.body.p, "how do you do?", 14);
}

/* Made once with other software: Python's hmac and its cryptography package. */
static void a_constant_record_opens(void **state)
{
    static const uint8_t wire[] = {0x2f, 0xbd, 0x37, 0x00, 0x20, 0x33, 0x33, 0xdb, 0x41, 0x29,
                                   0x38, 0x2f, 0x46, 0xc7, 0x49, 0x66, 0xd4, 0xa1, 0x0f, 0xc0,
                                   0xf7, 0xb9, 0x1d, 0x09, 0xe2, 0x53, 0x69, 0x3a, 0xe3, 0xa4,
                                   0xec, 0x73, 0xc0, 0x90, 0x72, 0x40, 0xba};
    static uint8_t out[SD_RECORD_BODY_MAX];
    const struct sd_unprotect_params p = {.client_random = client_random,
                                          .server_random = server_random,
                                          .version = SD_DTLS_1_3,
                                          .suite = 0x1301,
                                          .encrypt_then_mac = false};
    uint8_t secret[32];
    struct sd_record rec = only_record(wire, sizeof wire, 0), plain;
    (void)state;
    for (unsigned i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(0xa0 + i);
    struct sd_secrets *s = sd_secrets_new();
    add_secret(s, "CLIENT_TRAFFIC_SECRET_0", client_random, secret, sizeof secret);
    struct sd_unprotect u = sd_unseal_hooks(s);
    void *keys = u.begin(u.arg, &p);
    assert_non_null(keys);
    assert_false(u.open(keys, true, &rec, out, &plain));
    assert_true(u.open(keys, false, &rec, out, &plain));
    assert_int_equal(plain.epoch, 3);
    assert_int_equal(plain.seq, 0x1234);
    assert_int_equal(plain.type, SD_CT_APPDATA);
    assert_int_equal(plain.body.len, 12);
    assert_memory_equal(plain.body.p, "known answer", 12);
    u.end(keys);
    sd_secrets_free(s);
}

static void every_suite_and_every_form_of_header_opens(void **state)
{
    struct fixture f;
    (void)state;
    for (size_t i = 0; i < SUITES; i++) {
        fixture_init(&f, &suites[i]);
        for (unsigned form = 0; form < 0x20; form += LEN)
            for (int d = 0; d < 2; d++) {
                check(&f, d, 2, form, form);
                check(&f, d, 3, form, form);
            }
        fixture_fini(&f);
    }
}

static void record_numbers_are_completed_from_the_highest_seen(void **state)
{
    static const uint64_t numbers[] = {0, 1, 100, 228, 229, 256, 200, 130, 383, 300, 511, 512, 386};
    struct fixture f;
    (void)state;
    fixture_init(&f, &suites[0]);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        check(&f, true, 3, numbers[i], 0);
    check(&f, true, 3, 512 + 32768, SEQ_16);
    check(&f, true, 3, 65535, SEQ_16);
    check(&f, true, 3, 65536 + 30000, SEQ_16);
    check(&f, true, 3, 65534, SEQ_16);
    check(&f, true, 2, 7, 0);  /* each epoch has its own */
    check(&f, false, 3, 7, 0); /* and each direction */
    fixture_fini(&f);
}

static void keys_follow_every_key_update(void **state)
{
    struct fixture f;
    (void)state;
    for (size_t i = 0; i < SUITES; i++) {
        fixture_init(&f, &suites[i]);
        for (unsigned epoch = 2; epoch < 16; epoch++) {
            check(&f, true, epoch, 5, 0);
            if (epoch > 2)
                check(&f, true, epoch - 1, 6, 0);
            if (epoch > 4)
                check(&f, true, epoch - 2, 7, 0);
            check(&f, true, epoch, 6, SEQ_16);
        }
        fixture_fini(&f);
    }
    fixture_init(&f, &suites[0]); /* the handshake was not captured, nor epoch 3 and 4 */
    check(&f, false, 5, 0, LEN);
    check(&f, false, 3, 0, LEN);
    fixture_fini(&f);
}

/* Forged records cannot move the numbers or the epochs. */
static void what_does_not_open_changes_nothing(void **state)
{
    struct sd_record plain = {.type = 99};
    struct fixture f;
    (void)state;
    for (size_t i = 0; i < 2 * SUITES; i++) {
        fixture_init(&f, &suites[i / 2]);
        make(&f, true, 3, 250, i % 2 ? LEN | CID : 0, text);
        for (size_t len = 1; len < f.len; len++)
            assert_false(open_part(&f, true, len, &plain));
        for (size_t at = 0; at < 8 * f.len; at++) {
            f.wire[at / 8] ^= (uint8_t)(1 << at % 8);
            assert_false(open_part(&f, true, f.len, &plain));
            f.wire[at / 8] ^= (uint8_t)(1 << at % 8);
        }
        assert_false(open_part(&f, false, f.len, &plain));
        assert_int_equal(plain.type, 99);
        for (unsigned epoch = 2; epoch < 6; epoch++) {
            memset(f.wire + 1, 0xee, 100);
            f.wire[0] = (uint8_t)(0x20 | (epoch & 3));
            assert_false(open_part(&f, true, 100, &plain));
        }
        check(&f, true, 2, 3, 0);
        check(&f, true, 3, 4, 0);
        fixture_fini(&f);
    }
}

static void records_without_content_or_type(void **state)
{
    const struct sd_span zeros = {(const uint8_t *)"\0\0\0\0\0\0\0\0\0", 9};
    const struct sd_span only_type = {(const uint8_t *)"\x17\0\0\0\0\0\0\0", 8};
    const struct sd_span too_short = {(const uint8_t *)"\x17", 1};
    struct sd_record plain;
    struct fixture f;
    (void)state;
    fixture_init(&f, &suites[4]);
    make(&f, true, 3, 0, 0, only_type);
    assert_true(open_part(&f, true, f.len, &plain));
    assert_int_equal(plain.body.len, 0);
    make(&f, true, 3, 1, 0, zeros);
    assert_false(open_part(&f, true, f.len, &plain));
    make(&f, true, 3, 2, 0, too_short); /* less than the sample of RFC 9147 section 4.2.3 */
    assert_false(open_part(&f, true, f.len, &plain));
    make(&f, true, 3, 3, 0, text);
    struct sd_record rec = only_record(f.wire, f.len, 0);
    static uint8_t out[SD_RECORD_BODY_MAX];
    rec.unified = false;
    assert_false(f.u.open(f.keys, true, &rec, out, &plain));
    fixture_fini(&f);
}

static void secrets_may_come_after_the_handshake_began(void **state)
{
    const struct sd_unprotect_params p = {.client_random = client_random,
                                          .server_random = server_random,
                                          .version = SD_DTLS_1_3,
                                          .suite = 0x1301,
                                          .encrypt_then_mac = false};
    struct sd_record plain;
    struct fixture f;
    uint8_t secret[48];
    (void)state;
    fixture_init(&f, &suites[0]);
    memset(secret, 3, sizeof secret);
    struct sd_secrets *late = sd_secrets_new();
    add_secret(late, "SERVER_TRAFFIC_SECRET_0", client_random, secret, 48); /* of another hash */
    struct sd_unprotect u = sd_unseal_hooks(late);
    f.u.end(f.keys);
    f.keys = u.begin(u.arg, &p);
    assert_non_null(f.keys);
    make(&f, false, 3, 0, 0, text);
    assert_false(open_part(&f, false, f.len, &plain));
    add_secret(late, "CLIENT_TRAFFIC_SECRET_0", client_random, secret, 32);
    assert_true(open_part(&f, false, f.len, &plain));
    make(&f, true, 3, 0, 0, text);
    assert_false(open_part(&f, true, f.len, &plain));
    memset(f.secret[false][2], 0, 48); /* to HMAC the same as no secret */
    make(&f, false, 2, 0, 0, text);
    assert_false(open_part(&f, false, f.len, &plain));
    fixture_fini(&f);
    sd_secrets_free(late);
}

/* A capture of Firefox talking to itself, outside of the project: link type LINUX_SLL2. */
enum { SLL2_LEN = 20, TALKS = 8, MESSAGES = 32 };

struct talk {
    uint16_t client, server; /* ports */
    uint8_t random[32];
    void *keys;
    unsigned messages[2][MESSAGES], other, closed; /* what was opened */
};

struct walk {
    struct sd_unprotect u;
    struct talk talks[TALKS];
    size_t count;
};

static uint8_t *outside(const char *name, size_t *len)
{
    char path[1024];
    snprintf(path, sizeof path, "%s", __FILE__);
    char *cut = strstr(path, "tests/unit/");
    assert_non_null(cut);
    snprintf(cut, sizeof path - (size_t)(cut - path), "../shared/captures/webrtc/%s", name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    uint8_t *data = malloc(1 << 22);
    *len = fread(data, 1, 1 << 22, file);
    fclose(file);
    return data;
}

static struct talk *talk_of(struct walk *w, uint16_t from, uint16_t to)
{
    for (size_t i = 0; i < w->count; i++)
        if ((w->talks[i].client == from && w->talks[i].server == to) ||
            (w->talks[i].client == to && w->talks[i].server == from))
            return &w->talks[i];
    assert_true(w->count < TALKS);
    w->talks[w->count] = (struct talk){.client = from, .server = to};
    return &w->talks[w->count++];
}

static void see_hello(struct walk *w, struct talk *t, const struct sd_handshake *h)
{
    struct sd_server_hello sh;
    if (h->type == SD_HS_CLIENT_HELLO && !h->frag_off) {
        struct sd_rd rd = sd_rd_init(h->body.p, h->body.len);
        sd_rd_u16(&rd);
        memcpy(t->random, sd_rd_bytes(&rd, 32).p, 32);
    }
    if (h->type != SD_HS_SERVER_HELLO || t->keys)
        return;
    assert_int_equal(sd_server_hello_parse(&sh, h->body, h->length), SD_HELLO_WHOLE);
    assert_int_equal(sd_server_hello_version(&sh), SD_DTLS_1_3);
    const struct sd_unprotect_params p = {.client_random = t->random,
                                          .server_random = sh.random.p,
                                          .version = SD_DTLS_1_3,
                                          .suite = sh.suite};
    t->keys = w->u.begin(w->u.arg, &p);
    assert_non_null(t->keys);
}

static void see_record(struct walk *w, struct talk *t, bool from_server,
                       const struct sd_record *rec)
{
    static uint8_t out[SD_RECORD_BODY_MAX];
    struct sd_record plain = *rec;
    struct sd_handshake h;
    if (rec->unified && (!t->keys || !w->u.open(t->keys, from_server, rec, out, &plain))) {
        t->closed++;
        return;
    }
    if (plain.type != SD_CT_HANDSHAKE) {
        t->other++;
        return;
    }
    struct sd_rd rd = sd_rd_init(plain.body.p, plain.body.len);
    while (sd_handshake_next(&rd, &h) == SD_HANDSHAKE_OK) {
        if (rec->unified && !h.frag_off)
            t->messages[from_server][h.type % MESSAGES]++;
        else if (!rec->unified)
            see_hello(w, t, &h);
    }
}

static void see_packet(struct walk *w, struct sd_rd rd)
{
    sd_rd_bytes(&rd, SLL2_LEN);
    struct sd_rd ip = rd;
    unsigned first = sd_rd_u8(&ip);
    sd_rd_bytes(&rd, first >> 4 == 6 ? 40U : 4 * (first & 15));
    uint16_t from = sd_rd_u16(&rd), to = sd_rd_u16(&rd);
    sd_rd_u32(&rd);
    struct sd_span data = sd_rd_rest(&rd);
    if (!data.len || data.p[0] < 20 || data.p[0] > 63)
        return; /* RFC 7983: STUN */
    struct talk *t = talk_of(w, from, to);
    struct sd_records it = sd_records_init(data.p, data.len, 0);
    struct sd_record rec;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK)
        see_record(w, t, from == t->server, &rec);
}

static uint32_t little_endian(struct sd_rd *rd)
{
    return __builtin_bswap32(sd_rd_u32(rd));
}

static void walk_capture(struct walk *w, const uint8_t *data, size_t len)
{
    struct sd_rd rd = sd_rd_init(data, len);
    assert_int_equal(little_endian(&rd), 0xa1b2c3d4);
    sd_rd_bytes(&rd, 16);
    assert_int_equal(little_endian(&rd), 276);
    while (sd_rd_left(&rd) && !rd.bad) {
        sd_rd_bytes(&rd, 8);
        size_t caught = little_endian(&rd);
        sd_rd_u32(&rd);
        see_packet(w, sd_rd_sub(&rd, caught));
    }
}

static void the_handshake_of_a_browser_opens(void **state)
{
    size_t len, log_len;
    uint8_t *data = outside("firefox153-dtls13-pq.pcap", &len);
    uint8_t *log = outside("firefox153-dtls13-pq.keys", &log_len);
    (void)state;
    if (!data || !log) {
        free(data);
        free(log);
        skip();
    }
    struct sd_secrets *s = sd_secrets_new();
    assert_true(sd_secrets_add(s, (char *)log, log_len));
    assert_int_equal(sd_secrets_bad(s), 0);
    struct walk w = {.u = sd_unseal_hooks(s)};
    walk_capture(&w, data, len);
    assert_int_equal(w.count, 2);
    for (size_t i = 0; i < w.count; i++) {
        struct talk *t = &w.talks[i];
        assert_true(t->messages[true][SD_HS_ENCRYPTED_EXTENSIONS] > 0);
        assert_true(t->messages[true][SD_HS_CERTIFICATE] > 0);
        assert_true(t->messages[true][SD_HS_FINISHED] > 0);
        assert_true(t->messages[false][SD_HS_FINISHED] > 0);
        assert_true(t->other > 0);
        assert_int_equal(t->closed, 0);
        w.u.end(t->keys);
    }
    sd_secrets_free(s);
    free(data);
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_record_opens),
        cmocka_unit_test(every_suite_and_every_form_of_header_opens),
        cmocka_unit_test(record_numbers_are_completed_from_the_highest_seen),
        cmocka_unit_test(keys_follow_every_key_update),
        cmocka_unit_test(what_does_not_open_changes_nothing),
        cmocka_unit_test(records_without_content_or_type),
        cmocka_unit_test(secrets_may_come_after_the_handshake_began),
        cmocka_unit_test(the_handshake_of_a_browser_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
