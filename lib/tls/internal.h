/* SPDX-License-Identifier: MIT */
/* What the files of the room share: the context, and what is kept with an SSL. */
#ifndef SD_TLS_INTERNAL_H
#define SD_TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "tls/credentials.h"
#include "tls/offer.h"
#include "tls/pin.h"
#include "tls/prepare.h"
#include "tls/psk.h"

struct sd_tls {
    size_t users; /* atomic: endpoints of several threads share it */
    SSL_CTX *ctx;
    enum sd_role role;
    enum sdtls_verify verify;
    bool own_ctx, raw;
    struct sd_versions versions;
    const struct sd_acceptor *acceptor; /* of a server */
    struct sd_alpn alpn;
    struct sd_psk psk;
    struct sd_pins pins;
    bool pins_alone; /* there are pins, and nothing else that the certificate is measured by */
    char *server_name, *verify_host, *session_file; /* NULL = not set */
    char fingerprint[SD_FINGERPRINT_TEXT];          /* of our certificate; "" = none */
    void (*log)(void *arg, int level, const char *line);
    void (*keylog)(void *arg, const char *line);
    void *cb_arg;
};

/* What we keep with an SSL; freed together with it. */
struct sd_ssl_link {
    struct sd_tls *tls;
    char *expected;       /* the host that the certificate has to name; NULL = any */
    X509 *culprit;        /* the first certificate of the chain that is not trusted, or NULL */
    int error;            /* X509_V_ERR_* of the culprit */
    bool unpinned;        /* the culprit is the peer's own certificate, and none of the pins */
    bool name_open;       /* OpenSSL cannot compare `expected` with a certificate */
    SSL_SESSION *offered; /* by a client for resumption, or NULL; see resume.c */
};

/* NULL for an SSL that sd_tls_prepare() has not seen. */
struct sd_ssl_link *sd_ssl_link_of(const SSL *ssl);
/* The same, made when it does not exist yet; NULL when there is no memory. */
struct sd_ssl_link *sd_ssl_link_make(SSL *ssl);
struct sd_tls *sd_tls_of(const SSL *ssl);
/* One line to the program's log callback; `level` as in sdtls_config. */
void sd_tls_log(const struct sd_tls *t, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
