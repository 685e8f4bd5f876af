/* SPDX-License-Identifier: MIT */
/* Certificates, keys and the files they come from. */
#ifndef SD_TLS_CREDENTIALS_H
#define SD_TLS_CREDENTIALS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/err.h"

/* "AB:CD:...": 32 bytes as hex pairs, and the terminator. */
#define SD_FINGERPRINT_TEXT 96

/* Loads a certificate with its chain, and its key; both files are PEM. key_file NULL: the key
 * is in cert_file. Never asks for a password. Errors: CRED, NOMEM. */
int sd_credentials_load(SSL_CTX *ctx, const char *cert_file, const char *key_file,
                        struct sd_err *err);
/* SHA-256 of a certificate; false when there is no certificate or OpenSSL fails. */
bool sd_credentials_fingerprint(const X509 *cert, char out[static SD_FINGERPRINT_TEXT]);

#endif
