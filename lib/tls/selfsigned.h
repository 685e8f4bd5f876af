/* A throw-away certificate. */
#ifndef SD_TLS_SELFSIGNED_H
#define SD_TLS_SELFSIGNED_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"

/* ECDSA P-256, signed by itself, valid from yesterday (clocks differ) for 30
 * days, for the machine's name and for loopback. The caller frees both.
 * Errors: TLSLIB. */
int sd_selfsigned_make(X509 **pcert, EVP_PKEY **pkey, struct sd_err *err);

#endif
