/* RAND_METHOD is the only way to get at all random numbers of the library; it is deprecated, and
 * works, in every version up to 4.0. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include "ossl_env.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static const int64_t epoch_us = INT64_C(1700000000) * 1000000;
static int64_t now_us;
static struct fuzz_rng random_of[2];
static enum ossl_side drawing;

/* OpenSSL asks these for the time of timers, tickets and certificates. */
__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv,
                                                        void *restrict zone)
{
    (void)zone;
    tv->tv_sec = (time_t)(now_us / 1000000);
    tv->tv_usec = (suseconds_t)(now_us % 1000000);
    return 0;
}

__attribute__((visibility("default"))) time_t time(time_t *out)
{
    time_t now = (time_t)(now_us / 1000000);
    if (out)
        *out = now;
    return now;
}

static int random_bytes(unsigned char *out, int len)
{
    fuzz_random_bytes(&random_of[drawing], out, (size_t)len);
    return 1;
}

static int random_status(void)
{
    return 1;
}

static void *mem_alloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(size);
}

static void *mem_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return realloc(block, size);
}

static void mem_free(void *block, const char *file, int line)
{
    (void)file, (void)line;
    free(block);
}

static void prepare(void)
{
    static const RAND_METHOD method = {
        .bytes = random_bytes, .pseudorand = random_bytes, .status = random_status};
    static bool done;
    if (done)
        return;
    done = true;
    fuzz_check(CRYPTO_set_mem_functions(mem_alloc, mem_realloc, mem_free),
               "OpenSSL has taken memory already");
    fuzz_check(RAND_set_rand_method(&method), "OpenSSL keeps its random numbers");
    ossl_env_server();
    ossl_env_client();
    ossl_env_odd(false);
    ossl_env_odd(true);
}

void ossl_env_reset(void)
{
    now_us = epoch_us;
    random_of[OSSL_SERVER].state = 1;
    random_of[OSSL_CLIENT].state = 2;
    drawing = OSSL_SERVER;
    prepare();
    random_of[OSSL_SERVER].state = 3;
    now_us = epoch_us;
}

void ossl_env_later(unsigned ms)
{
    now_us += INT64_C(1000) * ms;
}

void ossl_env_random(enum ossl_side side)
{
    drawing = side;
}

/* --- contexts --- */

static EVP_PKEY *key_new(int type)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(type, NULL);
    EVP_PKEY *key = NULL;
    bool ok = ctx && EVP_PKEY_keygen_init(ctx) == 1;
    if (type == EVP_PKEY_EC)
        ok = ok && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) == 1;
    else /* small: it is made at each start */
        ok = ok && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 1024) == 1;
    fuzz_check(ok && EVP_PKEY_keygen(ctx, &key) == 1, "no key");
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void certify(SSL_CTX *ctx, int type)
{
    EVP_PKEY *key = key_new(type);
    X509 *x = X509_new();
    bool ok = x && X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
              X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
              X509_gmtime_adj(X509_getm_notAfter(x), 86400) && X509_set_pubkey(x, key) &&
              X509_sign(x, key, EVP_sha256());
    fuzz_check(ok && SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1,
               "no certificate");
    X509_free(x);
    EVP_PKEY_free(key);
}

static unsigned psk_of_server(SSL *ssl, const char *identity, unsigned char *psk, unsigned max)
{
    (void)ssl, (void)identity;
    if (max < 16)
        return 0;
    memset(psk, 'k', 16);
    return 16;
}

static unsigned psk_of_client(SSL *ssl, const char *hint, char *identity, unsigned id_max,
                              unsigned char *psk, unsigned max)
{
    if (id_max < 3)
        return 0;
    memcpy(identity, "me", 3);
    return psk_of_server(ssl, hint, psk, max);
}

static int take_any(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

static const SSL_METHOD *one_version(void)
{
#ifdef SD_HAVE_VERSION_METHODS
    return DTLSv1_2_method();
#else
    return DTLS_method();
#endif
}

SSL_CTX *ossl_env_odd(bool tls)
{
    static SSL_CTX *ctx[2];
    if (ctx[tls])
        return ctx[tls];
    ctx[tls] = SSL_CTX_new(tls ? TLS_method() : one_version());
    fuzz_check(ctx[tls], "no context");
    certify(ctx[tls], EVP_PKEY_EC);
    return ctx[tls];
}

static SSL_CTX *context_new(void)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    fuzz_check(ctx && SSL_CTX_set_min_proto_version(ctx, DTLS1_VERSION) == 1 &&
                   SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(ctx, "ALL:eNULL:@SECLEVEL=0") == 1,
               "no context");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, take_any);
    certify(ctx, EVP_PKEY_EC);
    return ctx;
}

SSL_CTX *ossl_env_server(void)
{
    static SSL_CTX *ctx;
    uint8_t keys[80] = {1}; /* of tickets */
    if (ctx)
        return ctx;
    ctx = context_new();
    certify(ctx, EVP_PKEY_RSA);
    SSL_CTX_set_dh_auto(ctx, 1);
    SSL_CTX_set_psk_server_callback(ctx, psk_of_server);
    SSL_CTX_use_psk_identity_hint(ctx, "who");
    SSL_CTX_set_tlsext_use_srtp(ctx, "SRTP_AES128_CM_SHA1_80");
    SSL_CTX_set_session_id_context(ctx, keys, 1);
    fuzz_check(SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof keys) == 1, "no keys of tickets");
    return ctx;
}

SSL_CTX *ossl_env_client(void)
{
    static SSL_CTX *ctx;
    if (ctx)
        return ctx;
    ctx = context_new();
    SSL_CTX_set_psk_client_callback(ctx, psk_of_client);
    return ctx;
}
