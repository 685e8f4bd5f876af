/* SPDX-License-Identifier: MIT */
/* What all sessions of one role share: certificate, trust, ciphers, versions. Made from the
 * public configuration, and never changed. */
#ifndef SD_TLS_CONTEXT_H
#define SD_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sukat_dtls.h"

enum sd_role { SD_ROLE_CLIENT, SD_ROLE_SERVER };

struct sd_tls; /* the context */

/* Copies what it needs from `config`. Errors (enum sdtls_err, sentence in `err`): CRED, OPTION,
 * NOMEM, TLSLIB. The sentence names the file or the value, and what to do about it. */
int sd_tls_new(struct sd_tls **pt, enum sd_role role, const sdtls_config *config,
               struct sd_err *err);
/* Another user of the same context; returns it. Each gives it back with sd_tls_free(). */
struct sd_tls *sd_tls_share(struct sd_tls *t);
/* The last user frees it. NULL is fine. */
void sd_tls_free(struct sd_tls *t);
/* "AB:CD:...", SHA-256 of our own certificate, or NULL. */
const char *sd_tls_fingerprint(const struct sd_tls *t);
/* The SSL_CTX, borrowed. */
void *sd_tls_native(const struct sd_tls *t);

/* Take and give back a reference to the caller's SSL_CTX, as long as a configuration that
 * names it is in use; NULL is fine. */
void sd_tls_hold(void *ssl_ctx);
void sd_tls_release(void *ssl_ctx);

/* "OpenSSL 3.0.19 27 Jan 2026 (built against ...)". */
const char *sd_tls_library(void);

#endif
