/* SPDX-License-Identifier: MIT */
/* lib/unseal/keys12.c: connection ids (RFC 9146), which OpenSSL does not send, and records
 * at the edges. */
#include "unseal_seal.h"

#include "unseal/prf.h"
#include "wire/handshake.h"

static const uint8_t client_random[32] = {1, 2, 3}, server_random[32] = {4, 5, 6};
static const uint8_t master[48] = {7, 8, 9};
static const uint8_t cid[] = {0xc1, 0xd2, 0xe3};
enum { SEQ = 0x0102, GCM = 0x00a8, CCM_8 = 0xc0a8, CHACHA = 0xccab, NONE = 0x00b0 };

struct cbc {
    uint16_t suite;
    const char *cipher, *mac;
    size_t key_len, block, mac_len;
};

static const struct cbc cbc_suites[] = {
    {0x00ae, "aes-128-cbc", "SHA256", 16, 16, 32},
    {0x008b, "des-ede3-cbc", "SHA", 24, 8, 20},
    {0xc094, "camellia-128-cbc", "SHA256", 16, 16, 32},
    {0xc064, "aria-128-cbc", "SHA256", 16, 16, 32},
};
enum { CBC_SUITES = sizeof cbc_suites / sizeof *cbc_suites };

struct fixture {
    struct sd_secrets *secrets;
    struct sd_unprotect u;
    void *keys;
    uint8_t block[160]; /* of the keys */
    uint8_t wire[SEALED_MAX];
    size_t len;
};

static void fixture_init(struct fixture *f, uint16_t suite, bool etm)
{
    uint8_t seed[64];
    const struct sd_unprotect_params p = {.client_random = client_random,
                                          .server_random = server_random,
                                          .version = SD_DTLS_1_2,
                                          .suite = suite,
                                          .encrypt_then_mac = etm};
    memcpy(seed, server_random, 32);
    memcpy(seed + 32, client_random, 32);
    *f = (struct fixture){.secrets = sd_secrets_new()};
    add_secret(f->secrets, "CLIENT_RANDOM", client_random, master, sizeof master);
    f->u = sd_unseal_hooks(f->secrets);
    f->keys = f->u.begin(f->u.arg, &p);
    assert_non_null(f->keys);
    assert_true(sd_prf("SHA256", (struct sd_span){master, 48}, "key expansion",
                       (struct sd_span){seed, 64}, f->block, sizeof f->block));
}

static void fixture_fini(struct fixture *f)
{
    f->u.end(f->keys);
    sd_secrets_free(f->secrets);
    assert_int_equal(ERR_peek_error(), 0);
}

/* The header on the wire, and what RFC 5246 or RFC 9146 section 5 authenticates. */
static size_t start(struct fixture *f, bool with_cid, size_t body, size_t content, uint8_t aad[64])
{
    struct sd_wr w = sd_wr_init(f->wire, sizeof f->wire), a = sd_wr_init(aad, 64);
    static const uint8_t epoch_and_seq[] = {0, 1, 0, 0, 0, 0, SEQ >> 8, SEQ & 0xff};
    static const uint8_t cid_start[] = {255, 255, 255, 255, 255, 255, 255,
                                        255, 25,  3,   25,  254, 253};
    static const uint8_t type_version[] = {23, 254, 253};
    sd_wr_bytes(&w, with_cid ? "\x19\xfe\xfd" : "\x17\xfe\xfd", 3);
    sd_wr_bytes(&w, epoch_and_seq, 8);
    if (with_cid) {
        sd_wr_bytes(&w, cid, sizeof cid);
        sd_wr_bytes(&a, cid_start, sizeof cid_start);
        sd_wr_bytes(&a, epoch_and_seq, 8);
        sd_wr_bytes(&a, cid, sizeof cid);
    } else {
        sd_wr_bytes(&a, epoch_and_seq, 8);
        sd_wr_bytes(&a, type_version, 3);
    }
    sd_wr_u16(&w, (uint16_t)body);
    sd_wr_u16(&a, (uint16_t)content);
    f->len = sd_wr_len(&w) + body;
    assert_true(sd_wr_len(&w) && f->len <= sizeof f->wire);
    return sd_wr_len(&a);
}

/* A record of the server, whose keys are the second of each kind. */
static void make_aead(struct fixture *f, const char *cipher, size_t tag, bool with_cid,
                      struct sd_span text)
{
    bool chacha = strstr(cipher, "chacha");
    size_t key = chacha ? 32 : 16, explicit_len = chacha ? 0 : 8;
    uint8_t aad[64], nonce[12];
    size_t body = explicit_len + text.len + tag;
    size_t aad_len = start(f, with_cid, body, text.len, aad);
    uint8_t *to = f->wire + f->len - body;
    memcpy(nonce, f->block + 2 * key + (chacha ? 12 : 4), sizeof nonce);
    if (chacha) {
        nonce[5] ^= 1; /* the epoch */
        nonce[10] ^= SEQ >> 8;
        nonce[11] ^= SEQ & 0xff;
    } else {
        memset(nonce + 4, 0x77, 8);
        memset(to, 0x77, 8);
    }
    seal_aead(cipher, f->block + key, nonce, (int)tag, (struct sd_span){aad, aad_len}, text,
              to + explicit_len);
}

/* `padding` comes last in what is encrypted, and fills its blocks. */
static void make_padded_cbc(struct fixture *f, const struct cbc *c, bool etm, bool with_cid,
                            struct sd_span text, struct sd_span padding)
{
    uint8_t aad[64], inner[256], mac[48], *iv;
    size_t unpadded = text.len + (etm ? 0 : c->mac_len), padded = unpadded + padding.len;
    size_t sealed = c->block + padded, body = sealed + (etm ? c->mac_len : 0);
    size_t aad_len = start(f, with_cid, body, etm ? sealed : text.len, aad);
    const struct sd_span key = {f->block + c->mac_len, c->mac_len};
    struct sd_span parts[2] = {{aad, aad_len}, text};
    iv = f->wire + f->len - body;
    memset(iv, 0x55, c->block);
    memcpy(inner, text.p, text.len);
    if (!etm) {
        assert_true(sd_prf_hmac(c->mac, key, parts, 2, mac));
        memcpy(inner + text.len, mac, c->mac_len);
    }
    memcpy(inner + unpadded, padding.p, padding.len);
    seal_plain(c->cipher, f->block + 2 * c->mac_len + c->key_len, iv, inner, padded, iv + c->block);
    if (etm) {
        parts[1] = (struct sd_span){iv, sealed};
        assert_true(sd_prf_hmac(c->mac, key, parts, 2, mac));
        memcpy(iv + sealed, mac, c->mac_len);
    }
}

static void make_cbc(struct fixture *f, const struct cbc *c, bool etm, bool with_cid,
                     struct sd_span text)
{
    uint8_t padding[16];
    size_t pad = c->block - 1 - (text.len + (etm ? 0 : c->mac_len)) % c->block;
    memset(padding, (int)pad, sizeof padding);
    make_padded_cbc(f, c, etm, with_cid, text, (struct sd_span){padding, pad + 1});
}

static bool opens(struct fixture *f, struct sd_record *plain, uint8_t *out)
{
    struct sd_records it = sd_records_init(f->wire, f->len, sizeof cid);
    struct sd_record rec;
    return sd_record_next(&it, &rec) == SD_RECORD_OK && f->u.open(f->keys, true, &rec, out, plain);
}

static void assert_opens(struct fixture *f, uint8_t type, const char *text, size_t len)
{
    static uint8_t out[SD_RECORD_BODY_MAX];
    struct sd_record plain;
    assert_true(opens(f, &plain, out));
    assert_int_equal(plain.type, type);
    assert_int_equal(plain.epoch, 1);
    assert_int_equal(plain.seq, SEQ);
    assert_int_equal(plain.body.len, len);
    assert_memory_equal(plain.body.p, text, len);
    for (size_t i = 0; i < f->len; i++) {
        f->wire[i] ^= 0x80;
        assert_false(opens(f, &plain, out));
        f->wire[i] ^= 0x80;
    }
}

/* Content, its type, and zeros. */
static const struct sd_span inner = {(const uint8_t *)"hello\x16\0\0", 8};

static void records_with_a_connection_id_open_and_have_their_real_type(void **state)
{
    static const struct {
        uint16_t suite;
        const char *cipher;
        size_t tag;
    } kinds[] = {
        {GCM, "aes-128-gcm", 16}, {CCM_8, "aes-128-ccm", 8}, {CHACHA, "chacha20-poly1305", 16}};
    struct fixture f;
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        fixture_init(&f, kinds[i].suite, false);
        make_aead(&f, kinds[i].cipher, kinds[i].tag, true, inner);
        assert_opens(&f, SD_CT_HANDSHAKE, "hello", 5);
        fixture_fini(&f);
    }
    for (size_t i = 0; i < 2 * CBC_SUITES; i++) {
        if (!EVP_get_cipherbyname(cbc_suites[i / 2].cipher))
            continue; /* left out of this OpenSSL */
        fixture_init(&f, cbc_suites[i / 2].suite, i % 2);
        make_cbc(&f, &cbc_suites[i / 2], i % 2, true, inner);
        assert_opens(&f, SD_CT_HANDSHAKE, "hello", 5);
        fixture_fini(&f);
    }
}

static void a_record_of_zeros_has_no_type_and_does_not_open(void **state)
{
    static uint8_t out[SD_RECORD_BODY_MAX];
    const struct sd_span zeros[] = {{(const uint8_t *)"\0\0\0", 3}, {(const uint8_t *)"", 0}};
    struct sd_record plain;
    struct fixture f;
    (void)state;
    fixture_init(&f, GCM, false);
    for (int i = 0; i < 2; i++) {
        make_aead(&f, "aes-128-gcm", 16, true, zeros[i]);
        assert_false(opens(&f, &plain, out));
    }
    fixture_fini(&f);
}

static void empty_records_open_when_their_tag_is_right(void **state)
{
    const struct sd_span none = {(const uint8_t *)"", 0};
    struct fixture f;
    (void)state;
    fixture_init(&f, GCM, false);
    make_aead(&f, "aes-128-gcm", 16, false, none);
    assert_opens(&f, SD_CT_APPDATA, "", 0);
    fixture_fini(&f);
    fixture_init(&f, CCM_8, false);
    make_aead(&f, "aes-128-ccm", 8, false, none);
    assert_opens(&f, SD_CT_APPDATA, "", 0);
    fixture_fini(&f);
    for (size_t i = 0; i < 2 * CBC_SUITES; i++) {
        if (!EVP_get_cipherbyname(cbc_suites[i / 2].cipher))
            continue; /* left out of this OpenSSL */
        fixture_init(&f, cbc_suites[i / 2].suite, i % 2);
        make_cbc(&f, &cbc_suites[i / 2], i % 2, false, none);
        assert_opens(&f, SD_CT_APPDATA, "", 0);
        fixture_fini(&f);
    }
}

/* Bodies of every length up to a few blocks, filled with what padding looks like. */
static void rubbish_of_any_length_opens_nothing(void **state)
{
    static const uint16_t suites[] = {GCM, CCM_8, CHACHA, 0x00ae, NONE};
    static uint8_t out[SD_RECORD_BODY_MAX];
    uint8_t aad[64];
    struct sd_record plain;
    struct fixture f;
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof suites / sizeof *suites); i++) {
        fixture_init(&f, suites[i / 2], i % 2);
        for (size_t len = 0; len < 200; len++) {
            start(&f, len % 2, len, 0, aad);
            memset(f.wire + f.len - len, (int)len, len);
            assert_false(opens(&f, &plain, out));
        }
        fixture_fini(&f);
    }
}

/* Though the MAC is right: whom it was sent to rejects it, too. */
static void wrong_padding_does_not_open(void **state)
{
    static uint8_t out[SD_RECORD_BODY_MAX];
    uint8_t padding[8] = {7, 7, 7, 7, 7, 7, 7, 7};
    struct sd_record plain;
    struct fixture f;
    (void)state;
    for (int etm = 0; etm < 2; etm++) {
        fixture_init(&f, 0x00ae, etm);
        for (size_t i = 0; i <= sizeof padding; i++) {
            padding[i % 8] ^= i < 8;
            make_padded_cbc(&f, &cbc_suites[0], etm, true, inner, (struct sd_span){padding, 8});
            assert_int_equal(opens(&f, &plain, out), i == 8);
            padding[i % 8] ^= i < 8;
        }
        fixture_fini(&f);
    }
}

static void padding_longer_than_its_record_does_not_open(void **state)
{
    static uint8_t room[64 + SD_RECORD_BODY_MAX];
    uint8_t padding[16];
    struct sd_record plain;
    struct fixture f;
    (void)state;
    fixture_init(&f, 0x00ae, true);
    for (int pad = 16; pad < 32; pad++) { /* what is before the output looks like more of it */
        memset(room, pad, sizeof room);
        memset(padding, pad, sizeof padding);
        make_padded_cbc(&f, &cbc_suites[0], true, false, (struct sd_span){padding, 0},
                        (struct sd_span){padding, 16});
        assert_false(opens(&f, &plain, room + 64));
    }
    fixture_fini(&f);
}

static void plaintext_and_unified_records_do_not_open(void **state)
{
    static uint8_t out[SD_RECORD_BODY_MAX];
    struct sd_record plain;
    struct fixture f;
    (void)state;
    fixture_init(&f, GCM, false);
    make_aead(&f, "aes-128-gcm", 16, false, inner);
    struct sd_record rec = only_record(f.wire, f.len, 0);
    rec.unified = true;
    assert_false(f.u.open(f.keys, true, &rec, out, &plain));
    rec.unified = false;
    assert_true(f.u.open(f.keys, true, &rec, out, &plain));
    rec.epoch = 0;
    assert_false(f.u.open(f.keys, true, &rec, out, &plain));
    fixture_fini(&f);
}

/* RFC 4346 section 5: the halves of an odd secret share the byte in the middle. */
static void halves_of_an_odd_secret_overlap(void **state)
{
    (void)state;
    uint8_t odd[40], even[40];
    const struct sd_span seed = {(const uint8_t *)"seed", 4};
    assert_true(
        sd_prf(NULL, (struct sd_span){(const uint8_t *)"abc", 3}, "label", seed, odd, sizeof odd));
    assert_true(sd_prf(NULL, (struct sd_span){(const uint8_t *)"abbc", 4}, "label", seed, even,
                       sizeof even));
    assert_memory_equal(odd, even, sizeof odd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_of_an_odd_secret_overlap),
        cmocka_unit_test(records_with_a_connection_id_open_and_have_their_real_type),
        cmocka_unit_test(a_record_of_zeros_has_no_type_and_does_not_open),
        cmocka_unit_test(empty_records_open_when_their_tag_is_right),
        cmocka_unit_test(rubbish_of_any_length_opens_nothing),
        cmocka_unit_test(wrong_padding_does_not_open),
        cmocka_unit_test(padding_longer_than_its_record_does_not_open),
        cmocka_unit_test(plaintext_and_unified_records_do_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
