/* SPDX-License-Identifier: MIT */
/* mbedtls_scan: loop.h over Mbed TLS, 2.28 and 3.6. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/timing.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

enum { TICKET_LIFETIME_S = 3600, CID_BYTES = 5 };

struct state {
    mbedtls_ssl_context ssl;
    mbedtls_timing_delay_context timer;
};

static struct {
    struct scan_options options;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_ssl_config config;
    mbedtls_ssl_cookie_ctx cookie;
    mbedtls_ssl_ticket_context ticket;
    mbedtls_x509_crt cert, ca;
    mbedtls_pk_context key;
} lib;

static int receive_one(void *arg, unsigned char *out, size_t size)
{
    size_t n = scan_take(arg, out, size);
    return n ? (int)n : MBEDTLS_ERR_SSL_WANT_READ;
}

static int send_one(void *arg, const unsigned char *data, size_t len)
{
    scan_send(arg, data, len);
    return (int)len;
}

static int parse_key(const char *path)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_keyfile(&lib.key, path, NULL, mbedtls_ctr_drbg_random, &lib.random);
#else
    return mbedtls_pk_parse_keyfile(&lib.key, path, NULL);
#endif
}

static bool use_identity(const struct scan_options *o)
{
    if (o->psk_len &&
        mbedtls_ssl_conf_psk(&lib.config, o->psk, o->psk_len, (const uint8_t *)"someone", 7))
        return false;
    if (o->ca) {
        if (mbedtls_x509_crt_parse_file(&lib.ca, o->ca))
            return false;
        mbedtls_ssl_conf_ca_chain(&lib.config, &lib.ca, NULL);
        mbedtls_ssl_conf_authmode(&lib.config, MBEDTLS_SSL_VERIFY_REQUIRED);
    }
    return !o->cert || (!mbedtls_x509_crt_parse_file(&lib.cert, o->cert) && !parse_key(o->key) &&
                        !mbedtls_ssl_conf_own_cert(&lib.config, &lib.cert, &lib.key));
}

static void prepare(void)
{
    mbedtls_entropy_init(&lib.entropy);
    mbedtls_ctr_drbg_init(&lib.random);
    mbedtls_ssl_config_init(&lib.config);
    mbedtls_ssl_cookie_init(&lib.cookie);
    mbedtls_ssl_ticket_init(&lib.ticket);
    mbedtls_x509_crt_init(&lib.cert);
    mbedtls_x509_crt_init(&lib.ca);
    mbedtls_pk_init(&lib.key);
}

static bool set_up(const struct scan_options *o)
{
    return !mbedtls_ctr_drbg_seed(&lib.random, mbedtls_entropy_func, &lib.entropy, NULL, 0) &&
           !mbedtls_ssl_config_defaults(&lib.config, MBEDTLS_SSL_IS_SERVER,
                                        MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                        MBEDTLS_SSL_PRESET_DEFAULT) &&
           !mbedtls_ssl_cookie_setup(&lib.cookie, mbedtls_ctr_drbg_random, &lib.random) &&
           !mbedtls_ssl_ticket_setup(&lib.ticket, mbedtls_ctr_drbg_random, &lib.random,
                                     MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFETIME_S) &&
           use_identity(o);
}

/* What the configuration has; which of it fits the certificate is left to the reader. */
static void print_suites(void)
{
    printf("suites");
    for (const int *id = mbedtls_ssl_list_ciphersuites(); *id; id++)
        printf("%c%04x", id == mbedtls_ssl_list_ciphersuites() ? ' ' : ':', (unsigned)*id);
    printf("\n");
}

static bool init(const struct scan_options *o)
{
    lib.options = *o;
    prepare();
    if (o->v13 || !set_up(o))
        return false;
    print_suites();
    mbedtls_ssl_conf_rng(&lib.config, mbedtls_ctr_drbg_random, &lib.random);
    if (o->no_cookie)
        mbedtls_ssl_conf_dtls_cookies(&lib.config, NULL, NULL, NULL);
    else
        mbedtls_ssl_conf_dtls_cookies(&lib.config, mbedtls_ssl_cookie_write,
                                      mbedtls_ssl_cookie_check, &lib.cookie);
    if (!o->no_tickets)
        mbedtls_ssl_conf_session_tickets_cb(&lib.config, mbedtls_ssl_ticket_write,
                                            mbedtls_ssl_ticket_parse, &lib.ticket);
#if defined(MBEDTLS_SSL_DTLS_CONNECTION_ID)
    if (o->cid)
        mbedtls_ssl_conf_cid(&lib.config, CID_BYTES, MBEDTLS_SSL_UNEXPECTED_CID_IGNORE);
#endif
    return true;
}

static void greet(struct scan_client *c, mbedtls_ssl_context *ssl)
{
    mbedtls_ssl_set_client_transport_id(ssl, (const uint8_t *)&c->address, sizeof c->address);
#if defined(MBEDTLS_SSL_DTLS_CONNECTION_ID)
    if (lib.options.cid)
        mbedtls_ssl_set_cid(ssl, MBEDTLS_SSL_CID_ENABLED, (const uint8_t *)"truth", CID_BYTES);
#endif
}

static void *open_client(struct scan_client *c)
{
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    mbedtls_ssl_init(&s->ssl);
    if (mbedtls_ssl_setup(&s->ssl, &lib.config))
        return NULL;
    mbedtls_ssl_set_bio(&s->ssl, c, send_one, receive_one, NULL);
    mbedtls_ssl_set_timer_cb(&s->ssl, &s->timer, mbedtls_timing_set_delay,
                             mbedtls_timing_get_delay);
    greet(c, &s->ssl);
    return s;
}

/* HELLO_VERIFY_REQUIRED ends it: the loop forgets a client that only has a cookie anyway. A client
 * that starts again (RFC 6347 4.2.8) goes on with another handshake. */
static bool goes_on(int n)
{
    return n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static bool shake(struct scan_client *c, struct state *s)
{
    int n = mbedtls_ssl_handshake(&s->ssl);
    c->ready = n == 0;
    return c->ready || goes_on(n);
}

static bool step(struct scan_client *c)
{
    struct state *s = c->state;
    static uint8_t text[16384];
    int n = MBEDTLS_ERR_SSL_CLIENT_RECONNECT;
    if (!c->ready && !shake(c, s))
        return false;
    if (!c->ready)
        return true;
    while ((n = mbedtls_ssl_read(&s->ssl, text, sizeof text)) > 0)
        mbedtls_ssl_write(&s->ssl, text, (size_t)n);
    if (n == MBEDTLS_ERR_SSL_CLIENT_RECONNECT) {
        greet(c, &s->ssl);
        return shake(c, s);
    }
    return goes_on(n);
}

static bool tick(struct scan_client *c)
{
    struct state *s = c->state;
    return c->ready || mbedtls_timing_get_delay(&s->timer) != 2 || shake(c, s);
}

static void close_client(struct scan_client *c)
{
    struct state *s = c->state;
    mbedtls_ssl_free(&s->ssl);
    free(s);
}

int main(int argc, char **argv)
{
    return scan_serve(argc, argv,
                      &(struct scan_engine){init, open_client, step, tick, close_client});
}
