/* SPDX-License-Identifier: MIT */
/* wolfssl_client PORT: says a line to a DTLS 1.2 server on 127.0.0.1, prints the answer. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "peer.h"

int main(int argc, char **argv)
{
    struct sockaddr_in to = peer_address(argc > 1 ? argv[1] : "0");
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char text[256];
    int n = -1;

    wolfSSL_Init();
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfDTLSv1_2_client_method());
    wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_NONE, NULL);
    WOLFSSL *ssl = wolfSSL_new(ctx);
    wolfSSL_dtls_set_peer(ssl, &to, sizeof(to));
    wolfSSL_set_fd(ssl, fd);
    if (wolfSSL_connect(ssl) == WOLFSSL_SUCCESS &&
        wolfSSL_write(ssl, PEER_LINE, sizeof(PEER_LINE) - 1) > 0)
        n = wolfSSL_read(ssl, text, sizeof(text));
    if (n <= 0)
        fprintf(stderr, "wolfSSL error %d\n", wolfSSL_get_error(ssl, n));
    return peer_print(text, n);
}
