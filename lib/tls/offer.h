/* What we offer and accept: versions, cipher suites, groups, signature
 * algorithms, ALPN, SRTP. */
#ifndef SD_TLS_OFFER_H
#define SD_TLS_OFFER_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/err.h"
#include "tls/context.h"

struct sd_versions {
    int min, max; /* enum sdtls_version, which is OpenSSL's number too */
};

/* Names as RFC 7301 puts them on the wire. */
struct sd_alpn {
    unsigned char *names;
    unsigned len; /* 0 = none */
};

/* What the configuration asks for: 1.2 to 1.2 unless told otherwise; one given
 * limit moves the other one when it has to. Errors: OPTION. */
int sd_versions_choose(struct sd_versions *v, const sdtls_config *config, struct sd_err *err);
/* Sets both limits: without them, new releases of OpenSSL widen the range.
 * Errors: OPTION. */
int sd_versions_limit(SSL *ssl, struct sd_versions v, struct sd_err *err);
/* All of it but the versions. Whether there is a PSK or a certificate to
 * offer suites for is read from `config`. Errors: OPTION, NOMEM. */
int sd_offer_setup(SSL_CTX *ctx, struct sd_alpn *alpn, enum sd_role role, struct sd_versions v,
                   const sdtls_config *config, struct sd_err *err);
void sd_alpn_fini(struct sd_alpn *alpn);

#endif
