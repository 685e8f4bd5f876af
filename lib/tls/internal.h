/* What an sd_tls is made of, for the files that make it. */
#ifndef SD_TLS_INTERNAL_H
#define SD_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "tls/credentials.h"
#include "tls/offer.h"
#include "tls/prepare.h"
#include "tls/psk.h"

struct sd_tls {
    SSL_CTX *ctx;
    enum sd_role role;
    enum sdtls_verify verify;
    bool own_ctx, raw;
    struct sd_versions versions;
    const struct sd_acceptor *acceptor; /* of a server */
    struct sd_offer_alpn alpn;
    struct sd_psk psk;
    char *server_name, *verify_host, *session_file; /* NULL = not set */
    char fingerprint[SD_FINGERPRINT_TEXT];          /* "" = no certificate */
    void (*log)(void *arg, int level, const char *line);
    void (*keylog)(void *arg, const char *line);
    void *cb_arg;
};

/* What we keep with an SSL; freed together with it. */
struct sd_ssl_link {
    struct sd_tls *tls;
    X509 *culprit;        /* the certificate of the chain that was not trusted, or NULL */
    SSL_SESSION *offered; /* by a client, to be resumed, or NULL; see resume.c */
    int error;            /* X509_V_ERR_* of it */
    bool name_open;       /* the host's name is none that OpenSSL compares with a certificate */
};

/* NULL for an SSL that sd_tls_prepare() has not seen. */
struct sd_ssl_link *sd_ssl_link_of(const SSL *ssl);
/* The same, made where there is none; NULL when there is no memory. */
struct sd_ssl_link *sd_ssl_link_make(SSL *ssl);
struct sd_tls *sd_tls_of(const SSL *ssl);
void sd_tls_log(const struct sd_tls *t, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
