/* SPDX-License-Identifier: MIT */
/* A server of stock OpenSSL in this process, a puppet as its client, and a network between them
 * that loses what a test wants lost. Time passes only where a test waits. */
#ifndef PUPPET_SERVER_H
#define PUPPET_SERVER_H

#include "identity.h"

#include <openssl/rsa.h>
#include <sys/time.h>

#include "dtls_scan/puppet/puppet.h"

enum { TO_SERVER, TO_PUPPET, WAYS, RING = 128, DATAGRAM = 20000 };

static sd_time virtual_time = 1000 * SD_SEC;

/* OpenSSL takes the time of its timers from here. */
__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv,
                                                        void *restrict zone)
{
    const time_t year_2023 = 1700000000;
    (void)zone;
    tv->tv_sec = year_2023 + (time_t)(virtual_time / SD_SEC);
    tv->tv_usec = (suseconds_t)(virtual_time % SD_SEC / SD_US);
    return 0;
}

struct datagram {
    size_t len;
    uint8_t data[DATAGRAM];
};

struct server {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO_METHOD *method;
    struct datagram *ring[WAYS];
    size_t head[WAYS], tail[WAYS], sent[WAYS];
    bool (*lost)(struct server *s, int way, size_t n);
    size_t arg;
    bool done, dead;
    bool echo;
    uint8_t data[2048];
    size_t data_len;
    struct puppet puppet;
    /* Records that the puppet heard, for tests that look. */
    unsigned heard[256];
};

static inline void carry(struct server *s, int way, const void *data, size_t len)
{
    size_t n = s->sent[way]++;
    if (s->lost && s->lost(s, way, n))
        return;
    assert_true(s->tail[way] - s->head[way] < RING && len <= DATAGRAM);
    struct datagram *d = &s->ring[way][s->tail[way]++ % RING];
    memcpy(d->data, data, len);
    d->len = len;
}

static inline int server_write(BIO *b, const char *data, int len)
{
    carry(BIO_get_data(b), TO_PUPPET, data, (size_t)len);
    return len;
}

static inline int server_read(BIO *b, char *data, int cap)
{
    struct server *s = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (s->head[TO_SERVER] == s->tail[TO_SERVER]) {
        BIO_set_retry_read(b);
        return -1;
    }
    struct datagram *d = &s->ring[TO_SERVER][s->head[TO_SERVER]++ % RING];
    int n = d->len < (size_t)cap ? (int)d->len : cap;
    memcpy(data, d->data, (size_t)n);
    return n;
}

static inline long server_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b, (void)num, (void)ptr;
    if (cmd == BIO_CTRL_DGRAM_QUERY_MTU)
        return 1200;
    return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_DUP;
}

static inline int give_cookie(SSL *ssl, unsigned char *cookie, unsigned *len)
{
    (void)ssl;
    memset(cookie, 0x5a, *len = 16);
    return 1;
}

static inline int any_cookie(SSL *ssl, const unsigned char *cookie, unsigned len)
{
    (void)ssl;
    return len == 16 && cookie[0] == 0x5a;
}

static inline EVP_PKEY *rsa_key(void)
{
    static EVP_PKEY *key;
    EVP_PKEY_CTX *c = key ? NULL : EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    if (c) {
        assert_true(EVP_PKEY_keygen_init(c) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_keygen_bits(c, 2048) > 0);
        assert_true(EVP_PKEY_keygen(c, &key) > 0);
        EVP_PKEY_CTX_free(c);
    }
    EVP_PKEY_up_ref(key);
    return key;
}

static inline void use_identity(SSL_CTX *ctx, bool rsa)
{
    struct identity id = issue((struct wish){.cn = "server"});
    if (rsa) {
        EVP_PKEY_free(id.key);
        id.key = rsa_key();
        X509_set_pubkey(id.cert, id.key);
        assert_true(X509_sign(id.cert, id.key, EVP_sha256()));
    }
    assert_int_equal(SSL_CTX_use_certificate(ctx, id.cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, id.key), 1);
    identity_free(id);
}

static inline unsigned one_psk(SSL *ssl, const char *identity, unsigned char *key, unsigned cap)
{
    (void)ssl, (void)cap;
    if (strcmp(identity, "puppet"))
        return 0;
    memset(key, 7, 16);
    return 16;
}

static inline struct server *server_new(const char *ciphers, int version)
{
    struct server *s = calloc(1, sizeof *s);
    assert_non_null(s);
    for (int way = 0; way < WAYS; way++)
        s->ring[way] = calloc(RING, sizeof *s->ring[way]);
    s->ctx = SSL_CTX_new(DTLS_server_method());
    assert_non_null(s->ctx);
    SSL_CTX_set_security_level(s->ctx, 0);
    assert_int_equal(SSL_CTX_set_cipher_list(s->ctx, ciphers), 1);
    SSL_CTX_set_min_proto_version(s->ctx, version);
    SSL_CTX_set_max_proto_version(s->ctx, version);
    SSL_CTX_set_dh_auto(s->ctx, 1);
    use_identity(s->ctx, true);
    use_identity(s->ctx, false);
    SSL_CTX_set_cookie_generate_cb(s->ctx, give_cookie);
    SSL_CTX_set_cookie_verify_cb(s->ctx, any_cookie);
    SSL_CTX_set_options(s->ctx, SSL_OP_COOKIE_EXCHANGE);
    SSL_CTX_set_psk_server_callback(s->ctx, one_psk);
    SSL_CTX_set_session_id_context(s->ctx, (const unsigned char *)"puppet", 6);
    s->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "test");
    BIO_meth_set_write(s->method, server_write);
    BIO_meth_set_read(s->method, server_read);
    BIO_meth_set_ctrl(s->method, server_ctrl);
    s->echo = true;
    return s;
}

static inline void server_free(struct server *s)
{
    puppet_fini(&s->puppet);
    SSL_free(s->ssl);
    SSL_CTX_free(s->ctx);
    BIO_meth_free(s->method);
    for (int way = 0; way < WAYS; way++)
        free(s->ring[way]);
    free(s);
    ERR_clear_error();
}

/* One client of the server's. */
static inline void server_accept(struct server *s)
{
    SSL_free(s->ssl);
    BIO *bio = BIO_new(s->method);
    s->ssl = SSL_new(s->ctx);
    assert_non_null(bio);
    assert_non_null(s->ssl);
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    SSL_set_bio(s->ssl, bio, bio);
    SSL_set_accept_state(s->ssl);
    s->done = s->dead = false;
    for (int way = 0; way < WAYS; way++)
        s->head[way] = s->tail[way] = s->sent[way] = 0;
}

/* The server reads all there is; what it gets it says again. */
static inline void server_turn(struct server *s)
{
    for (;;) {
        ERR_clear_error();
        int n = s->dead ? -1 : SSL_read(s->ssl, s->data, sizeof s->data);
        s->done |= SSL_is_init_finished(s->ssl);
        if (n <= 0) {
            s->dead |= !s->dead && SSL_get_error(s->ssl, n) != SSL_ERROR_WANT_READ;
            ERR_clear_error();
            if (s->dead)
                s->head[TO_SERVER] = s->tail[TO_SERVER];
            return;
        }
        s->data_len = (size_t)n;
        if (s->echo)
            SSL_write(s->ssl, s->data, n);
    }
}

static inline void puppet_turn(struct server *s)
{
    while (s->head[TO_PUPPET] != s->tail[TO_PUPPET]) {
        struct datagram *d = &s->ring[TO_PUPPET][s->head[TO_PUPPET]++ % RING];
        puppet_input(&s->puppet, d->data, d->len, virtual_time);
    }
}

static inline void settle(struct server *s)
{
    do {
        server_turn(s);
        puppet_turn(s);
    } while (s->head[TO_SERVER] != s->tail[TO_SERVER] || s->head[TO_PUPPET] != s->tail[TO_PUPPET]);
}

/* The next timer of either side. */
static inline void wait_for_timer(struct server *s)
{
    struct timeval tv;
    sd_time next = s->puppet.deadline;
    if (!s->dead && DTLSv1_get_timeout(s->ssl, &tv)) {
        sd_time at = virtual_time + (sd_time)tv.tv_sec * SD_SEC + (sd_time)tv.tv_usec * SD_US;
        next = at < next ? at : next;
    }
    if (next == SD_NEVER)
        next = virtual_time + SD_SEC;
    virtual_time = next > virtual_time ? next : virtual_time;
    if (!s->dead)
        DTLSv1_handle_timeout(s->ssl);
    puppet_timer(&s->puppet, virtual_time);
}

/* Until both have finished, one of them is over, or a minute has passed. */
static inline void shake(struct server *s)
{
    sd_time end = virtual_time + 60 * SD_SEC;
    settle(s);
    while (virtual_time < end && s->puppet.stage != PUPPET_ENDED &&
           !(s->done && s->puppet.stage == PUPPET_CONNECTED)) {
        wait_for_timer(s);
        settle(s);
    }
}

static inline void puppet_to_server(void *arg, const uint8_t *datagram, size_t len)
{
    carry(arg, TO_SERVER, datagram, len);
}

static inline void count_heard(void *arg, struct puppet *p, const struct puppet_heard *h)
{
    struct server *s = arg;
    (void)p;
    s->heard[h->type] += h->opened;
}

/* Groups, signature algorithms, EMS, EtM, an empty ticket, renegotiation_info. */
static const uint8_t usual_extensions[] = {
    0x00, 0x0a, 0, 10, 0, 8,  0, 29, 0, 23, 0, 24, 0, 25,             /* supported_groups */
    0x00, 0x0b, 0, 2,  1, 0,                                          /* ec_point_formats */
    0x00, 0x0d, 0, 14, 0, 12, 4, 3,  4, 1,  8, 4,  2, 1,  2, 3, 5, 1, /* signature_algorithms */
    0x00, 0x17, 0, 0,                                                 /* EMS */
    0xff, 0x01, 0, 1,  0,                                             /* renegotiation_info */
    0x00, 0x16, 0, 0,                                                 /* encrypt_then_mac */
    0x00, 0x23, 0, 0,                                                 /* session_ticket */
};
enum { WITHOUT_TICKET = sizeof usual_extensions - 4, WITHOUT_ETM = WITHOUT_TICKET - 4 };

static inline struct puppet_config usual_config(struct server *s, const uint8_t suite[2])
{
    static const uint8_t key[16] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    return (struct puppet_config){.offer = {.version = SD_DTLS_1_2,
                                            .suites = {suite, 2},
                                            .extensions = {usual_extensions, WITHOUT_TICKET}},
                                  .identity = {(const uint8_t *)"puppet", 6},
                                  .key = {key, sizeof key},
                                  .arg = s,
                                  .send = puppet_to_server,
                                  .heard = count_heard};
}

static inline void begin(struct server *s, const struct puppet_config *c)
{
    server_accept(s);
    assert_true(puppet_begin(&s->puppet, c, virtual_time));
}

static inline void assert_connected(struct server *s)
{
    const struct puppet *p = &s->puppet;
    if (p->stage != PUPPET_CONNECTED || !s->done || s->dead)
        fail_msg("suite 0x%04x: puppet stage %d, end %d, alert %d; server %s", p->suite, p->stage,
                 p->end, p->alert.description,
                 s->dead   ? "dead"
                 : s->done ? "done"
                           : SSL_state_string_long(s->ssl));
    assert_true(p->finished_sound);
}

/* Data goes there and comes back. */
static inline void assert_echo(struct server *s)
{
    unsigned before = s->puppet.data;
    assert_true(puppet_say(&s->puppet, "are you there?", 14));
    settle(s);
    assert_int_equal(s->data_len, 14);
    assert_int_equal(s->puppet.data, before + 1);
}

#endif
