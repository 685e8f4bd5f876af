/* SPDX-License-Identifier: MIT */
/* What we offer and accept: cipher suites, groups, signature algorithms, ALPN, SRTP. */
#ifndef SD_TLS_OFFER_H
#define SD_TLS_OFFER_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/err.h"
#include "tls/context.h"
#include "tls/versions.h"

/* Names as RFC 7301 puts them on the wire. */
struct sd_alpn {
    unsigned char *names;
    unsigned len; /* 0 = none */
};

/* `config` also decides whether suites for a PSK, for a certificate or for both are offered.
 * Errors: OPTION, NOMEM. */
int sd_tls_offer(SSL_CTX *ctx, struct sd_alpn *alpn, enum sd_role role, struct sd_versions v,
                 const sdtls_config *config, struct sd_err *err);
void sd_alpn_fini(struct sd_alpn *alpn);

#endif
