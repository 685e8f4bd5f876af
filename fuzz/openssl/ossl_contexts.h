/* SPDX-License-Identifier: MIT */
/* Contexts for fuzz_ossl_listen. */
#ifndef FUZZ_OSSL_CONTEXTS_H
#define FUZZ_OSSL_CONTEXTS_H

#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/* Makes the contexts that are missing; afterwards clock and random numbers are as at the
 * beginning. */
void ossl_contexts_reset(void);
/* DTLS 1.0 and 1.2, every cipher suite, an ECDSA and an RSA certificate, a PSK; the same at each
 * start of the program. */
SSL_CTX *ossl_context_server(void);
SSL_CTX *ossl_context_client(void);
/* One version of DTLS only, or TLS. */
SSL_CTX *ossl_context_odd(bool tls);

#endif
