/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/seal.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/random.h"

enum { NONCE_SALT = 4, NONCE_EXPLICIT = 8, ADDITIONAL = 13, BLOCK_MAX = 16 };
/* Of a record that is too short for a nonce, a tag or a MAC. */
enum { CUT_LEN = 3 };

/* What the MAC or the tag covers beside the content (RFC 5246 section 6.2.3.3). */
static struct sd_span additional(const struct sd_record *rec, size_t len, uint8_t buf[ADDITIONAL])
{
    struct sd_wr w = sd_wr_init(buf, ADDITIONAL);
    sd_wr_u16(&w, rec->epoch);
    sd_wr_u48(&w, rec->seq);
    sd_wr_u8(&w, rec->type);
    sd_wr_u16(&w, rec->version);
    sd_wr_u16(&w, (uint16_t)len);
    return (struct sd_span){buf, sd_wr_len(&w)};
}

/* Bytes of `w` that the caller fills. */
static uint8_t *reserve(struct sd_wr *w, size_t n)
{
    if (w->bad || n > (size_t)(w->end - w->p)) {
        w->bad = true;
        return NULL;
    }
    uint8_t *at = w->p;
    w->p += n;
    return at;
}

/* --- AEAD --- */

static bool encrypt_text(EVP_CIPHER_CTX *c, const struct sd_opener *k, const uint8_t *nonce,
                         struct sd_span aad, struct sd_span text, uint8_t *out)
{
    static const uint8_t none;
    const struct sd_suite *s = k->suite;
    int n = 0, rest = 0, len = (int)text.len;
    bool ccm = s->kind == SD_SUITE_CCM;
    return EVP_EncryptInit_ex(c, EVP_get_cipherbyname(s->cipher), NULL, NULL, NULL) > 0 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, SD_NONCE_LEN, NULL) > 0 &&
           (!ccm || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, s->tag_len, NULL) > 0) &&
           EVP_EncryptInit_ex(c, NULL, NULL, k->key, nonce) > 0 &&
           (!ccm || EVP_EncryptUpdate(c, NULL, &n, NULL, len) > 0) &&
           EVP_EncryptUpdate(c, NULL, &n, aad.p, (int)aad.len) > 0 &&
           EVP_EncryptUpdate(c, out, &n, len ? text.p : &none, len) > 0 &&
           EVP_EncryptFinal_ex(c, out + n, &rest) > 0 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, s->tag_len, out + text.len) > 0;
}

static void nonce_of(const struct sd_opener *k, const struct sd_record *rec, struct sd_wr *w,
                     uint8_t nonce[SD_NONCE_LEN])
{
    uint64_t number = (uint64_t)rec->epoch << 48 | rec->seq;
    if (k->suite->kind == SD_SUITE_CHACHA) {
        sd_opener_nonce(k, number, nonce);
        return;
    }
    struct sd_wr n = sd_wr_init(nonce, SD_NONCE_LEN);
    sd_wr_bytes(&n, k->iv, NONCE_SALT);
    sd_wr_u16(&n, rec->epoch);
    sd_wr_u48(&n, rec->seq);
    sd_wr_bytes(w, nonce + NONCE_SALT, NONCE_EXPLICIT);
}

static void seal_with_tag(const struct sd_opener *k, struct sd_wr *w, const struct sd_record *rec,
                          bool spoiled)
{
    uint8_t nonce[SD_NONCE_LEN], buf[ADDITIONAL];
    nonce_of(k, rec, w, nonce);
    size_t len = rec->body.len + k->suite->tag_len;
    uint8_t *out = reserve(w, len);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    struct sd_span aad = additional(rec, rec->body.len, buf);
    if (!out || !c || !encrypt_text(c, k, nonce, aad, rec->body, out))
        w->bad = true;
    else if (spoiled)
        out[len - 1] ^= 1;
    EVP_CIPHER_CTX_free(c);
}

/* --- CBC, and MAC alone --- */

static void add_mac(const struct sd_opener *k, struct sd_wr *w, const struct sd_record *rec,
                    struct sd_span content, bool spoiled)
{
    uint8_t mac[SD_DIGEST_MAX], buf[ADDITIONAL];
    size_t len = sd_prf_digest_len(k->suite->mac);
    const struct sd_span parts[2] = {additional(rec, content.len, buf), content};
    if (!sd_prf_hmac(k->suite->mac, (struct sd_span){k->mac_key, len}, parts, 2, mac))
        w->bad = true;
    mac[0] ^= spoiled;
    sd_wr_bytes(w, mac, len);
}

static void add_cbc_padding(struct sd_wr *w, size_t block, bool spoiled)
{
    uint8_t padding[BLOCK_MAX];
    size_t n = block - sd_wr_len(w) % block;
    memset(padding, (int)n - 1, sizeof padding);
    /* A last byte that is larger than the record can be fits no padding rule. */
    padding[n - 1] = spoiled ? 0xff : padding[n - 1];
    sd_wr_bytes(w, padding, n);
}

/* Content, MAC unless it comes after encryption, padding. */
static size_t cbc_plaintext(const struct sd_opener *k, bool mac, const struct sd_record *rec,
                            enum puppet_spoil spoil, uint8_t *buf, size_t cap)
{
    struct sd_wr w = sd_wr_init(buf, cap);
    bool padding = spoil == PUPPET_SPOIL_PADDING || spoil == PUPPET_SPOIL_BOTH;
    sd_wr_bytes(&w, rec->body.p, rec->body.len);
    if (mac)
        add_mac(k, &w, rec, rec->body, spoil == PUPPET_SPOIL_MAC || spoil == PUPPET_SPOIL_BOTH);
    add_cbc_padding(&w, k->suite->block_len, padding);
    return sd_wr_len(&w);
}

static bool encrypt_blocks(const struct sd_opener *k, const uint8_t *iv, const uint8_t *in,
                           size_t len, uint8_t *out)
{
    int n = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool ok = c &&
              EVP_EncryptInit_ex(c, EVP_get_cipherbyname(k->suite->cipher), NULL, k->key, iv) > 0 &&
              EVP_CIPHER_CTX_set_padding(c, 0) > 0 &&
              EVP_EncryptUpdate(c, out, &n, in, (int)len) > 0 && (size_t)n == len;
    EVP_CIPHER_CTX_free(c);
    return ok;
}

static void seal_blocks(const struct sd_opener *k, bool etm, struct sd_wr *w,
                        const struct sd_record *rec, enum puppet_spoil spoil)
{
    uint8_t plain[SD_RECORD_BODY_MAX], iv[BLOCK_MAX];
    size_t block = k->suite->block_len, at = sd_wr_len(w);
    size_t len = cbc_plaintext(k, !etm, rec, spoil, plain, sizeof plain);
    if (!len || !sd_random(iv, block))
        w->bad = true;
    sd_wr_bytes(w, iv, block);
    uint8_t *out = reserve(w, len);
    if (!out || !encrypt_blocks(k, iv, plain, len, out))
        w->bad = true;
    if (etm && !w->bad)
        add_mac(k, w, rec, (struct sd_span){w->start + at, block + len},
                spoil == PUPPET_SPOIL_MAC || spoil == PUPPET_SPOIL_BOTH);
}

static void seal_body(const struct sd_opener *k, bool etm, struct sd_wr *w,
                      const struct sd_record *rec, enum puppet_spoil spoil)
{
    if (k->suite->kind == SD_SUITE_CBC) {
        seal_blocks(k, etm, w, rec, spoil);
    } else if (k->suite->kind == SD_SUITE_NULL) {
        sd_wr_bytes(w, rec->body.p, rec->body.len);
        add_mac(k, w, rec, rec->body, spoil != PUPPET_SOUND);
    } else {
        seal_with_tag(k, w, rec, spoil != PUPPET_SOUND);
    }
}

bool puppet_seal(const struct sd_opener *keys, bool encrypt_then_mac, struct sd_wr *w,
                 const struct sd_record *plain, enum puppet_spoil spoil)
{
    static const uint8_t cut[CUT_LEN];
    size_t mark = sd_record_open(w, plain->type, plain->version, plain->epoch, plain->seq);
    if (spoil == PUPPET_SPOIL_CUT)
        sd_wr_bytes(w, cut, sizeof cut);
    else
        seal_body(keys, encrypt_then_mac, w, plain, spoil);
    sd_record_close(w, mark);
    return !w->bad;
}
