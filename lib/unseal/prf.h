/* SPDX-License-Identifier: MIT */
/* The key derivations of TLS, on HMAC. A digest is named as in a cipher suite ("SHA" is
 * SHA-1). A function returns false when OpenSSL does not have the digest (MD5 in a
 * restricted build), or has no memory. */
#ifndef SD_UNSEAL_PRF_H
#define SD_UNSEAL_PRF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

enum {
    SD_DIGEST_MAX = 48, /* SHA-384 */
    SD_MASTER_LEN = 48  /* a master secret, RFC 5246 section 8.1 */
};

/* In bytes; 0 for an unknown digest. */
size_t sd_prf_digest_len(const char *digest);
/* HMAC of `count` parts, one after another; `out` takes sd_prf_digest_len() bytes. */
bool sd_prf_hmac(const char *digest, struct sd_span key, const struct sd_span *parts, size_t count,
                 uint8_t out[static SD_DIGEST_MAX]);
/* The PRF of RFC 5246 section 5; with digest NULL the one of RFC 4346 section 5. */
bool sd_prf(const char *digest, struct sd_span secret, const char *label, struct sd_span seed,
            uint8_t *out, size_t len);
/* HKDF-Expand-Label without context, with the prefix of RFC 9147 section 5.9. `len` is at
 * most the length of the digest, which is enough for every key of a suite. */
bool sd_prf_expand_label(const char *digest, struct sd_span secret, const char *label, uint8_t *out,
                         size_t len);
/* Derive-Secret of RFC 8446 section 7.1: the same with a hash for context. Secret, hash and result
 * have the length of the digest. */
bool sd_prf_derive_secret(const char *digest, const uint8_t *secret, const char *label,
                          const uint8_t *hash, uint8_t *out);
/* The digest of `count` parts, one after another. */
bool sd_prf_digest(const char *digest, const struct sd_span *parts, size_t count,
                   uint8_t out[static SD_DIGEST_MAX]);

#endif
