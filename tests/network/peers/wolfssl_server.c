/* SPDX-License-Identifier: MIT */
/* wolfssl_server CERT KEY: serves one DTLS 1.2 client on 127.0.0.1, sends back what it says. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "peer.h"

int main(int argc, char **argv)
{
    char text[256];
    int n = -1;

    if (argc < 3)
        return 2;
    wolfSSL_Init();
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfDTLSv1_2_server_method());
    if (wolfSSL_CTX_use_certificate_file(ctx, argv[1], WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_use_PrivateKey_file(ctx, argv[2], WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
        return 2;
    WOLFSSL *ssl = wolfSSL_new(ctx);
    wolfSSL_set_fd(ssl, peer_listen());
    if (wolfSSL_accept(ssl) == WOLFSSL_SUCCESS && (n = wolfSSL_read(ssl, text, sizeof(text))) > 0)
        n = wolfSSL_write(ssl, text, n);
    if (n <= 0)
        fprintf(stderr, "wolfSSL error %d\n", wolfSSL_get_error(ssl, n));
    return peer_print(text, n);
}
