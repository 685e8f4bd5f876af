/* SPDX-License-Identifier: MIT */
/* How a client and a server know each other, and contexts of OpenSSL for that. Contexts are made
 * once, and are the same at each start of the program. */
#ifndef FUZZ_PAIR_H
#define FUZZ_PAIR_H

#include <openssl/ssl.h>

#include "openssl/ossl_env.h"

enum pair_kind {
    PAIR_CERT,
    PAIR_MUTUAL, /* the server asks for a certificate */
    PAIR_PSK,
    PAIR_OLD,  /* DTLS 1.0 */
    PAIR_OURS, /* the kinds above work for sessions of ours as well */
    /* With stock OpenSSL at both ends. */
    PAIR_ETM = PAIR_OURS, /* CBC with encrypt-then-MAC */
    PAIR_RSA,             /* the client sends the secret encrypted */
    PAIR_DHE,
    PAIR_ANONYMOUS,
    PAIR_PSK_DHE,
    PAIR_PSK_RSA,
    PAIR_EXTENSIONS, /* ALPN, SRTP, short fragments, an RSA certificate of the client */
    PAIR_RESUMED,    /* from a session made before */
    PAIR_ED25519,
    PAIR_RSA_PSS, /* keys that sign with PSS only */
    PAIR_DSA,
    PAIR_PSK_ECDHE,
    PAIR_OLD_MUTUAL, /* DTLS 1.0 */
    PAIR_ANY,        /* every suite */
    PAIR_KINDS
};

/* A new one, for a caller that sets more on it. */
SSL_CTX *pair_context_new(enum ossl_side side, enum pair_kind kind);
/* The one for stock OpenSSL. `deployed`: another one, on which habits are set. */
SSL_CTX *pair_context(enum ossl_side side, enum pair_kind kind, bool deployed);
/* PAIR_RESUMED: the session that the client offers; the caller frees it. */
SSL_SESSION *pair_session(void);

#endif
