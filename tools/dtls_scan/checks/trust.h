/* SPDX-License-Identifier: MIT */
/* Whether a chain leads to a CA that is trusted. */
#ifndef SCAN_CHECKS_TRUST_H
#define SCAN_CHECKS_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cursor.h"

struct scan_trust {
    bool trusted;
    bool named;     /* the certificate is for the host; true when there is no host to compare */
    bool ordered;   /* each certificate is signed by the one after it */
    unsigned count; /* certificates */
    char text[160]; /* why it is not trusted, in OpenSSL's words */
};

/* `message`: the body of a Certificate message of DTLS 1.2. ca_file: NULL = the system's store.
 * False when there is no certificate in it that can be read. */
bool scan_trust_verify(struct scan_trust *t, struct sd_span message, const char *ca_file,
                       const char *host);

#endif
