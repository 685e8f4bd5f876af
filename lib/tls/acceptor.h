/* SPDX-License-Identifier: MIT */
/* How a server's session begins: the seam between the gate and what OpenSSL has for servers.
 *
 * The gate proves an address with a HelloVerifyRequest of its own, which is the cookie exchange of
 * DTLS 1.0 and 1.2 (RFC 6347 section 4.2.1). DTLS 1.3 has a HelloRetryRequest instead (RFC 9147
 * section 5.1), which belongs to the transcript: OpenSSL from 4.1 on makes it in
 * SSL_new_listener(). */
#ifndef SD_TLS_ACCEPTOR_H
#define SD_TLS_ACCEPTOR_H

#include <openssl/ssl.h>

#include "base/err.h"

struct sd_acceptor {
    const char *name;
    int newest; /* enum sdtls_version that it can begin with */
    /* Makes OpenSSL take the admitted ClientHello, which waits in the BIO, as one with a valid
     * cookie. */
    int (*begin)(SSL *ssl, struct sd_err *err);
};

/* For a server that offers up to `newest` (enum sdtls_version). Errors: OPTION. */
int sd_acceptor_choose(const struct sd_acceptor **a, int newest, struct sd_err *err);

#endif
