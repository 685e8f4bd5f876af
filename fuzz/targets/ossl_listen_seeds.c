/* SPDX-License-Identifier: MIT */
/* Seeds of fuzz_ossl_listen: the recorded datagrams of a real OpenSSL client. Clock and random
 * numbers are the same when they are replayed, so even encrypted records are understood. */
#include <errno.h>
#include <string.h>

#include "harness/common.h"
#include "harness/make.h"
#include "openssl/ossl_bio.h"
#include "targets/ossl_listen.h"

enum { ROUNDS = 24, SCRIPT = 65536 };

struct recorder {
    struct sd_wr script;
    uint8_t bytes[SCRIPT];
    struct ossl_queue in; /* from the server */
    uint8_t peer;
    SSL *ssl;
};

static struct recorder r;

/* Runs an operation and records it. */
static void act(uint8_t code, uint8_t arg, const void *data, size_t len)
{
    struct fuzz_op op = {code, arg, {data, len}};
    fuzz_op_put(&r.script, code, arg, data, len);
    ossl_env_random(OSSL_SERVER);
    ossl_listen_apply(&op);
    ossl_env_random(OSSL_CLIENT);
}

static int client_send(void *arg, const void *data, size_t len)
{
    (void)arg;
    act(CODE_DATAGRAM, r.peer, data, len);
    return 0;
}

static int client_receive(void *arg, void *data, size_t cap)
{
    unsigned from;
    size_t len = 0;
    (void)arg;
    return ossl_queue_take(&r.in, &from, data, cap, &len) ? (int)len : -EAGAIN;
}

struct client {
    const char *ciphers;
    int version;
    unsigned mtu;
    uint8_t config, more;
    bool cert, extensions;
};

static void client_new(const struct client *c)
{
    static struct ossl_bio datagrams = {.send = client_send, .receive = client_receive};
    BIO *bio = ossl_bio_new(&datagrams);
    r.ssl = SSL_new(ossl_context_client());
    fuzz_check(r.ssl && bio, "no client");
    SSL_set_bio(r.ssl, bio, bio);
    SSL_set_options(r.ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(r.ssl, c->mtu ? c->mtu : 1400);
    fuzz_check(SSL_set_cipher_list(r.ssl, c->ciphers) == 1, "no suites %s", c->ciphers);
    if (c->version)
        SSL_set_max_proto_version(r.ssl, c->version);
    if (!c->cert)
        SSL_certs_clear(r.ssl);
    if (c->extensions) {
        SSL_set_tlsext_host_name(r.ssl, "a.test");
        SSL_set_alpn_protos(r.ssl, (const uint8_t *)"\4coap", 5);
        SSL_set_tlsext_use_srtp(r.ssl, "SRTP_AES128_CM_SHA1_80");
        SSL_set_tlsext_status_type(r.ssl, TLSEXT_STATUSTYPE_ocsp);
        SSL_set_max_send_fragment(r.ssl, 512);
        SSL_set_tlsext_max_fragment_length(r.ssl, TLSEXT_max_fragment_length_512);
    }
    SSL_set_connect_state(r.ssl);
}

static void begin_recording(const struct client *c)
{
    const uint8_t data[] = {(uint8_t)(c->mtu >> 8), (uint8_t)c->mtu, c->more};
    struct fuzz_op config = {CODE_CONFIG, c->config, {data, sizeof data}};
    memset(&r, 0, sizeof r);
    r.script = sd_wr_init(r.bytes, sizeof r.bytes);
    ossl_listen_begin(&config, &r.in);
    fuzz_op_put(&r.script, CODE_CONFIG, c->config, data, sizeof data);
    ossl_env_random(OSSL_CLIENT);
    client_new(c);
}

static void end_recording(struct fuzz_seeder *to)
{
    SSL_free(r.ssl);
    ossl_env_random(OSSL_SERVER);
    ossl_listen_end();
    fuzz_seed(to, r.bytes, sd_wr_len(&r.script));
}

static void handshake(void)
{
    for (unsigned i = 0; i < ROUNDS && !SSL_is_init_finished(r.ssl); i++)
        if (SSL_do_handshake(r.ssl) == 1)
            return;
}

/* Another connection of the same client, which resumes its session. */
static void again(const struct client *c, bool same)
{
    SSL_SESSION *session = SSL_get1_session(r.ssl);
    SSL_free(r.ssl);
    act(CODE_NEW, same, "", 0);
    client_new(c);
    SSL_set_session(r.ssl, session);
    SSL_SESSION_free(session);
    handshake();
}

/* A whole life: handshake, data both ways, renegotiation, resumption, end. */
static void seed_client(struct fuzz_seeder *to, const struct client *c)
{
    uint8_t bytes[64];
    begin_recording(c);
    handshake();
    if (SSL_is_init_finished(r.ssl)) {
        SSL_write(r.ssl, "hello", 5);
        act(CODE_SEND, 0, "world", 5);
        SSL_read(r.ssl, bytes, sizeof bytes);
        if (c->more & MORE_QUESTIONS) {
            act(CODE_SEND, 2, "", 0);
            act(CODE_STEP, 0, "", 0);
            for (int i = 0; i < 4; i++)
                SSL_read(r.ssl, bytes, sizeof bytes);
        }
        SSL_shutdown(r.ssl);
        again(c, c->config & CONFIG_CALLBACK);
    }
    act(CODE_SEND, 1, "", 0);
    end_recording(to);
}

/* The server's flights are lost, or cannot be written, and its timer runs. */
static void seed_losses(struct fuzz_seeder *to)
{
    for (uint8_t how = 0; how < 4; how++) {
        begin_recording(&(struct client){.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"});
        SSL_do_handshake(r.ssl);
        act(CODE_WRITE, how | 4, "", 0);
        SSL_do_handshake(r.ssl);
        act(CODE_TICK, 12, "", 0);
        r.in.count = 0;
        act(CODE_STEP, 0, "", 0);
        act(CODE_TICK, 25, "", 0);
        handshake();
        act(CODE_READ, how, "", 0);
        act(CODE_STEP, 0, "", 0);
        end_recording(to);
    }
}

/* Nobody answers, until it gives up. */
static void seed_silence(struct fuzz_seeder *to)
{
    begin_recording(
        &(struct client){.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256", .more = MORE_TIMER | 8});
    SSL_do_handshake(r.ssl);
    SSL_do_handshake(r.ssl);
    for (int i = 0; i < 16; i++)
        act(CODE_TICK, 255, "", 0);
    end_recording(to);
}

/* What a program can do wrong, and memory that runs out. */
static void seed_misuse(struct fuzz_seeder *to)
{
    for (uint8_t kind = KIND_NO_BIO; kind <= KIND_TLS; kind++) {
        struct client c = {.ciphers = "AES128-SHA", .version = DTLS1_VERSION};
        begin_recording(&c);
        act(CODE_NEW, (uint8_t)(kind << 1), "", 0);
        SSL_do_handshake(r.ssl);
        act(CODE_NEW, 0, "", 0);
        act(CODE_READ, 5, "", 0);
        handshake();
        end_recording(to);
    }
    for (uint8_t n = 1; n < 8; n++) {
        begin_recording(&(struct client){.ciphers = "AES128-SHA"});
        act(CODE_NO_MEMORY, n, "", 0);
        SSL_do_handshake(r.ssl);
        act(CODE_WRITE, 16 | n, "", 0);
        act(CODE_NEW, 1, "", 0);
        SSL_clear(r.ssl);
        SSL_do_handshake(r.ssl);
        act(CODE_NO_MEMORY, n, "", 0);
        handshake();
        end_recording(to);
    }
}

/* Two clients take turns at one SSL, and each shows the other's cookie. */
static void seed_peers(struct fuzz_seeder *to)
{
    uint8_t cookie[OSSL_COOKIE_LEN], hello[512];
    begin_recording(&(struct client){.ciphers = "ALL"});
    for (uint8_t peer = 0; peer < OSSL_PEERS; peer++) {
        for (uint8_t other = 0; other < OSSL_PEERS; other++) {
            struct sd_wr h = sd_wr_init(hello, sizeof hello);
            ossl_cookie(other, cookie);
            make_client_hello(&h, &(struct make_hello){.seq = other,
                                                       .message_seq = 1,
                                                       .version = other & 1 ? SD_DTLS_1_0 : 0,
                                                       .cookie = make_span(cookie, sizeof cookie)});
            act(CODE_DATAGRAM, peer | (other & 2 ? 128 : 0), hello, sd_wr_len(&h));
        }
        act(CODE_NEW, peer, "", 0);
        act(CODE_READ, peer, "", 0);
        act(CODE_WRITE, peer, "", 0);
        SSL_clear(r.ssl);
        SSL_do_handshake(r.ssl);
        act(CODE_NEW, 1, "", 0);
    }
    end_recording(to);
}

void fuzz_seeds(struct fuzz_seeder *to)
{
    static const struct client all[] = {
        {.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256", .extensions = true},
        {.ciphers = "ECDHE-ECDSA-AES128-SHA", .version = DTLS1_VERSION, .config = CONFIG_CALLBACK},
        {.ciphers = "ECDHE-RSA-CHACHA20-POLY1305", .config = CONFIG_NO_TICKET | 1},
        {.ciphers = "AES128-SHA256", .config = CONFIG_MTU | 2, .mtu = 300, .more = 31},
        {.ciphers = "DHE-RSA-AES128-GCM-SHA256", .config = CONFIG_SERVER_ORDER},
        {.ciphers = "PSK-AES128-CCM8", .config = CONFIG_CALLBACK | 3},
        {.ciphers = "DHE-PSK-AES128-CBC-SHA256", .more = MORE_QUESTIONS},
        {.ciphers = "ECDHE-PSK-AES128-CBC-SHA256", .version = DTLS1_VERSION},
        {.ciphers = "RSA-PSK-AES128-GCM-SHA256"},
        {.ciphers = "AECDH-AES128-SHA:ADH-AES128-SHA:@SECLEVEL=0"},
        {.ciphers = "NULL-SHA256:@SECLEVEL=0", .extensions = true},
        {.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384", .config = CONFIG_CLIENT_CERT, .cert = true},
        {.ciphers = "ECDHE-RSA-AES256-SHA",
         .version = DTLS1_VERSION,
         .config = CONFIG_CLIENT_CERT | CONFIG_MTU,
         .cert = true,
         .mtu = 256},
        {.ciphers = "ALL", .config = CONFIG_NO_COOKIES},
    };
    ossl_contexts_reset();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        seed_client(to, &all[i]);
    seed_losses(to);
    seed_peers(to);
    seed_silence(to);
    seed_misuse(to);
}
