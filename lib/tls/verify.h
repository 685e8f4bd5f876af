/* SPDX-License-Identifier: MIT */
/* Which certificates are trusted, and why one is not. */
#ifndef SD_TLS_VERIFY_H
#define SD_TLS_VERIFY_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/err.h"
#include "tls/context.h"

/* What config->verify means for this role; never SDTLS_VERIFY_DEFAULT. */
enum sdtls_verify sd_verify_mode(enum sd_role role, const sdtls_config *config);
/* Trust store, pins and verification mode of the context. Errors: CRED, OPTION, NOMEM. */
int sd_verify_setup(struct sd_tls *t, const sdtls_config *config, struct sd_err *err);
/* Sets the name or IP address that the peer's certificate has to contain. False when OpenSSL
 * cannot compare `host` with a certificate. */
bool sd_verify_expect(SSL *ssl, const char *host);
/* True when the certificate contains this name or IP address. */
bool sd_verify_carries(X509 *cert, const char *host);
#define SD_HOST_MAX 255

/* Copies "ADDRESS%scope" without the scope and "name." without the dot to buf; NULL when host
 * is NULL, empty or too long. */
const char *sd_verify_host(const char *host, char buf[static SD_HOST_MAX + 1]);
bool sd_verify_is_ip(const char *host);
/* True when the peer is trusted; otherwise buf says why not. */
bool sd_verify_text(SSL *ssl, char *buf, size_t len);

#endif
