/* SPDX-License-Identifier: MIT */
/* mbedtls_server CERT KEY: serves one DTLS 1.2 client on 127.0.0.1 after a cookie, sends back what
 * it says. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/timing.h>

#include "peer.h"

struct server {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_ssl_config config;
    mbedtls_ssl_cookie_ctx cookie;
    mbedtls_x509_crt cert;
    mbedtls_pk_context key;
    mbedtls_ssl_context ssl;
    mbedtls_timing_delay_context timer;
};

static int set_up(struct server *s, char **argv)
{
    mbedtls_entropy_init(&s->entropy);
    mbedtls_ctr_drbg_init(&s->random);
    mbedtls_ssl_config_init(&s->config);
    mbedtls_ssl_cookie_init(&s->cookie);
    mbedtls_x509_crt_init(&s->cert);
    mbedtls_pk_init(&s->key);
    mbedtls_ssl_init(&s->ssl);
    if (mbedtls_ctr_drbg_seed(&s->random, mbedtls_entropy_func, &s->entropy, NULL, 0) ||
        mbedtls_x509_crt_parse_file(&s->cert, argv[1]) ||
        mbedtls_pk_parse_keyfile(&s->key, argv[2], NULL) ||
        mbedtls_ssl_config_defaults(&s->config, MBEDTLS_SSL_IS_SERVER,
                                    MBEDTLS_SSL_TRANSPORT_DATAGRAM, MBEDTLS_SSL_PRESET_DEFAULT) ||
        mbedtls_ssl_cookie_setup(&s->cookie, mbedtls_ctr_drbg_random, &s->random) ||
        mbedtls_ssl_conf_own_cert(&s->config, &s->cert, &s->key))
        return -1;
    mbedtls_ssl_conf_rng(&s->config, mbedtls_ctr_drbg_random, &s->random);
    mbedtls_ssl_conf_dtls_cookies(&s->config, mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check,
                                  &s->cookie);
    return mbedtls_ssl_setup(&s->ssl, &s->config);
}

/* The library forgets the client after its own HelloVerifyRequest: begin anew, once. */
static int shake(mbedtls_ssl_context *ssl, const struct sockaddr_in *from)
{
    int n = MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED;

    for (int i = 0; i < 2 && n == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED; i++) {
        mbedtls_ssl_session_reset(ssl);
        mbedtls_ssl_set_client_transport_id(ssl, (const unsigned char *)from, sizeof(*from));
        n = mbedtls_ssl_handshake(ssl);
    }
    return n;
}

int main(int argc, char **argv)
{
    static struct server s;
    struct sockaddr_in from = {0};
    socklen_t len = sizeof(from);
    unsigned char text[256];

    if (argc < 3 || set_up(&s, argv))
        return 2;
    mbedtls_net_context net = {.fd = peer_listen()};
    if (recvfrom(net.fd, text, 1, MSG_PEEK, (struct sockaddr *)&from, &len) < 0 ||
        connect(net.fd, (struct sockaddr *)&from, len))
        return 2;
    mbedtls_ssl_set_bio(&s.ssl, &net, mbedtls_net_send, mbedtls_net_recv, mbedtls_net_recv_timeout);
    mbedtls_ssl_set_timer_cb(&s.ssl, &s.timer, mbedtls_timing_set_delay, mbedtls_timing_get_delay);

    int n = shake(&s.ssl, &from);
    if (!n)
        n = mbedtls_ssl_read(&s.ssl, text, sizeof(text));
    if (n > 0)
        n = mbedtls_ssl_write(&s.ssl, text, (size_t)n);
    if (n <= 0)
        fprintf(stderr, "Mbed TLS error -0x%04x\n", (unsigned)-n);
    return peer_print((const char *)text, n);
}
