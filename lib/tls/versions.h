/* SPDX-License-Identifier: MIT */
/* The versions of DTLS that we offer and accept. */
#ifndef SD_TLS_VERSIONS_H
#define SD_TLS_VERSIONS_H

#include <openssl/ssl.h>

#include "base/err.h"
#include "sukat_dtls.h"

struct sd_versions {
    int min, max; /* enum sdtls_version, which is OpenSSL's number too */
};

/* What the configuration asks for: DTLS 1.2 alone by default. When only one limit is set, the
 * other one moves along if it has to. Errors: OPTION. */
int sd_versions_choose(struct sd_versions *v, const sdtls_config *config, struct sd_err *err);
/* Sets both limits: without them a new release of OpenSSL may widen the range.
 * Errors: OPTION. */
int sd_versions_limit(SSL *ssl, struct sd_versions v, struct sd_err *err);

#endif
