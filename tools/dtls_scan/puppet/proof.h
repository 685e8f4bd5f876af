/* SPDX-License-Identifier: MIT */
/* The client's certificate, and the CertificateVerify that proves its key (RFC 5246 section 7.4.8,
 * RFC 4346 section 7.4.8). */
#ifndef PUPPET_PROOF_H
#define PUPPET_PROOF_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

enum { PUPPET_PROOF_MAX = 2 + 2 + 1024 /* RSA of 8,192 bits */ };

/* Borrowed by the puppet. */
struct puppet_login {
    struct sd_span chain; /* body of the Certificate message; empty = no certificate */
    EVP_PKEY *key;
};

/* Writes the body of CertificateVerify over the transcript. `request`: the body of the server's
 * CertificateRequest. False when the key has no algorithm that the server takes. */
bool puppet_prove(struct sd_wr *w, EVP_PKEY *key, uint16_t version, struct sd_span request,
                  struct sd_span transcript);

#endif
