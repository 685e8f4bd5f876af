/* SPDX-License-Identifier: MIT */
/* lib/unseal/psk.c: DTLS 1.3 with a pre-shared key alone (psk_ke). OpenSSL does not speak it, so
 * the key schedule of RFC 8446 section 7.1 is done here with OpenSSL's HKDF. */
#include "unseal_seal.h"

#include <openssl/kdf.h>

#include "wire/hello.h"

static const uint8_t client_random[32] = {1, 2, 3}, server_random[32] = {4, 5, 6};
static const uint8_t psk[20] = "a key of both sides", other[20] = "a key of one side..";
static const uint8_t zeros[48];

struct suite {
    uint16_t number;
    const char *cipher, *mask;
    const EVP_MD *(*md)(void);
    size_t key, hash;
};
static const struct suite suites[] = {
    {0x1301, "aes-128-gcm", "aes-128-ecb", EVP_sha256, 16, 32},
    {0x1302, "aes-256-gcm", "aes-256-ecb", EVP_sha384, 32, 48},
};
enum { SUITES = sizeof suites / sizeof *suites, BODY_MAX = 256 };

static void hkdf(const struct suite *s, int mode, struct sd_span salt, struct sd_span key,
                 struct sd_span info, uint8_t *out, size_t len)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    assert_true(EVP_PKEY_derive_init(c) > 0);
    assert_true(EVP_PKEY_CTX_hkdf_mode(c, mode) > 0);
    assert_true(EVP_PKEY_CTX_set_hkdf_md(c, s->md()) > 0);
    assert_true(EVP_PKEY_CTX_set1_hkdf_key(c, key.p, (int)key.len) > 0);
    if (salt.len)
        assert_true(EVP_PKEY_CTX_set1_hkdf_salt(c, salt.p, (int)salt.len) > 0);
    if (info.len)
        assert_true(EVP_PKEY_CTX_add1_hkdf_info(c, info.p, (int)info.len) > 0);
    assert_true(EVP_PKEY_derive(c, out, &len) > 0);
    EVP_PKEY_CTX_free(c);
}

/* HKDF-Expand-Label; hash NULL = no context. */
static void expand(const struct suite *s, const uint8_t *secret, const char *label,
                   const uint8_t *hash, uint8_t *out, size_t len)
{
    uint8_t info[128];
    size_t n = 0, name = strlen(label);
    info[n++] = 0;
    info[n++] = (uint8_t)len;
    info[n++] = (uint8_t)(6 + name);
    memcpy(info + n, "dtls13", 6);
    memcpy(info + n + 6, label, name);
    n += 6 + name;
    info[n++] = (uint8_t)(hash ? s->hash : 0);
    if (hash)
        memcpy(info + n, hash, s->hash);
    hkdf(s, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY, (struct sd_span){0}, (struct sd_span){secret, s->hash},
         (struct sd_span){info, n + (hash ? s->hash : 0)}, out, len);
}

static void extract(const struct suite *s, const uint8_t *salt, struct sd_span key, uint8_t *out)
{
    hkdf(s, EVP_PKEY_HKDEF_MODE_EXTRACT_ONLY, (struct sd_span){salt, s->hash}, key,
         (struct sd_span){0}, out, s->hash);
}

/* A handshake, and what was said in it. */
struct fixture {
    const struct suite *suite;
    struct sd_secrets *secrets;
    struct sd_unprotect u;
    void *keys;
    struct sd_transcript_part parts[4];
    uint8_t bodies[4][BODY_MAX];
    size_t count;
    uint8_t said[2048]; /* the transcript, as TLS counts it */
    size_t said_len;
    uint8_t handshake[48]; /* secret */
};

static void say(struct fixture *f, uint8_t type, struct sd_span body)
{
    uint8_t *p = f->said + f->said_len;
    p[0] = type;
    p[1] = 0;
    p[2] = (uint8_t)(body.len >> 8);
    p[3] = (uint8_t)body.len;
    memcpy(p + 4, body.p, body.len);
    f->said_len += 4 + body.len;
}

static void hash_said(const struct fixture *f, uint8_t *out)
{
    assert_int_equal(EVP_Digest(f->said, f->said_len, out, NULL, f->suite->md(), NULL), 1);
}

static void put_part(struct fixture *f, uint8_t type, struct sd_span body)
{
    memcpy(f->bodies[f->count], body.p, body.len);
    f->parts[f->count] = (struct sd_transcript_part){
        .type = type, .message_seq = 77, .body = {f->bodies[f->count], body.len}};
    f->count++;
}

static size_t server_hello(const struct fixture *f, bool share, uint8_t *body)
{
    struct sd_wr w = sd_wr_init(body, BODY_MAX);
    sd_wr_u16(&w, SD_DTLS_1_2);
    sd_wr_bytes(&w, server_random, 32);
    sd_wr_u8(&w, 0);
    sd_wr_u16(&w, f->suite->number);
    sd_wr_u8(&w, 0);
    size_t block = sd_wr_open(&w, 2);
    sd_wr_bytes(&w, "\0\x2b\0\2\xfe\xfc\0\x29\0\2\0\0", 12);
    sd_wr_bytes(&w, "\0\x33\0\2\0\x1d", share ? 6 : 0);
    sd_wr_close(&w, block, 2);
    return sd_wr_len(&w);
}

static struct sd_unprotect_params params_of(const struct fixture *f)
{
    return (struct sd_unprotect_params){.client_random = client_random,
                                        .server_random = server_random,
                                        .version = SD_DTLS_1_3,
                                        .suite = f->suite->number,
                                        .transcript = f->parts,
                                        .transcript_count = f->count};
}

/* The handshake secret, from the key and nothing else. */
static void schedule(struct fixture *f)
{
    uint8_t early[48], salt[48], empty[48];
    const struct suite *s = f->suite;
    extract(s, zeros, (struct sd_span){psk, sizeof psk}, early);
    assert_int_equal(EVP_Digest("", 0, empty, NULL, s->md(), NULL), 1);
    expand(s, early, "derived", empty, salt, s->hash);
    extract(s, salt, (struct sd_span){zeros, s->hash}, f->handshake);
}

/* The hellos; with `retry` a ClientHello and a HelloRetryRequest before them. */
static void fixture_init(struct fixture *f, const struct suite *s, bool retry, bool share)
{
    static const uint8_t hello[] = "one hello", second[] = "another hello", again[] = "retry";
    uint8_t body[BODY_MAX], hash[48];
    *f = (struct fixture){.suite = s, .secrets = sd_secrets_new()};
    if (retry) {
        say(f, 1, (struct sd_span){hello, sizeof hello});
        hash_said(f, hash);
        f->said_len = 0;
        say(f, 254, (struct sd_span){hash, s->hash});
        say(f, 2, (struct sd_span){again, sizeof again});
        put_part(f, 1, (struct sd_span){hello, sizeof hello});
        put_part(f, 2, (struct sd_span){again, sizeof again});
    }
    say(f, 1, (struct sd_span){second, sizeof second});
    put_part(f, 1, (struct sd_span){second, sizeof second});
    size_t len = server_hello(f, share, body);
    say(f, 2, (struct sd_span){body, len});
    put_part(f, 2, (struct sd_span){body, len});
    schedule(f);
    assert_true(sd_secrets_add_psk(f->secrets, (struct sd_span){other, sizeof other}));
    assert_true(sd_secrets_add_psk(f->secrets, (struct sd_span){psk, sizeof psk}));
    f->u = sd_unseal_hooks(f->secrets);
    const struct sd_unprotect_params p = params_of(f);
    f->keys = f->u.begin(f->u.arg, &p);
}

static void fixture_fini(struct fixture *f)
{
    f->u.end(f->keys);
    sd_secrets_free(f->secrets);
    assert_int_equal(ERR_peek_error(), 0);
}

/* The first record of an epoch, with this traffic secret, opens to "hi". */
static bool opens(struct fixture *f, bool from_server, unsigned epoch, const uint8_t *secret)
{
    static uint8_t out[SD_RECORD_BODY_MAX];
    uint8_t wire[64] = {0}, key[32], iv[12], sn[32], mask[16];
    const struct suite *s = f->suite;
    expand(s, secret, "key", NULL, key, s->key);
    expand(s, secret, "iv", NULL, iv, sizeof iv);
    expand(s, secret, "sn", NULL, sn, s->key);
    wire[0] = (uint8_t)(0x2c | epoch); /* 16-bit number, length */
    wire[4] = 3 + 16;
    seal_aead(s->cipher, key, iv, 16, (struct sd_span){wire, 5},
              (struct sd_span){(const uint8_t *)"hi\x17", 3}, wire + 5);
    seal_plain(s->mask, sn, NULL, wire + 5, 16, mask);
    wire[1] ^= mask[0];
    wire[2] ^= mask[1];
    struct sd_record rec = only_record(wire, 5 + 3 + 16, 0), plain;
    return f->u.open(f->keys, from_server, &rec, out, &plain) && plain.body.len == 2 &&
           !memcmp(plain.body.p, "hi", 2) && plain.epoch == epoch;
}

static void derive(const struct fixture *f, const uint8_t *secret, const char *label, uint8_t *out)
{
    uint8_t hash[48];
    hash_said(f, hash);
    expand(f->suite, secret, label, hash, out, f->suite->hash);
}

static void the_keys_of_the_handshake_follow(void **state)
{
    (void)state;
    for (size_t i = 0; i < SUITES; i++)
        for (int retry = 0; retry < 2; retry++) {
            struct fixture f;
            uint8_t secret[48];
            fixture_init(&f, &suites[i], retry, false);
            assert_non_null(f.keys);
            assert_true(f.u.from_psk(f.keys));
            derive(&f, f.handshake, "s hs traffic", secret);
            assert_true(opens(&f, true, 2, secret));
            assert_false(opens(&f, false, 2, secret));
            derive(&f, f.handshake, "c hs traffic", secret);
            assert_true(opens(&f, false, 2, secret));
            fixture_fini(&f);
        }
}

static void those_of_application_data_follow_the_finished(void **state)
{
    static const uint8_t extensions[] = {0, 0}, finished[32] = {9, 9};
    (void)state;
    for (size_t i = 0; i < SUITES; i++) {
        struct fixture f;
        uint8_t secret[48], salt[48], master[48], empty[48];
        const struct suite *s = &suites[i];
        fixture_init(&f, s, false, false);
        derive(&f, f.handshake, "s hs traffic", secret);
        assert_true(opens(&f, true, 2, secret));
        /* A Finished before its time, and what the client says, change nothing. */
        f.u.message(f.keys, true, 20, (struct sd_span){finished, sizeof finished});
        f.u.message(f.keys, false, 8, (struct sd_span){finished, 5});
        f.u.message(f.keys, true, 8, (struct sd_span){extensions, sizeof extensions});
        f.u.message(f.keys, true, 8, (struct sd_span){extensions, sizeof extensions});
        f.u.message(f.keys, true, 20, (struct sd_span){finished, sizeof finished});
        say(&f, 8, (struct sd_span){extensions, sizeof extensions});
        say(&f, 20, (struct sd_span){finished, sizeof finished});
        assert_int_equal(EVP_Digest("", 0, empty, NULL, s->md(), NULL), 1);
        expand(s, f.handshake, "derived", empty, salt, s->hash);
        extract(s, salt, (struct sd_span){zeros, s->hash}, master);
        derive(&f, master, "s ap traffic", secret);
        assert_true(opens(&f, true, 3, secret));
        derive(&f, master, "c ap traffic", secret);
        assert_true(opens(&f, false, 3, secret));
        f.u.message(f.keys, true, 20, (struct sd_span){finished, sizeof finished});
        fixture_fini(&f);
    }
}

static void a_key_share_or_a_gap_leaves_no_keys(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f, &suites[0], false, true);
    assert_null(f.keys);
    f.count = 0;
    const struct sd_unprotect_params p = params_of(&f);
    assert_null(f.u.begin(f.u.arg, &p));
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_of_the_handshake_follow),
        cmocka_unit_test(those_of_application_data_follow_the_finished),
        cmocka_unit_test(a_key_share_or_a_gap_leaves_no_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
