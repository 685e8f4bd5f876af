/* SPDX-License-Identifier: MIT */
/* Undoes the protection of records in one direction, for every kind of suite. Not constant
 * in time: no attacker can measure a program that reads captures. */
#ifndef SD_UNSEAL_OPENER_H
#define SD_UNSEAL_OPENER_H

#include <openssl/evp.h>

#include "base/cursor.h"
#include "unseal/prf.h"
#include "unseal/suite.h"

enum { SD_NONCE_LEN = 12, SD_KEY_MAX = 32 };

struct sd_opener {
    const struct sd_suite *suite;
    EVP_CIPHER_CTX *ctx; /* NULL without a cipher */
    uint8_t key[SD_KEY_MAX], iv[SD_NONCE_LEN], mac_key[SD_DIGEST_MAX];
};

/* False when OpenSSL does not have the cipher; a zeroed opener needs no fini. The caller
 * fills in the keys afterwards. */
bool sd_opener_init(struct sd_opener *o, const struct sd_suite *suite);
void sd_opener_fini(struct sd_opener *o);

/* Both write at most as many bytes as they are given. */
bool sd_opener_aead(struct sd_opener *o, const uint8_t nonce[static SD_NONCE_LEN],
                    struct sd_span aad, struct sd_span sealed, uint8_t *out, size_t *len);
/* `data` begins with its IV; *len includes the padding, and is not 0. */
bool sd_opener_cbc(struct sd_opener *o, struct sd_span data, uint8_t *out, size_t *len);
/* True when `mac` is the MAC of the parts. */
bool sd_opener_mac_ok(const struct sd_opener *o, const struct sd_span *parts, size_t count,
                      struct sd_span mac);

/* iv XOR the record number (RFC 9147 section 4.2.1, RFC 7905 section 2). */
void sd_opener_nonce(const struct sd_opener *o, uint64_t number, uint8_t nonce[SD_NONCE_LEN]);

/* Removes the zeros and the type from the end of an inner plaintext (RFC 9146 section 4,
 * RFC 8446 section 5.2); false when it consists of zeros. */
bool sd_opener_inner_type(const uint8_t *data, size_t *len, uint8_t *type);

#endif
