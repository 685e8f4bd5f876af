/* SPDX-License-Identifier: MIT */
/* A listener for DTLS, from OpenSSL 4.1 on: the function alone is there since 3.5, for QUIC. */
#include <openssl/ssl.h>

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_server_method());
    SSL *listener =
        SSL_CTX_set_max_proto_version(ctx, DTLS1_3_VERSION) ? SSL_new_listener(ctx, 0) : NULL;
    return !SSL_accept_connection(listener, 0);
}
