/* What the sessions need of their context, in OpenSSL's terms. */
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

/* Readies a fresh SSL of sd_tls_native(): versions, server name, the name to
 * verify, the session to resume, and the guarding options on one of a caller's
 * SSL_CTX. host (client): what the user asked for, a name or an address, or
 * NULL. t has to outlive ssl. Errors: OPTION, NOMEM. */
int sd_tls_prepare(struct sd_tls *t, SSL *ssl, const char *host, struct sd_err *err);
/* True when the peer is trusted; else buf tells why not. Also right after a
 * handshake that failed because of it. */
bool sd_tls_verify_text(const struct sd_tls *t, SSL *ssl, char *buf, size_t len);

#endif
