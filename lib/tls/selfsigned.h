/* SPDX-License-Identifier: MIT */
/* A temporary self-signed certificate. */
#ifndef SD_TLS_SELFSIGNED_H
#define SD_TLS_SELFSIGNED_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"

/* ECDSA P-256, for this host's name and for loopback. Valid from yesterday, because clocks
 * differ, for 30 days from now. The caller frees both. Errors: TLSLIB. */
int sd_selfsigned_make(X509 **pcert, EVP_PKEY **pkey, struct sd_err *err);

#endif
