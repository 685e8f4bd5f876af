/* SPDX-License-Identifier: MIT */
/* Hands the secrets of our sessions to the program's key log callback. */
#ifndef SD_TLS_KEYLOG_H
#define SD_TLS_KEYLOG_H

#include <openssl/ssl.h>

/* A caller's SSL_CTX may have sessions that are not ours: their lines are left out. This
 * replaces a key log callback that the caller set. */
void sd_keylog_setup(SSL_CTX *ctx);

#endif
