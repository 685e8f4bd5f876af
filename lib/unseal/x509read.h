/* SPDX-License-Identifier: MIT */
/* Reads the certificates of a capture for a diagnosis: the sd_cert_reader of
 * wire/certificate.h. It has no trust store and verifies no chain by itself. */
#ifndef SD_UNSEAL_X509READ_H
#define SD_UNSEAL_X509READ_H

#include "wire/certificate.h"

struct sd_x509read;

/* NULL when there is no memory. */
struct sd_x509read *sd_x509read_new(void);
void sd_x509read_free(struct sd_x509read *r);

/* Valid until `r` is freed; one thread at a time. The results for a bounded number of
 * certificates are kept: in a capture the same few come again and again. */
struct sd_cert_reader sd_x509read_hooks(struct sd_x509read *r);

#endif
