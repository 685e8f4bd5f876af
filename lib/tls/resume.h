/* A client's session, kept in a file between two runs. */
#ifndef SD_TLS_RESUME_H
#define SD_TLS_RESUME_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* New sessions of ctx go to the session_file of their sd_tls. */
void sd_resume_setup(SSL_CTX *ctx);
/* Puts the session of the file into ssl when there is one that may be used:
 * under `strict` only one whose peer was trusted and carries the name `host`
 * (NULL = any), because resumption shows no certificate. Whatever is wrong
 * with the file is a line in the log and a full handshake. */
void sd_resume_load(SSL *ssl, bool strict, const char *host);

#endif
