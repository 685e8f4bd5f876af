/* SPDX-License-Identifier: MIT */
#include <openssl/ssl.h>

int main(void)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    return !ctx || !SSL_CTX_set_max_proto_version(ctx, DTLS1_3_VERSION);
}
