/* SPDX-License-Identifier: MIT */
/* mbedtls_client PORT: says a line to a DTLS 1.2 server on 127.0.0.1, prints the answer. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/timing.h>

#include "peer.h"

static int talk(mbedtls_ssl_context *ssl, unsigned char *text, size_t size)
{
    int n = mbedtls_ssl_handshake(ssl);

    if (!n)
        n = mbedtls_ssl_write(ssl, (const unsigned char *)PEER_LINE, sizeof(PEER_LINE) - 1);
    return n < 0 ? n : mbedtls_ssl_read(ssl, text, size);
}

int main(int argc, char **argv)
{
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_timing_delay_context timer;
    mbedtls_net_context net;
    unsigned char text[256];

    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_init(&ssl);
    mbedtls_net_init(&net);
    if (argc < 2 || mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0) ||
        mbedtls_net_connect(&net, "127.0.0.1", argv[1], MBEDTLS_NET_PROTO_UDP) ||
        mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT))
        return 2;
    mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
    if (mbedtls_ssl_setup(&ssl, &config))
        return 2;
    mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, mbedtls_net_recv_timeout);
    mbedtls_ssl_set_timer_cb(&ssl, &timer, mbedtls_timing_set_delay, mbedtls_timing_get_delay);

    int n = talk(&ssl, text, sizeof(text));
    if (n <= 0)
        fprintf(stderr, "Mbed TLS error -0x%04x\n", (unsigned)-n);
    return peer_print((const char *)text, n);
}
