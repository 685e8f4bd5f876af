/* OpenSSL without the outside world: clock, randomness and memory are ours, so that an input always
 * does the same. Whatever it holds of the heap is seen by fuzz_heap_now(), also in a shared
 * library. */
#ifndef FUZZ_OSSL_ENV_H
#define FUZZ_OSSL_ENV_H

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common.h"

enum ossl_side { OSSL_SERVER, OSSL_CLIENT };

/* Clock and randomness as at the beginning; the first call prepares the process. */
void ossl_env_reset(void);
void ossl_env_later(unsigned ms);
/* Who draws random numbers from now on: each side has its own, so that a recorded client finds the
 * same server again. */
void ossl_env_random(enum ossl_side side);
/* DTLS 1.0 and 1.2, every cipher suite, an ECDSA and an RSA certificate, a PSK; the same at each
 * start of the program. */
SSL_CTX *ossl_env_server(void);
SSL_CTX *ossl_env_client(void);
/* Of one version of DTLS only, or of TLS. */
SSL_CTX *ossl_env_odd(bool tls);

#endif
