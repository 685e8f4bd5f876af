/* SPDX-License-Identifier: MIT */
#include "openssl/pair.h"

#include <string.h>

#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/srtp.h>
#include <openssl/x509v3.h>

#include "harness/common.h"

enum identity { NONE, ECDSA, RSA_1024, RSA_PSS, ED25519, DSA_1024, IDENTITIES };

/* Small keys, because they are made at each start of the program. */
static bool set_size(EVP_PKEY_CTX *ctx, enum identity identity)
{
    switch (identity) {
    case ECDSA:
        return EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) == 1;
    case RSA_1024:
    case RSA_PSS:
        return EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 1024) == 1;
    default:
        return true;
    }
}

static EVP_PKEY *dsa_parameters(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, NULL);
    EVP_PKEY *parameters = NULL;
    fuzz_check(ctx && EVP_PKEY_paramgen_init(ctx) == 1 &&
                   EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 1024) == 1 &&
                   EVP_PKEY_paramgen(ctx, &parameters) == 1,
               "no parameters");
    EVP_PKEY_CTX_free(ctx);
    return parameters;
}

static EVP_PKEY *key_new(enum identity identity)
{
    static const int types[] = {[ECDSA] = EVP_PKEY_EC,
                                [RSA_1024] = EVP_PKEY_RSA,
                                [RSA_PSS] = EVP_PKEY_RSA_PSS,
                                [ED25519] = EVP_PKEY_ED25519};
    EVP_PKEY *parameters = identity == DSA_1024 ? dsa_parameters() : NULL, *key = NULL;
    EVP_PKEY_CTX *ctx = parameters ? EVP_PKEY_CTX_new(parameters, NULL)
                                   : EVP_PKEY_CTX_new_id(types[identity], NULL);
    fuzz_check(ctx && EVP_PKEY_keygen_init(ctx) == 1 && set_size(ctx, identity) &&
                   EVP_PKEY_keygen(ctx, &key) == 1,
               "no key");
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(parameters);
    return key;
}

/* A certificate of about 2 kB: several fragments at any MTU. */
static X509 *certificate_new(EVP_PKEY *key, const EVP_MD *digest)
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
                   X509_sign(x, key, digest),
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

/* Made once for each side. Random numbers drawn afterwards are the same whether or not it
 * existed. */
static EVP_PKEY *key_of(enum ossl_side side, enum identity identity)
{
    static EVP_PKEY *made[2][IDENTITIES];
    EVP_PKEY **one = &made[side][identity];
    const uint64_t seed = 50 + 10 * (uint64_t)side + identity;
    if (!*one) {
        ossl_env_begin(seed);
        *one = key_new(identity);
    }
    ossl_env_begin(seed);
    return *one;
}

static void set_identity(SSL_CTX *ctx, enum ossl_side side, enum identity identity)
{
    EVP_PKEY *key = key_of(side, identity);
    X509 *x = certificate_new(key, identity == ED25519 ? NULL : EVP_sha256());
    fuzz_check(SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1,
               "OpenSSL does not accept its own certificate");
    X509_free(x);
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *len,
                           const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    if (in_len < 2 || in[0] >= in_len)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = in + 1;
    *len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static void set_extensions(SSL_CTX *ctx, enum ossl_side side)
{
    static const unsigned char protocols[] = "\004coap\003foo";
    SSL_CTX_set_tlsext_use_srtp(ctx, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM");
    if (side == OSSL_CLIENT) {
        SSL_CTX_set_alpn_protos(ctx, protocols, sizeof protocols - 1);
        SSL_CTX_set_tlsext_max_fragment_length(ctx, TLSEXT_max_fragment_length_1024);
        return;
    }
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_add_client_CA(ctx, SSL_CTX_get0_certificate(ctx));
}

static const struct trait {
    const char *ciphers;
    int version;
    enum identity server, client;
    bool psk;
} traits[PAIR_KINDS] = {
    [PAIR_CERT] = {"ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION, ECDSA, NONE, false},
    [PAIR_MUTUAL] = {"ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION, ECDSA, ECDSA, false},
    [PAIR_PSK] = {"PSK-CHACHA20-POLY1305", DTLS1_2_VERSION, NONE, NONE, true},
    [PAIR_OLD] = {"ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", DTLS1_VERSION, ECDSA, NONE, false},
    [PAIR_ETM] = {"ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", DTLS1_2_VERSION, ECDSA, NONE, false},
    [PAIR_RSA] = {"AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, RSA_1024, NONE, false},
    [PAIR_DHE] = {"DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, RSA_1024, ECDSA, false},
    [PAIR_ANONYMOUS] = {"AECDH-AES128-SHA:ADH-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, NONE,
                        NONE, false},
    [PAIR_PSK_DHE] = {"DHE-PSK-AES128-GCM-SHA256:ECDHE-PSK-CHACHA20-POLY1305:@SECLEVEL=0",
                      DTLS1_2_VERSION, NONE, NONE, true},
    [PAIR_PSK_RSA] = {"RSA-PSK-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, RSA_1024, NONE,
                      true},
    [PAIR_EXTENSIONS] = {"ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, RSA_1024,
                         RSA_1024, false},
    [PAIR_RESUMED] = {"ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION, ECDSA, NONE, false},
    [PAIR_ED25519] = {"ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION, ED25519, ED25519, false},
    [PAIR_RSA_PSS] = {"ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, RSA_PSS, RSA_PSS,
                      false},
    [PAIR_DSA] = {"DHE-DSS-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, DSA_1024, DSA_1024,
                  false},
    [PAIR_PSK_ECDHE] = {"ECDHE-PSK-CHACHA20-POLY1305", DTLS1_2_VERSION, NONE, NONE, true},
    [PAIR_OLD_MUTUAL] = {"ECDHE-RSA-AES128-SHA:@SECLEVEL=0", DTLS1_VERSION, RSA_1024, RSA_1024,
                         false},
    [PAIR_ANY] = {"ALL:@SECLEVEL=0", DTLS1_2_VERSION, ECDSA, RSA_1024, true},
};

static void set_peers(SSL_CTX *ctx, enum ossl_side side, const struct trait *t)
{
    const enum identity own = side == OSSL_SERVER ? t->server : t->client;
    if (own)
        set_identity(ctx, side, own);
    SSL_CTX_set_verify(ctx, side == OSSL_SERVER && t->client ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       accept_any);
    if (!t->psk)
        return;
    SSL_CTX_set_psk_client_callback(ctx, client_psk);
    SSL_CTX_set_psk_server_callback(ctx, server_psk);
    if (side == OSSL_SERVER && t->server)
        SSL_CTX_use_psk_identity_hint(ctx, "who");
}

static void set_kind(SSL_CTX *ctx, enum ossl_side side, enum pair_kind kind)
{
    static unsigned char tickets[80];
    const struct trait *t = &traits[kind];
    const int least = kind == PAIR_ANY ? DTLS1_VERSION : t->version;
    fuzz_check(SSL_CTX_set_min_proto_version(ctx, least) == 1 &&
                   SSL_CTX_set_max_proto_version(ctx, t->version) == 1 &&
                   SSL_CTX_set_cipher_list(ctx, t->ciphers) == 1,
               "OpenSSL refuses %s", t->ciphers);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(ctx, tickets, 1);
    if (side == OSSL_SERVER)
        SSL_CTX_set_tlsext_ticket_keys(ctx, tickets, sizeof tickets);
    /* A ticket holds the client's certificate, which would be parsed once more. */
    if (kind == PAIR_MUTUAL)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_dh_auto(ctx, 1);
    set_peers(ctx, side, t);
    if (kind == PAIR_EXTENSIONS)
        set_extensions(ctx, side);
    if (kind == PAIR_ANY && side == OSSL_SERVER)
        set_identity(ctx, side, RSA_1024);
}

SSL_CTX *pair_context_new(enum ossl_side side, enum pair_kind kind)
{
    ossl_env_begin(100 + 10 * (uint64_t)kind + (uint64_t)side);
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    fuzz_check(ctx, "no context");
    set_kind(ctx, side, kind);
    return ctx;
}

SSL_CTX *pair_context(enum ossl_side side, enum pair_kind kind, bool deployed)
{
    static SSL_CTX *made[2][PAIR_KINDS][2];
    SSL_CTX **one = &made[side][kind][deployed];
    if (!*one)
        *one = pair_context_new(side, kind);
    return *one;
}

static SSL *over_memory(enum ossl_side side, BIO *in, BIO *out)
{
    SSL *ssl = SSL_new(pair_context(side, PAIR_RESUMED, false));
    fuzz_check(ssl && in && out && BIO_up_ref(in) == 1 && BIO_up_ref(out) == 1, "no memory");
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(ssl, 1400);
    return ssl;
}

/* A handshake on a network that loses nothing. */
static SSL_SESSION *session_new(void)
{
    BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
    SSL *client = over_memory(OSSL_CLIENT, to_client, to_server);
    SSL *server = over_memory(OSSL_SERVER, to_server, to_client);
    ossl_env_begin(99);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 10 && SSL_in_init(client); i++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    SSL_SESSION *session = SSL_get1_session(client);
    fuzz_check(session && SSL_SESSION_has_ticket(session), "no session to resume");
    SSL_free(client);
    SSL_free(server);
    BIO_free(to_server);
    BIO_free(to_client);
    return session;
}

SSL_SESSION *pair_session(void)
{
    static SSL_SESSION *made;
    if (!made)
        made = session_new();
    return SSL_SESSION_dup(made);
}
