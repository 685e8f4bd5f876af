/* The contexts of both roles, made once; the same at each start of the program. */
#include "peers/sim.h"

#include <string.h>

#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/srtp.h>
#include <openssl/x509v3.h>

#include "harness/common.h"
#include "openssl/ossl_env.h"

sd_time sim_now(void)
{
    return SD_SEC + ossl_env_now_us() * SD_US;
}

enum identity { NONE, ECDSA, RSA_1024, RSA_PSS, ED25519, DSA_1024, IDENTITIES };

/* Small ones: they are made at each start of the program. */
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

/* A certificate of some 2 kB: several fragments at any MTU. */
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

/* Made once for each side; what is drawn behind it is the same whether or not it was there. */
static EVP_PKEY *key_of(int id, enum identity identity)
{
    static EVP_PKEY *made[2][IDENTITIES];
    EVP_PKEY **one = &made[id][identity];
    const uint64_t seed = 50 + 10 * (uint64_t)id + identity;
    if (!*one) {
        ossl_env_begin(seed);
        *one = key_new(identity);
    }
    ossl_env_begin(seed);
    return *one;
}

static void set_identity(SSL_CTX *ctx, int id, enum identity identity)
{
    EVP_PKEY *key = key_of(id, identity);
    X509 *x = certificate_new(key, identity == ED25519 ? NULL : EVP_sha256());
    fuzz_check(SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1,
               "OpenSSL does not take its own certificate");
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

static void set_extensions(SSL_CTX *ctx, int id)
{
    static const unsigned char protocols[] = "\004coap\003foo";
    SSL_CTX_set_tlsext_use_srtp(ctx, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM");
    if (id == SIM_CLIENT) {
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
} traits[SIM_KINDS] = {
    [SIM_CERT] = {"ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION, ECDSA, NONE, false},
    [SIM_MUTUAL] = {"ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION, ECDSA, ECDSA, false},
    [SIM_PSK] = {"PSK-CHACHA20-POLY1305", DTLS1_2_VERSION, NONE, NONE, true},
    [SIM_OLD] = {"ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", DTLS1_VERSION, ECDSA, NONE, false},
    [SIM_ETM] = {"ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", DTLS1_2_VERSION, ECDSA, NONE, false},
    [SIM_RSA] = {"AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, RSA_1024, NONE, false},
    [SIM_DHE] = {"DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, RSA_1024, ECDSA, false},
    [SIM_ANONYMOUS] = {"AECDH-AES128-SHA:ADH-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, NONE,
                       NONE, false},
    [SIM_PSK_DHE] = {"DHE-PSK-AES128-GCM-SHA256:ECDHE-PSK-CHACHA20-POLY1305:@SECLEVEL=0",
                     DTLS1_2_VERSION, NONE, NONE, true},
    [SIM_PSK_RSA] = {"RSA-PSK-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, RSA_1024, NONE,
                     true},
    [SIM_EXTENSIONS] = {"ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, RSA_1024,
                        RSA_1024, false},
    [SIM_RESUMED] = {"ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION, ECDSA, NONE, false},
    [SIM_ED25519] = {"ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION, ED25519, ED25519, false},
    [SIM_RSA_PSS] = {"ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, RSA_PSS, RSA_PSS,
                     false},
    [SIM_DSA] = {"DHE-DSS-AES128-GCM-SHA256:@SECLEVEL=0", DTLS1_2_VERSION, DSA_1024, DSA_1024,
                 false},
    [SIM_PSK_ECDHE] = {"ECDHE-PSK-CHACHA20-POLY1305", DTLS1_2_VERSION, NONE, NONE, true},
    [SIM_OLD_MUTUAL] = {"ECDHE-RSA-AES128-SHA:@SECLEVEL=0", DTLS1_VERSION, RSA_1024, RSA_1024,
                        false},
    [SIM_ANY] = {"ALL:@SECLEVEL=0", DTLS1_2_VERSION, ECDSA, RSA_1024, true},
};

static void set_peers(SSL_CTX *ctx, int id, const struct trait *t)
{
    const enum identity own = id == SIM_SERVER ? t->server : t->client;
    if (own)
        set_identity(ctx, id, own);
    SSL_CTX_set_verify(ctx, id == SIM_SERVER && t->client ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       accept_any);
    if (!t->psk)
        return;
    SSL_CTX_set_psk_client_callback(ctx, client_psk);
    SSL_CTX_set_psk_server_callback(ctx, server_psk);
    if (id == SIM_SERVER && t->server)
        SSL_CTX_use_psk_identity_hint(ctx, "who");
}

static void set_kind(SSL_CTX *ctx, int id, enum sim_kind kind)
{
    static unsigned char tickets[80];
    const struct trait *t = &traits[kind];
    const int least = kind == SIM_ANY ? DTLS1_VERSION : t->version;
    fuzz_check(SSL_CTX_set_min_proto_version(ctx, least) == 1 &&
                   SSL_CTX_set_max_proto_version(ctx, t->version) == 1 &&
                   SSL_CTX_set_cipher_list(ctx, t->ciphers) == 1,
               "OpenSSL refuses %s", t->ciphers);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(ctx, tickets, 1);
    if (id == SIM_SERVER)
        SSL_CTX_set_tlsext_ticket_keys(ctx, tickets, sizeof tickets);
    if (kind == SIM_MUTUAL) /* one would hold the client's certificate, to be read once more */
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_dh_auto(ctx, 1);
    set_peers(ctx, id, t);
    if (kind == SIM_EXTENSIONS)
        set_extensions(ctx, id);
    if (kind == SIM_ANY && id == SIM_SERVER)
        set_identity(ctx, id, RSA_1024);
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

SSL_CTX *sim_stock(int id, enum sim_kind kind, bool deployed)
{
    static SSL_CTX *made[2][SIM_KINDS][2];
    SSL_CTX **one = &made[id][kind][deployed];
    if (!*one)
        *one = context_new(id, kind);
    return *one;
}

static SSL *over_memory(int id, BIO *in, BIO *out)
{
    SSL *ssl = SSL_new(sim_stock(id, SIM_RESUMED, false));
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
    SSL *client = over_memory(SIM_CLIENT, to_client, to_server);
    SSL *server = over_memory(SIM_SERVER, to_server, to_client);
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

SSL_SESSION *sim_session(void)
{
    static SSL_SESSION *made;
    if (!made)
        made = session_new();
    return SSL_SESSION_dup(made);
}

/* True once for each SSL. */
static bool first_time(SSL *ssl, int slot)
{
    static char mark;
    return !SSL_get_ex_data(ssl, slot) && SSL_set_ex_data(ssl, slot, &mark);
}

static int cert_later(SSL *ssl, void *slot)
{
    return first_time(ssl, *(int *)slot) ? -1 : 1;
}

static int hello_later(SSL *ssl, int *alert, void *slot)
{
    (void)alert;
    return first_time(ssl, *(int *)slot) ? SSL_CLIENT_HELLO_RETRY : SSL_CLIENT_HELLO_SUCCESS;
}

static void make_odd(SSL_CTX *ctx, int id, unsigned odd)
{
    static int slots[2];
    if (odd & SIM_STRICT)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (!(odd & SIM_WAITING))
        return;
    for (int i = 0; i < 2; i++)
        if (!slots[i])
            slots[i] = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    SSL_CTX_set_cert_cb(ctx, cert_later, &slots[0]);
    if (id == SIM_SERVER)
        SSL_CTX_set_client_hello_cb(ctx, hello_later, &slots[1]);
}

/* One that DTLS 1.0 has is behind the others. */
static void choose_suite(SSL_CTX *ctx, unsigned suite)
{
    static const char *const suites[SIM_SUITES] = {
        NULL, "ECDHE-ECDSA-AES128-CCM8:PSK-AES128-CCM8:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0",
        "ECDHE-ECDSA-AES128-SHA256:PSK-AES128-CBC-SHA256:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0",
        "ECDHE-ECDSA-AES256-SHA384:PSK-AES256-CBC-SHA384:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0",
        "ECDHE-ECDSA-NULL-SHA:PSK-NULL-SHA256:@SECLEVEL=0"};
    fuzz_check(!suites[suite] || SSL_CTX_set_cipher_list(ctx, suites[suite]) == 1,
               "OpenSSL refuses %s", suites[suite]);
}

/* Over a context of its own: our defaults are set on it. */
struct sd_tls *sim_tls(int id, const struct sim_config *c)
{
    static struct sd_tls *made[2][SIM_OURS][SIM_NARROW][SIM_SUITES];
    struct sd_tls **one = &made[id][c->kind][c->odd % SIM_NARROW][c->suite];
    struct sd_err err = {0};
    if (*one)
        return *one;
    SSL_CTX *ctx = context_new(id, c->kind);
    SSL_CTX_set_options(ctx, SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_NO_RENEGOTIATION);
    make_odd(ctx, id, c->odd);
    choose_suite(ctx, c->suite);
    const sdtls_config config = {SDTLS_CONFIG_INIT, .ssl_ctx = ctx,
                                 .flags = c->odd & SIM_RAW ? SDTLS_F_RAW : 0};
    int rc = sd_tls_new(one, id == SIM_CLIENT ? SD_ROLE_CLIENT : SD_ROLE_SERVER, &config, &err);
    fuzz_check(!rc, "no context: %s", err.text);
    SSL_CTX_free(ctx);
    return *one;
}
