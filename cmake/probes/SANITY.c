/* SPDX-License-Identifier: MIT */
/* What every supported OpenSSL has. Fails to start when the library does not
 * fit the C library or another one is found at run time. */
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdio.h>

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_server_method());
    if (!ctx || !SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION))
        return 1;
    SSL_CTX_free(ctx);
    /* The first byte of the version number: 1.x, 3.x, 4.x. */
    if (OpenSSL_version_num() >> 28 != OPENSSL_VERSION_NUMBER >> 28)
        return 2;
    puts(OpenSSL_version(OPENSSL_VERSION));
    return 0;
}
