/* SPDX-License-Identifier: MIT */
#include "unseal/opener.h"

#include <openssl/crypto.h>
#include <string.h>

bool sd_opener_init(struct sd_opener *o, const struct sd_suite *suite)
{
    *o = (struct sd_opener){.suite = suite};
    if (suite->kind == SD_SUITE_NULL)
        return true;
    const EVP_CIPHER *cipher = EVP_get_cipherbyname(suite->cipher);
    o->ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;
    if (o->ctx && EVP_DecryptInit_ex(o->ctx, cipher, NULL, NULL, NULL) > 0)
        return true;
    sd_opener_fini(o);
    return false;
}

void sd_opener_fini(struct sd_opener *o)
{
    EVP_CIPHER_CTX_free(o->ctx);
    OPENSSL_cleanse(o, sizeof *o);
}

void sd_opener_nonce(const struct sd_opener *o, uint64_t number, uint8_t nonce[SD_NONCE_LEN])
{
    memcpy(nonce, o->iv, SD_NONCE_LEN);
    for (size_t i = 0; i < 8; i++)
        nonce[SD_NONCE_LEN - 1 - i] ^= (uint8_t)(number >> 8 * i);
}

static bool update(EVP_CIPHER_CTX *ctx, uint8_t *out, int *n, const uint8_t *in, size_t len)
{
    static const uint8_t none;
    return EVP_DecryptUpdate(ctx, out, n, len ? in : &none, (int)len) > 0;
}

/* CCM wants the tag and the whole length before anything else, and has no final step:
 * its only update fails when the tag is wrong. */
static bool ccm(EVP_CIPHER_CTX *ctx, struct sd_span aad, struct sd_span text, uint8_t *out,
                size_t *len)
{
    int n = 0;
    if (EVP_DecryptUpdate(ctx, NULL, &n, NULL, (int)text.len) <= 0 ||
        !update(ctx, NULL, &n, aad.p, aad.len) || !update(ctx, out, &n, text.p, text.len))
        return false;
    *len = (size_t)n;
    return true;
}

static bool other_aead(EVP_CIPHER_CTX *ctx, struct sd_span aad, struct sd_span text, uint8_t *out,
                       size_t *len)
{
    int n = 0, rest = 0;
    if (!update(ctx, NULL, &n, aad.p, aad.len) || !update(ctx, out, &n, text.p, text.len) ||
        EVP_DecryptFinal_ex(ctx, out + n, &rest) <= 0)
        return false;
    *len = (size_t)(n + rest);
    return true;
}

bool sd_opener_aead(struct sd_opener *o, const uint8_t nonce[static SD_NONCE_LEN],
                    struct sd_span aad, struct sd_span sealed, uint8_t *out, size_t *len)
{
    EVP_CIPHER_CTX *ctx = o->ctx;
    size_t tag_len = o->suite->tag_len;
    if (sealed.len < tag_len)
        return false;
    struct sd_rd rd = sd_rd_init(sealed.p, sealed.len);
    struct sd_span text = sd_rd_bytes(&rd, sealed.len - tag_len);
    uint8_t tag[16];
    memcpy(tag, rd.p, tag_len);
    if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, SD_NONCE_LEN, NULL) <= 0 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)tag_len, tag) <= 0 ||
        EVP_DecryptInit_ex(ctx, NULL, NULL, o->key, nonce) <= 0)
        return false;
    return o->suite->kind == SD_SUITE_CCM ? ccm(ctx, aad, text, out, len)
                                          : other_aead(ctx, aad, text, out, len);
}

bool sd_opener_cbc(struct sd_opener *o, struct sd_span data, uint8_t *out, size_t *len)
{
    struct sd_rd rd = sd_rd_init(data.p, data.len);
    struct sd_span iv = sd_rd_bytes(&rd, o->suite->block_len), text = sd_rd_rest(&rd);
    int n = 0;
    if (!text.len || EVP_DecryptInit_ex(o->ctx, NULL, NULL, o->key, iv.p) <= 0 ||
        EVP_CIPHER_CTX_set_padding(o->ctx, 0) <= 0 || !update(o->ctx, out, &n, text.p, text.len))
        return false;
    *len = (size_t)n;
    return *len == text.len; /* less when the length is not a multiple of the block */
}

bool sd_opener_mac_ok(const struct sd_opener *o, const struct sd_span *parts, size_t count,
                      struct sd_span mac)
{
    uint8_t own[SD_DIGEST_MAX];
    size_t len = sd_prf_digest_len(o->suite->mac);
    return mac.len == len &&
           sd_prf_hmac(o->suite->mac, (struct sd_span){o->mac_key, len}, parts, count, own) &&
           CRYPTO_memcmp(own, mac.p, len) == 0;
}

bool sd_opener_inner_type(const uint8_t *data, size_t *len, uint8_t *type)
{
    size_t n = *len;
    while (n && !data[n - 1])
        n--;
    if (!n)
        return false;
    *type = data[n - 1];
    *len = n - 1;
    return true;
}
