/* One process has one clock and one source of randomness for libcrypto: these are they. */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_METHOD: works from 1.1.1 to 4.0, and reaches           \
                                       everything */
#include "sim.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "common.h"
#include "ossl_env.h"

sd_time sim_now(void)
{
    return SD_SEC + ossl_env_now_us() * SD_US;
}

static EVP_PKEY *key_new(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    EVP_PKEY *key = NULL;
    fuzz_check(ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
                   EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) == 1 &&
                   EVP_PKEY_keygen(ctx, &key) == 1,
               "no key");
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* A certificate of some 2 kB: several fragments at any MTU. */
static X509 *certificate_new(EVP_PKEY *key)
{
    enum { PADDING = 1500 };
    char text[PADDING + 1];
    memset(text, 'x', PADDING);
    text[PADDING] = 0;
    X509 *x = X509_new();
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, text);
    fuzz_check(x && e && X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
                   X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
                   X509_gmtime_adj(X509_getm_notAfter(x), 10000L * 86400) &&
                   X509_set_pubkey(x, key) && X509_add_ext(x, e, -1) == 1 &&
                   X509_sign(x, key, EVP_sha256()),
               "no certificate");
    X509_EXTENSION_free(e);
    return x;
}

static const unsigned char psk[16] = "a key for tests";

static unsigned client_psk(SSL *ssl, const char *hint, char *identity, unsigned cap,
                           unsigned char *key, unsigned max)
{
    (void)ssl;
    (void)hint;
    if (cap < 2 || max < sizeof psk)
        return 0;
    memcpy(identity, "c", 2);
    memcpy(key, psk, sizeof psk);
    return sizeof psk;
}

static unsigned server_psk(SSL *ssl, const char *identity, unsigned char *key, unsigned max)
{
    (void)ssl;
    if (max < sizeof psk || strcmp(identity, "c") != 0)
        return 0;
    memcpy(key, psk, sizeof psk);
    return sizeof psk;
}

static int accept_any(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    (void)ctx;
    return 1;
}

static void set_identity(SSL_CTX *ctx)
{
    EVP_PKEY *key = key_new();
    X509 *x = certificate_new(key);
    fuzz_check(SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1,
               "OpenSSL does not take its own certificate");
    X509_free(x);
    EVP_PKEY_free(key);
}

static void set_kind(SSL_CTX *ctx, int id, enum sim_kind kind)
{
    static unsigned char tickets[80];
    const int version = kind == SIM_OLD ? DTLS1_VERSION : DTLS1_2_VERSION;
    const char *ciphers = kind == SIM_PSK   ? "PSK-AES128-GCM-SHA256"
                          : kind == SIM_OLD ? "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"
                                            : "ECDHE-ECDSA-AES128-GCM-SHA256";
    fuzz_check(SSL_CTX_set_min_proto_version(ctx, version) == 1 &&
                   SSL_CTX_set_max_proto_version(ctx, version) == 1 &&
                   SSL_CTX_set_cipher_list(ctx, ciphers) == 1,
               "OpenSSL refuses %s", ciphers);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (id == SIM_SERVER)
        SSL_CTX_set_tlsext_ticket_keys(ctx, tickets, sizeof tickets);
    if (kind == SIM_PSK) {
        SSL_CTX_set_psk_client_callback(ctx, client_psk);
        SSL_CTX_set_psk_server_callback(ctx, server_psk);
    } else if (id == SIM_SERVER || kind == SIM_MUTUAL) {
        set_identity(ctx);
    }
    SSL_CTX_set_verify(ctx,
                       kind == SIM_MUTUAL && id == SIM_SERVER ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       accept_any);
}

/* The same whichever contexts were made before it. */
static SSL_CTX *context_new(int id, enum sim_kind kind)
{
    ossl_env_begin(100 + 10 * (uint64_t)kind + (uint64_t)id);
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    fuzz_check(ctx, "no context");
    set_kind(ctx, id, kind);
    return ctx;
}

SSL_CTX *sim_stock(int id, enum sim_kind kind)
{
    static SSL_CTX *made[2][SIM_KINDS];
    if (!made[id][kind])
        made[id][kind] = context_new(id, kind);
    return made[id][kind];
}

/* Over a context of its own: our defaults are set on it. */
struct sd_tls *sim_tls(int id, enum sim_kind kind)
{
    static struct sd_tls *made[2][SIM_KINDS];
    struct sd_err err = {0};
    if (made[id][kind])
        return made[id][kind];
    SSL_CTX *ctx = context_new(id, kind);
    SSL_CTX_set_options(ctx, SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_NO_RENEGOTIATION);
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ssl_ctx = ctx};
    int rc =
        sd_tls_new(&made[id][kind], id == SIM_CLIENT ? SD_ROLE_CLIENT : SD_ROLE_SERVER, &c, &err);
    fuzz_check(!rc, "no context: %s", err.text);
    SSL_CTX_free(ctx);
    return made[id][kind];
}
