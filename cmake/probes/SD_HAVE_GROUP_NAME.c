/* SPDX-License-Identifier: MIT */
#include <openssl/ssl.h>

int main(void)
{
    return SSL_get0_group_name(NULL) != NULL;
}
