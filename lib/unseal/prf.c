/* SPDX-License-Identifier: MIT */
#include "unseal/prf.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

struct digest {
    const char *name, *ossl;
    size_t len;
};

static const struct digest *digest_of(const char *name)
{
    static const struct digest known[] = {{"MD5", "MD5", 16},
                                          {"SHA", "SHA1", 20},
                                          {"SHA256", "SHA256", 32},
                                          {"SHA384", "SHA384", 48}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

size_t sd_prf_digest_len(const char *digest)
{
    const struct digest *d = digest_of(digest);
    return d ? d->len : 0;
}

static bool sign(EVP_MD_CTX *ctx, const EVP_MD *md, EVP_PKEY *key, const struct sd_span *parts,
                 size_t count, uint8_t *out)
{
    size_t n = SD_DIGEST_MAX;
    bool ok = ctx && md && key && EVP_DigestSignInit(ctx, NULL, md, NULL, key) > 0;
    for (size_t i = 0; ok && i < count; i++)
        ok = !parts[i].len || EVP_DigestSignUpdate(ctx, parts[i].p, parts[i].len) > 0;
    return ok && EVP_DigestSignFinal(ctx, out, &n) > 0;
}

bool sd_prf_hmac(const char *digest, struct sd_span key, const struct sd_span *parts, size_t count,
                 uint8_t out[static SD_DIGEST_MAX])
{
    const struct digest *d = digest_of(digest);
    EVP_PKEY *pkey = EVP_PKEY_new_mac_key(EVP_PKEY_HMAC, NULL, key.p, (int)key.len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = d && sign(ctx, EVP_get_digestbyname(d->ossl), pkey, parts, count, out);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return ok;
}

/* P_hash, added to what `out` holds: RFC 4346 wants the sum of two. */
static bool p_hash(const char *digest, struct sd_span secret, const struct sd_span seed[2],
                   uint8_t *out, size_t len)
{
    uint8_t a[SD_DIGEST_MAX], block[SD_DIGEST_MAX];
    size_t step = sd_prf_digest_len(digest);
    if (!step || !sd_prf_hmac(digest, secret, seed, 2, a))
        return false;
    for (size_t at = 0; at < len; at += step) {
        const struct sd_span parts[3] = {{a, step}, seed[0], seed[1]};
        if (!sd_prf_hmac(digest, secret, parts, 3, block) ||
            !sd_prf_hmac(digest, secret, parts, 1, a))
            return false;
        for (size_t i = 0; i < step && at + i < len; i++)
            out[at + i] ^= block[i];
    }
    OPENSSL_cleanse(block, sizeof block);
    return true;
}

bool sd_prf(const char *digest, struct sd_span secret, const char *label, struct sd_span seed,
            uint8_t *out, size_t len)
{
    const struct sd_span labelled[2] = {{(const uint8_t *)label, strlen(label)}, seed};
    memset(out, 0, len);
    if (digest)
        return p_hash(digest, secret, labelled, out, len);
    /* Halves of an odd length share the byte in the middle. */
    size_t half = (secret.len + 1) / 2;
    const struct sd_span first = {secret.p, half}, second = {secret.p + secret.len - half, half};
    return p_hash("MD5", first, labelled, out, len) && p_hash("SHA", second, labelled, out, len);
}

static bool expand_label(const char *digest, struct sd_span secret, const char *label,
                         struct sd_span context, uint8_t *out, size_t len)
{
    uint8_t info[96], block[SD_DIGEST_MAX];
    struct sd_wr w = sd_wr_init(info, sizeof info);
    sd_wr_u16(&w, (uint16_t)len);
    size_t mark = sd_wr_open(&w, 1);
    sd_wr_bytes(&w, "dtls13", 6);
    sd_wr_bytes(&w, label, strlen(label));
    sd_wr_close(&w, mark, 1);
    mark = sd_wr_open(&w, 1);
    sd_wr_bytes(&w, context.p, context.len);
    sd_wr_close(&w, mark, 1);
    sd_wr_u8(&w, 1); /* first and only block of RFC 5869 section 2.3 */
    const struct sd_span part = {info, sd_wr_len(&w)};
    if (!part.len || len > sd_prf_digest_len(digest) ||
        !sd_prf_hmac(digest, secret, &part, 1, block))
        return false;
    memcpy(out, block, len);
    OPENSSL_cleanse(block, sizeof block);
    return true;
}

bool sd_prf_expand_label(const char *digest, struct sd_span secret, const char *label, uint8_t *out,
                         size_t len)
{
    return expand_label(digest, secret, label, (struct sd_span){0}, out, len);
}

bool sd_prf_derive_secret(const char *digest, const uint8_t *secret, const char *label,
                          const uint8_t *hash, uint8_t *out)
{
    size_t len = sd_prf_digest_len(digest);
    return expand_label(digest, (struct sd_span){secret, len}, label, (struct sd_span){hash, len},
                        out, len);
}

bool sd_prf_digest(const char *digest, const struct sd_span *parts, size_t count,
                   uint8_t out[static SD_DIGEST_MAX])
{
    const struct digest *d = digest_of(digest);
    const EVP_MD *md = d ? EVP_get_digestbyname(d->ossl) : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && md && EVP_DigestInit_ex(ctx, md, NULL) > 0;
    for (size_t i = 0; ok && i < count; i++)
        ok = !parts[i].len || EVP_DigestUpdate(ctx, parts[i].p, parts[i].len) > 0;
    ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) > 0;
    EVP_MD_CTX_free(ctx);
    return ok;
}
