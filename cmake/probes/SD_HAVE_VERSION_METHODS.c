/* SPDX-License-Identifier: MIT */
/* DTLSv1_2_method(): gone in OpenSSL 4.0. */
#include <openssl/ssl.h>

int main(void)
{
    return DTLSv1_2_method() == NULL;
}
