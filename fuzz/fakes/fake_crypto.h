/* What lib/tls asks of OpenSSL to open records: wrapped at link time, counted, and failing on
 * demand.
 *
 * OpenSSL itself answers, or something of the same shape that takes a tenth of the time: ciphers
 * that are a key stream and a tag over all there is, digests that are a sum. It is as strict about
 * the order of the calls, and takes no tag or MAC with a bit changed. */
#ifndef FUZZ_FAKE_CRYPTO_H
#define FUZZ_FAKE_CRYPTO_H

#include <stdbool.h>

/* From now on OpenSSL answers, or the other. While something is in use it must not change. */
void fake_crypto_real(bool real);
/* The n-th call from now that can fail does, once; 0: none. */
void fake_crypto_fail(unsigned n);
/* Contexts and keys that were not freed. */
int fake_crypto_live(void);

#endif
