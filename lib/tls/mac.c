/* HMAC-SHA-256 of the cookies, and random bytes. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tls/context.h"

/* The context and, inside it, the key are kept: setting a key costs two of the
 * four hash blocks of a cookie, and one of two secrets is used nearly always. */
struct sd_tls_mac {
#ifdef SD_HAVE_EVP_MAC
    EVP_MAC_CTX *ctx;
#else
    HMAC_CTX *ctx;
#endif
    uint8_t key[32];
    bool keyed;
};

#ifdef SD_HAVE_EVP_MAC
static EVP_MAC_CTX *context_new(void)
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

static void context_free(EVP_MAC_CTX *ctx)
{
    EVP_MAC_CTX_free(ctx);
}

static bool sum(EVP_MAC_CTX *ctx, const uint8_t *key, const uint8_t *data, size_t len,
                uint8_t out[32])
{
    size_t n = 0;
    return EVP_MAC_init(ctx, key, key ? 32 : 0, NULL) && EVP_MAC_update(ctx, data, len) &&
           EVP_MAC_final(ctx, out, &n, 32) && n == 32;
}
#else
static HMAC_CTX *context_new(void)
{
    return HMAC_CTX_new();
}

static void context_free(HMAC_CTX *ctx)
{
    HMAC_CTX_free(ctx);
}

static bool sum(HMAC_CTX *ctx, const uint8_t *key, const uint8_t *data, size_t len, uint8_t out[32])
{
    unsigned n = 0;
    return HMAC_Init_ex(ctx, key, key ? 32 : 0, key ? EVP_sha256() : NULL, NULL) &&
           HMAC_Update(ctx, data, len) && HMAC_Final(ctx, out, &n) && n == 32;
}
#endif

struct sd_tls_mac *sd_tls_mac_new(void)
{
    struct sd_tls_mac *m = calloc(1, sizeof *m);
    if (m && (m->ctx = context_new()))
        return m;
    free(m);
    ERR_clear_error();
    return NULL;
}

void sd_tls_mac_free(struct sd_tls_mac *m)
{
    if (!m)
        return;
    context_free(m->ctx);
    OPENSSL_cleanse(m, sizeof *m);
    free(m);
}

void sd_tls_mac_sum(void *mac, const uint8_t key[32], const uint8_t *data, size_t len,
                    uint8_t out[32])
{
    struct sd_tls_mac *m = mac;
    bool same = m->keyed && CRYPTO_memcmp(m->key, key, sizeof m->key) == 0;
    if (!same)
        memcpy(m->key, key, sizeof m->key);
    m->keyed = sum(m->ctx, same ? NULL : key, data, len, out);
    if (m->keyed)
        return;
    /* Nobody may guess the cookie of a failure (no memory): then it is noise,
     * and the client is told to come back. */
    ERR_clear_error();
    (void)!getrandom(out, 32, 0); /* cannot fail for so few bytes (getrandom(2)) */
}

bool sd_tls_random(void *out, size_t len)
{
    bool ok = len <= INT_MAX && RAND_bytes(out, (int)len) == 1;
    ERR_clear_error();
    return ok;
}
