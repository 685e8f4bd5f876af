/* SPDX-License-Identifier: MIT */
/* The functions of OpenSSL with which lib/unseal opens records: wrapped at link time, counted, and
 * failing on request.
 *
 * Either OpenSSL answers, or a stand-in that takes a tenth of the time: a cipher is a key stream
 * and a tag over everything, a digest is a sum. The stand-in is as strict about the order of calls,
 * and rejects a tag or MAC with one changed bit. */
#ifndef FUZZ_FAKE_CRYPTO_H
#define FUZZ_FAKE_CRYPTO_H

#include <stdbool.h>

/* Who answers from now on: OpenSSL or the stand-in. Must not change while an object is in use. */
void fake_crypto_real(bool real);
/* The n-th call that can fail from now on fails, once; 0: none fails. */
void fake_crypto_fail(unsigned n);
/* Number of contexts and keys that are not freed yet. */
int fake_crypto_live(void);

#endif
