/* SPDX-License-Identifier: MIT */
/* DH parameters and ticket keys of OpenSSL's older interface: it is there from 1.1.1 to 4.0. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include "openssl/habits.h"

#include <string.h>

#include <openssl/dh.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>

#include "harness/common.h"
#include "peers/sim.h"

/* 1.1.1 has no such options: there it always does what they switch off. */
#ifndef SSL_OP_NO_EXTENDED_MASTER_SECRET
#define SSL_OP_NO_EXTENDED_MASTER_SECRET 0
#endif
#ifndef SSL_OP_ALLOW_CLIENT_RENEGOTIATION
#define SSL_OP_ALLOW_CLIENT_RENEGOTIATION 0
#endif

static bool has(const struct sim_side *e, enum habit habit)
{
    return e->sim->config.habits[e->id] & (uint32_t)habit;
}

static enum habit_answer plan(const struct sim_side *e, enum habit_question q)
{
    return (enum habit_answer)(e->sim->config.habits[e->id] >> q & 3);
}

/* What the program answers now. A question that was put off once is answered. */
static enum habit_answer answer(const SSL *ssl, enum habit_question q)
{
    struct sim_side *e = SSL_get_app_data(ssl);
    const enum habit_answer a = plan(e, q);
    const bool again = e->asked & 1U << q;
    e->asked |= 1U << q;
    return a == ANSWER_OTHER && again ? ANSWER_FINE : a;
}

/* --- callbacks --- */

static int on_cert(SSL *ssl, void *arg)
{
    (void)arg;
    const enum habit_answer a = answer(ssl, ASK_CERT);
    return a == ANSWER_FINE ? 1 : a == ANSWER_OTHER ? -1 : 0;
}

/* The server's certificate, if it has one. */
static int on_client_cert(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
    const struct sim_side *e = SSL_get_app_data(ssl);
    SSL_CTX *ctx = pair_context(OSSL_SERVER, e->sim->config.kind, true);
    const enum habit_answer a = answer(ssl, ASK_CLIENT_CERT);
    if (a != ANSWER_FINE)
        return a == ANSWER_OTHER ? -1 : 0;
    *cert = SSL_CTX_get0_certificate(ctx);
    *key = SSL_CTX_get0_privatekey(ctx);
    return !*cert || (X509_up_ref(*cert) && EVP_PKEY_up_ref(*key));
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const enum habit_answer a = answer(ssl, ASK_VERIFY);
#ifdef SSL_set_retry_verify
    if (a == ANSWER_OTHER)
        SSL_set_retry_verify(ssl);
#endif
    return a == ANSWER_NO ? ok : 1;
}

static int on_status_server(SSL *ssl, void *arg)
{
    static const char response[] = "a response";
    (void)arg;
    const enum habit_answer a = answer(ssl, ASK_STATUS);
    if (a != ANSWER_FINE)
        return a == ANSWER_OTHER ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_ALERT_FATAL;
    unsigned char *copy = OPENSSL_memdup(response, sizeof response);
    if (copy && SSL_set_tlsext_status_ocsp_resp(ssl, copy, sizeof response) == 1)
        return SSL_TLSEXT_ERR_OK;
    OPENSSL_free(copy); /* 4.0 makes a stack for it, and may have no memory for that */
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int on_status_client(SSL *ssl, void *arg)
{
    (void)arg;
    const enum habit_answer a = answer(ssl, ASK_STATUS);
    return a == ANSWER_FINE ? 1 : a == ANSWER_OTHER ? -1 : 0;
}

static int on_secret(SSL *ssl, void *secret, int *len, STACK_OF(SSL_CIPHER) * offered,
                     const SSL_CIPHER **chosen, void *arg)
{
    enum { SECRET = 48 };
    (void)arg;
    const enum habit_answer a = plan(SSL_get_app_data(ssl), ASK_SECRET);
    if (a == ANSWER_NO || *len < SECRET)
        return 0;
    memset(secret, 's', SECRET);
    *len = SECRET;
    if (a == ANSWER_OTHER && offered)
        *chosen = sk_SSL_CIPHER_value(offered, 0);
    return 1;
}

static unsigned on_psk_client(SSL *ssl, const char *hint, char *identity, unsigned cap,
                              unsigned char *key, unsigned max)
{
    (void)hint;
    const enum habit_answer a = answer(ssl, ASK_PSK);
    if (a == ANSWER_NO || cap < 2)
        return 0;
    memcpy(identity, "x", 2);
    memset(key, 'x', max);
    return a == ANSWER_OTHER ? max + 1 : 16; /* more than there can be, or a wrong one */
}

static unsigned on_psk_server(SSL *ssl, const char *identity, unsigned char *key, unsigned max)
{
    (void)identity;
    const enum habit_answer a = answer(ssl, ASK_PSK);
    memset(key, 'x', max);
    return a == ANSWER_NO ? 0 : a == ANSWER_OTHER ? max + 1 : 16;
}

static int on_hello(SSL *ssl, int *alert, void *arg)
{
    (void)arg;
    const enum habit_answer a = answer(ssl, ASK_HELLO);
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    return a == ANSWER_FINE    ? SSL_CLIENT_HELLO_SUCCESS
           : a == ANSWER_OTHER ? SSL_CLIENT_HELLO_RETRY
                               : SSL_CLIENT_HELLO_ERROR;
}

static int on_name(SSL *ssl, int *alert, void *arg)
{
    (void)arg;
    const enum habit_answer a = answer(ssl, ASK_NAME);
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return a == ANSWER_FINE    ? SSL_TLSEXT_ERR_OK
           : a == ANSWER_OTHER ? SSL_TLSEXT_ERR_NOACK
                               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *len,
                   const unsigned char *offered, unsigned offered_len, void *arg)
{
    (void)arg;
    const enum habit_answer a = answer(ssl, ASK_ALPN);
    if (a == ANSWER_OTHER)
        return SSL_TLSEXT_ERR_NOACK;
    if (a == ANSWER_NO || offered_len < 2 || offered[0] >= offered_len)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = offered + 1;
    *len = offered[0];
    return SSL_TLSEXT_ERR_OK;
}

/* ANSWER_OTHER: no ticket the first time, later a new one for each that is shown. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     HMAC_CTX *mac, int seal)
{
    static const unsigned char key[16] = "of tickets";
    const enum habit_answer a = answer(ssl, ASK_TICKET);
    if (a == ANSWER_NO)
        return -1;
    if (seal ? a == ANSWER_OTHER : memcmp(name, key, sizeof key) != 0)
        return 0;
    if (seal) {
        memcpy(name, key, sizeof key);
        memset(iv, 'i', EVP_MAX_IV_LENGTH);
    }
    if (EVP_CipherInit_ex(cipher, EVP_aes_128_cbc(), NULL, key, iv, seal) != 1 ||
        HMAC_Init_ex(mac, key, sizeof key, EVP_sha256(), NULL) != 1)
        return -1;
    return plan(SSL_get_app_data(ssl), ASK_TICKET) == ANSWER_OTHER ? 2 : 1;
}

/* Made once, and kept. */
static DH *parameters(void)
{
    static DH *dh;
    if (!dh)
        dh = DH_get_1024_160();
    fuzz_check(dh, "no parameters");
    return dh;
}

static DH *on_dh(SSL *ssl, int is_export, int bits)
{
    (void)is_export, (void)bits;
    return answer(ssl, ASK_DH) == ANSWER_NO ? NULL : parameters();
}

static void on_state(const SSL *ssl, int where, int value)
{
    (void)ssl;
    fuzz_note((uint64_t)(unsigned)where << 32 | (unsigned)value);
}

/* --- settings --- */

/* All runs share the contexts, so each run sets everything. */
static void set_context(struct sim_side *e, SSL_CTX *ctx)
{
    const bool server = e->id == OSSL_SERVER;
    const bool cert = !server && plan(e, ASK_CLIENT_CERT);
    int (*const on_status)(SSL *, void *) = server ? on_status_server : on_status_client;
    SSL_CTX_set_client_cert_cb(ctx, cert ? on_client_cert : NULL);
    SSL_CTX_set_tlsext_status_cb(ctx, (plan(e, ASK_STATUS) ? on_status : NULL));
    const bool caches = has(e, HABIT_CACHE) && !e->sim->scarce;
    SSL_CTX_set_session_cache_mode(ctx, caches ? SSL_SESS_CACHE_BOTH : SSL_SESS_CACHE_OFF);
    if (!server)
        return;
    SSL_CTX_set_client_hello_cb(ctx, plan(e, ASK_HELLO) ? on_hello : NULL, NULL);
    SSL_CTX_set_tlsext_servername_callback(ctx, (plan(e, ASK_NAME) ? on_name : NULL));
    SSL_CTX_set_alpn_select_cb(ctx, plan(e, ASK_ALPN) ? on_alpn : NULL, NULL);
    SSL_CTX_set_tlsext_ticket_key_cb(ctx, (plan(e, ASK_TICKET) ? on_ticket : NULL));
}

static void set_options(const struct sim_side *e)
{
    static const struct {
        enum habit habit;
        uint64_t options;
    } all[] = {
        {HABIT_NO_TICKET, SSL_OP_NO_TICKET},
        {HABIT_NO_EMS, SSL_OP_NO_EXTENDED_MASTER_SECRET},
        {HABIT_NO_ETM, SSL_OP_NO_ENCRYPT_THEN_MAC},
        {HABIT_NO_RENEGOTIATION, SSL_OP_NO_RENEGOTIATION},
        {HABIT_LEGACY, SSL_OP_ALL | SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_TLS_ROLLBACK_BUG |
                           SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION},
        {HABIT_NO_QUERY, SSL_OP_NO_QUERY_MTU},
        {HABIT_CONTEXT, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION},
    };
    SSL_set_options(e->ssl, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (has(e, all[i].habit))
            SSL_set_options(e->ssl, all[i].options);
}

static void set_common(struct sim_side *e)
{
    if (has(e, HABIT_SMALL)) {
        SSL_set_max_send_fragment(e->ssl, 512);
        SSL_set_max_cert_list(e->ssl, 1000);
    }
    if (has(e, HABIT_WATCH))
        SSL_set_info_callback(e->ssl, on_state);
    if (has(e, HABIT_CONTEXT))
        SSL_set_session_id_context(e->ssl, (const uint8_t *)"another", 7);
    if (has(e, HABIT_OLD))
        SSL_set_max_proto_version(e->ssl, DTLS1_VERSION);
    if (has(e, HABIT_NO_QUERY))
        SSL_set_mtu(e->ssl, 1200);
    if (plan(e, ASK_CERT))
        SSL_set_cert_cb(e->ssl, on_cert, NULL);
    if (plan(e, ASK_SECRET))
        SSL_set_session_secret_cb(e->ssl, on_secret, NULL);
}

static void set_client(struct sim_side *e)
{
    static const unsigned char protocols[] = "\004coap\003foo";
    if (has(e, HABIT_NAME))
        SSL_set_tlsext_host_name(e->ssl, "host.example");
    if (has(e, HABIT_ALPN))
        SSL_set_alpn_protos(e->ssl, protocols, sizeof protocols - 1);
    if (has(e, HABIT_SRTP))
        SSL_set_tlsext_use_srtp(e->ssl, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM");
    if (has(e, HABIT_FRAGMENT))
        SSL_set_tlsext_max_fragment_length(e->ssl, TLSEXT_max_fragment_length_512);
    if (has(e, HABIT_GROUPS))
        SSL_set1_groups_list(e->ssl, "P-521:P-384");
    if (has(e, HABIT_SIGNATURES))
        SSL_set1_sigalgs_list(e->ssl, "ECDSA+SHA384:RSA+SHA384");
    if (has(e, HABIT_OLD))
        SSL_set_mode(e->ssl, SSL_MODE_SEND_FALLBACK_SCSV);
    if (plan(e, ASK_STATUS))
        SSL_set_tlsext_status_type(e->ssl, TLSEXT_STATUSTYPE_ocsp);
    if (plan(e, ASK_VERIFY))
        SSL_set_verify(e->ssl, SSL_VERIFY_PEER, on_verify);
    if (plan(e, ASK_PSK))
        SSL_set_psk_client_callback(e->ssl, on_psk_client);
}

static void set_dh(struct sim_side *e)
{
    const enum habit_answer a = plan(e, ASK_DH);
    if (!a)
        return;
    SSL_set_dh_auto(e->ssl, 0);
    if (a == ANSWER_FINE)
        SSL_set_tmp_dh(e->ssl, parameters());
    else
        SSL_set_tmp_dh_callback(e->ssl, on_dh);
}

static void set_server(struct sim_side *e)
{
    const enum habit_answer wanted = plan(e, ASK_VERIFY);
    const int required = wanted == ANSWER_NO ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_set_tlsext_use_srtp(e->ssl, "SRTP_AES128_CM_SHA1_80");
    if (wanted)
        SSL_set_verify(e->ssl, SSL_VERIFY_PEER | required, on_verify);
    if (plan(e, ASK_PSK))
        SSL_set_psk_server_callback(e->ssl, on_psk_server);
    set_dh(e);
}

void habits_begin(struct sim_side *e)
{
    SSL_set_app_data(e->ssl, e);
    set_context(e, SSL_get_SSL_CTX(e->ssl));
    set_options(e);
    set_common(e);
    e->id == OSSL_SERVER ? set_server(e) : set_client(e);
}

void habits_end(struct sim_side *e)
{
    SSL_CTX_flush_sessions(SSL_get_SSL_CTX(e->ssl), 0);
}
