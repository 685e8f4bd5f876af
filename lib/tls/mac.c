/* SPDX-License-Identifier: MIT */
#include "tls/mac.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

#ifdef SD_HAVE_EVP_MAC
typedef EVP_MAC_CTX mac_context;
#else
typedef HMAC_CTX mac_context;
#endif

/* A context with its key inside: setting a key costs two of the four hash blocks of a cookie. */
struct keyed {
    mac_context *ctx;
    uint8_t key[32];
    bool set;
};

/* One for each secret of the gate: a forged cookie is compared under both, and neither key has
 * to be set again. */
struct sd_tls_mac {
    struct keyed slot[2];
    unsigned oldest; /* the slot to give up */
};

#ifdef SD_HAVE_EVP_MAC
static mac_context *context_new(void)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    if (ctx && EVP_MAC_CTX_set_params(ctx, params))
        return ctx;
    EVP_MAC_CTX_free(ctx);
    return NULL;
}

static void context_free(mac_context *ctx)
{
    EVP_MAC_CTX_free(ctx);
}

static bool mac_sum(mac_context *ctx, const uint8_t *key, const uint8_t *data, size_t len,
                    uint8_t out[32])
{
    size_t n = 0;
    return EVP_MAC_init(ctx, key, key ? 32 : 0, NULL) && EVP_MAC_update(ctx, data, len) &&
           EVP_MAC_final(ctx, out, &n, 32) && n == 32;
}
#else
static mac_context *context_new(void)
{
    return HMAC_CTX_new();
}

static void context_free(mac_context *ctx)
{
    HMAC_CTX_free(ctx);
}

static bool mac_sum(mac_context *ctx, const uint8_t *key, const uint8_t *data, size_t len,
                    uint8_t out[32])
{
    unsigned n = 0;
    return HMAC_Init_ex(ctx, key, key ? 32 : 0, key ? EVP_sha256() : NULL, NULL) &&
           HMAC_Update(ctx, data, len) && HMAC_Final(ctx, out, &n) && n == 32;
}
#endif

struct sd_tls_mac *sd_tls_mac_new(void)
{
    struct sd_tls_mac *m = calloc(1, sizeof *m);
    if (m && (m->slot[0].ctx = context_new()) && (m->slot[1].ctx = context_new()))
        return m;
    sd_tls_mac_free(m);
    ERR_clear_error();
    return NULL;
}

void sd_tls_mac_free(struct sd_tls_mac *m)
{
    if (!m)
        return;
    context_free(m->slot[0].ctx);
    context_free(m->slot[1].ctx);
    OPENSSL_cleanse(m, sizeof *m);
    free(m);
}

static bool has_key(const struct keyed *k, const uint8_t key[32])
{
    return k->set && CRYPTO_memcmp(k->key, key, sizeof k->key) == 0;
}

static bool keyed_sum(struct sd_tls_mac *m, const uint8_t key[32], const uint8_t *data, size_t len,
                      uint8_t out[32])
{
    for (unsigned i = 0; i < 2; i++)
        if (has_key(&m->slot[i], key)) {
            m->oldest = !i;
            return mac_sum(m->slot[i].ctx, NULL, data, len, out);
        }
    struct keyed *k = &m->slot[m->oldest];
    m->oldest = !m->oldest;
    memcpy(k->key, key, sizeof k->key);
    k->set = mac_sum(k->ctx, key, data, len, out);
    return k->set;
}

void sd_tls_mac_sum(void *mac, const uint8_t key[32], const uint8_t *data, size_t len,
                    uint8_t out[32])
{
    if (keyed_sum(mac, key, data, len, out))
        return;
    /* Out of memory: a fixed cookie could be guessed, so it is random. The client's next
     * ClientHello then gets another cookie. */
    ERR_clear_error();
    (void)!sd_random(out, 32); /* cannot fail for 32 bytes (getrandom(2)) */
}
