/* SPDX-License-Identifier: MIT */
#include <openssl/evp.h>

int main(void)
{
    EVP_MAC_free(EVP_MAC_fetch(NULL, "HMAC", NULL));
    return 0;
}
