/* SPDX-License-Identifier: MIT */
/* Methods of one version are deprecated, but DTLSv1_listen() has a path of its own for them. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include "openssl/ossl_contexts.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "harness/common.h"
#include "openssl/ossl_env.h"

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

SSL_CTX *ossl_context_odd(bool tls)
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

SSL_CTX *ossl_context_server(void)
{
    static SSL_CTX *ctx;
    uint8_t keys[80] = {1}; /* keys of tickets */
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

SSL_CTX *ossl_context_client(void)
{
    static SSL_CTX *ctx;
    if (ctx)
        return ctx;
    ctx = context_new();
    SSL_CTX_set_psk_client_callback(ctx, psk_of_client);
    return ctx;
}

/* The contexts are made once, with other random numbers than a run gets. */
void ossl_contexts_reset(void)
{
    ossl_env_begin(1);
    ossl_context_server();
    ossl_context_client();
    ossl_context_odd(false);
    ossl_context_odd(true);
    ossl_env_begin(3);
}
