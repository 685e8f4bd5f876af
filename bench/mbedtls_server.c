/* SPDX-License-Identifier: MIT */
/* mbedtls_server of the benchmarks: serve.c over Mbed TLS, with its own cookies and tickets. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/ssl_ticket.h>
#include <stdlib.h>
#include <string.h>

#include "serve.h"

enum { TICKET_LIFETIME_S = 3600 };

struct client {
    mbedtls_ssl_context ssl;
    struct peer *peer;
    const uint8_t *in; /* read next, then NULL */
    size_t in_len;
    bool ready, timer;
};

static struct {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_ssl_config config;
    mbedtls_ssl_cookie_ctx cookie;
    mbedtls_ssl_ticket_context ticket;
    mbedtls_x509_crt cert;
    mbedtls_pk_context key;
} lib;

static int receive_one(void *arg, unsigned char *out, size_t size)
{
    struct client *c = arg;
    if (!c->in)
        return MBEDTLS_ERR_SSL_WANT_READ;
    size_t n = c->in_len < size ? c->in_len : size;
    memcpy(out, c->in, n);
    c->in = NULL;
    return (int)n;
}

static int send_one(void *arg, const unsigned char *data, size_t len)
{
    serve_send(((struct client *)arg)->peer, data, len);
    return (int)len;
}

/* Timers that never expire: nothing is lost here. */
static void set_timer(void *arg, uint32_t intermediate, uint32_t final)
{
    (void)intermediate;
    ((struct client *)arg)->timer = final != 0;
}

static int get_timer(void *arg)
{
    return ((struct client *)arg)->timer ? 0 : -1;
}

static bool use_identity(const struct server_options *o)
{
    static const int psk_suite[] = {MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, 0};
    if (o->psk_len) {
        mbedtls_ssl_conf_ciphersuites(&lib.config, psk_suite);
        return !mbedtls_ssl_conf_psk(&lib.config, o->psk, o->psk_len, (const uint8_t *)"bench", 5);
    }
    return !mbedtls_x509_crt_parse_file(&lib.cert, o->cert) &&
           !mbedtls_pk_parse_keyfile(&lib.key, o->key, NULL) &&
           !mbedtls_ssl_conf_own_cert(&lib.config, &lib.cert, &lib.key);
}

static bool init(const struct server_options *o)
{
    mbedtls_entropy_init(&lib.entropy);
    mbedtls_ctr_drbg_init(&lib.random);
    mbedtls_ssl_config_init(&lib.config);
    mbedtls_ssl_cookie_init(&lib.cookie);
    mbedtls_ssl_ticket_init(&lib.ticket);
    mbedtls_x509_crt_init(&lib.cert);
    mbedtls_pk_init(&lib.key);
    if (mbedtls_ctr_drbg_seed(&lib.random, mbedtls_entropy_func, &lib.entropy, NULL, 0) ||
        mbedtls_ssl_config_defaults(&lib.config, MBEDTLS_SSL_IS_SERVER,
                                    MBEDTLS_SSL_TRANSPORT_DATAGRAM, MBEDTLS_SSL_PRESET_DEFAULT) ||
        mbedtls_ssl_cookie_setup(&lib.cookie, mbedtls_ctr_drbg_random, &lib.random) ||
        mbedtls_ssl_ticket_setup(&lib.ticket, mbedtls_ctr_drbg_random, &lib.random,
                                 MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFETIME_S) ||
        !use_identity(o))
        return false;
    mbedtls_ssl_conf_rng(&lib.config, mbedtls_ctr_drbg_random, &lib.random);
    mbedtls_ssl_conf_dtls_cookies(&lib.config, mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check,
                                  &lib.cookie);
    mbedtls_ssl_conf_session_tickets_cb(&lib.config, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, &lib.ticket);
    return true;
}

static bool open_client(struct peer *p, const uint8_t *data, size_t len)
{
    struct client *c = calloc(1, sizeof *c);
    (void)data, (void)len;
    if (!c)
        exit(1);
    mbedtls_ssl_init(&c->ssl);
    if (mbedtls_ssl_setup(&c->ssl, &lib.config))
        exit(1);
    mbedtls_ssl_set_bio(&c->ssl, c, send_one, receive_one, NULL);
    mbedtls_ssl_set_timer_cb(&c->ssl, c, set_timer, get_timer);
    mbedtls_ssl_set_client_transport_id(&c->ssl, (const uint8_t *)&p->address, sizeof p->address);
    p->state = c;
    return true;
}

static bool shake(struct client *c)
{
    int n = mbedtls_ssl_handshake(&c->ssl);
    if (n == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED) {
        mbedtls_ssl_session_reset(&c->ssl);
        mbedtls_ssl_set_client_transport_id(&c->ssl, (const uint8_t *)&c->peer->address,
                                            sizeof c->peer->address);
        return true;
    }
    if (n)
        return n == MBEDTLS_ERR_SSL_WANT_READ;
    c->ready = true;
    serve_ready();
    return true;
}

static bool read_message(struct client *c)
{
    static uint8_t text[16384];
    int n = mbedtls_ssl_read(&c->ssl, text, sizeof text);
    if (n > 0)
        serve_message(c->peer, text, (size_t)n);
    return n > 0 || n == MBEDTLS_ERR_SSL_WANT_READ;
}

static bool input(struct peer *p, const uint8_t *data, size_t len)
{
    struct client *c = p->state;
    c->peer = p;
    c->in = data;
    c->in_len = len;
    return c->ready ? read_message(c) : shake(c);
}

static bool write_message(struct peer *p, const uint8_t *data, size_t len)
{
    return mbedtls_ssl_write(&((struct client *)p->state)->ssl, data, len) > 0;
}

static void close_client(struct peer *p)
{
    struct client *c = p->state;
    mbedtls_ssl_free(&c->ssl);
    free(c);
}

int main(int argc, char **argv)
{
    return serve(argc, argv,
                 &(struct engine){init, open_client, input, write_message, close_client});
}
