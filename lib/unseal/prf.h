/* The key derivations of TLS, on HMAC. Digests are called as in the names of suites
 * ("SHA" is SHA-1). False when the library does not have one (MD5 in a restricted
 * build), or has no memory. */
#ifndef SD_UNSEAL_PRF_H
#define SD_UNSEAL_PRF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

enum { SD_DIGEST_MAX = 48 }; /* SHA-384 */

/* 0 when it is not known here. */
size_t sd_digest_len(const char *digest);
/* HMAC of `count` parts, one after another; `out` takes sd_digest_len() bytes. */
bool sd_hmac(const char *digest, struct sd_span key, const struct sd_span *parts, size_t count,
             uint8_t out[static SD_DIGEST_MAX]);
/* PRF of RFC 5246 section 5; with digest NULL that of RFC 4346 section 5,
 * which wants a secret of even length, as master secrets are. */
bool sd_prf(const char *digest, struct sd_span secret, const char *label, struct sd_span seed,
            uint8_t *out, size_t len);
/* HKDF-Expand-Label without context, with the prefix of RFC 9147 section 5.9; at most
 * one digest long, which every key of a suite is. */
bool sd_expand_label(const char *digest, struct sd_span secret, const char *label, uint8_t *out,
                     size_t len);

#endif
