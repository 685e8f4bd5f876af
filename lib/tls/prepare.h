/* SPDX-License-Identifier: MIT */
/* What a session needs of its context, in OpenSSL's terms. */
#ifndef SD_TLS_PREPARE_H
#define SD_TLS_PREPARE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "tls/context.h"

bool sd_tls_raw(const struct sd_tls *t);                           /* SDTLS_F_RAW */
const struct sd_acceptor *sd_tls_acceptor(const struct sd_tls *t); /* of a server */
bool sd_tls_wants_client_cert(const struct sd_tls *t);

/* Prepares a new SSL of sd_tls_native(): versions, server name, the name to verify, the session
 * to resume, and the protective options when the SSL_CTX is the caller's. host (client): the
 * name or address that the user asked for, or NULL. t has to outlive ssl. Errors: OPTION,
 * NOMEM. */
int sd_tls_prepare(struct sd_tls *t, SSL *ssl, const char *host, struct sd_err *err);
/* True when the peer is trusted; otherwise buf says why not. Also valid after a handshake that
 * failed for this reason. */
bool sd_tls_verify_text(const struct sd_tls *t, SSL *ssl, char *buf, size_t len);

#endif
