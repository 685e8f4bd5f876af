/* SPDX-License-Identifier: MIT */
/* Fills a struct sd_cert from a certificate. */
#ifndef SD_UNSEAL_X509FIELDS_H
#define SD_UNSEAL_X509FIELDS_H

#include <openssl/x509.h>

#include "wire/certificate.h"

/* False when the dates cannot be read. May leave errors in OpenSSL's error queue. */
bool sd_x509fields_read(X509 *x, struct sd_cert *cert);
/* Printable, cut to fit. */
void sd_x509fields_dn(char *buf, size_t cap, const X509_NAME *name);

#endif
