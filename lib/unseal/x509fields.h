/* What struct sd_cert says of a certificate. */
#ifndef SD_UNSEAL_X509FIELDS_H
#define SD_UNSEAL_X509FIELDS_H

#include <openssl/x509.h>

#include "wire/certificate.h"

/* False when its dates cannot be read. May leave something in OpenSSL's error queue. */
bool sd_x509_fields(X509 *x, struct sd_cert *cert);

#endif
