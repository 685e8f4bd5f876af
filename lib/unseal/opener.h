/* The protection of records undone, in one direction, for every kind of suite. Tells
 * whether the tag was right, not how long that took: nobody listens to an analyser. */
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

/* False when OpenSSL does not have the cipher; a zeroed opener needs no fini. The keys
 * are then put in by the caller. */
bool sd_opener_init(struct sd_opener *o, const struct sd_suite *suite);
void sd_opener_fini(struct sd_opener *o);

/* Each writes at most the length of what it is given, which is a record's at most. */
bool sd_opener_aead(struct sd_opener *o, const uint8_t nonce[static SD_NONCE_LEN],
                    struct sd_span aad, struct sd_span sealed, uint8_t *out, size_t *len);
/* `data` begins with its IV; *len includes the padding, and is not 0. */
bool sd_opener_cbc(struct sd_opener *o, struct sd_span data, uint8_t *out, size_t *len);
/* Whether `mac` is that of the parts. */
bool sd_opener_mac_ok(const struct sd_opener *o, const struct sd_span *parts, size_t count,
                      struct sd_span mac);

/* iv XOR the record number (RFC 9147 section 4.2.1, RFC 7905 section 2). */
void sd_opener_nonce(const struct sd_opener *o, uint64_t number, uint8_t nonce[SD_NONCE_LEN]);

/* Takes the zeros and the type off the end of an inner plaintext (RFC 9146 section 4,
 * RFC 8446 section 5.2); false when it is all zeros. */
bool sd_inner_type(const uint8_t *data, size_t *len, uint8_t *type);

#endif
