/* SPDX-License-Identifier: MIT */
/* The session of a client, kept in a file from one run to the next. */
#ifndef SD_TLS_RESUME_H
#define SD_TLS_RESUME_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* Makes OpenSSL write new sessions of ctx to the session_file of their context. */
void sd_resume_setup(SSL_CTX *ctx);
/* Makes ssl offer the session of the file. With `strict` the session's peer must have been
 * trusted and its certificate must name `host` (NULL = any), because the peer of a resumed
 * session shows no certificate. When the session cannot be used, one line in the log says
 * why, and the handshake is a full one. */
void sd_resume_load(SSL *ssl, bool strict, const char *host);

#endif
