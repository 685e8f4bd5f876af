/* SPDX-License-Identifier: MIT */
/* The keys of a DTLS 1.3 handshake (RFC 9147). */
#ifndef SD_UNSEAL_KEYS13_H
#define SD_UNSEAL_KEYS13_H

#include "unseal/opener.h"
#include "unseal/secrets.h"
#include "wire/unprotect.h"

/* A record carries two bits of its epoch, so this many can be distinguished. */
enum { SD_EPOCHS = 4 };

struct sd_epoch_keys {
    struct sd_opener opener;
    EVP_CIPHER_CTX *mask; /* of the record numbers; NULL = this epoch has no keys */
    uint64_t epoch;
    uint64_t next_seq; /* the highest record number that was opened, plus 1 */
    uint8_t secret[SD_DIGEST_MAX];
};

struct sd_direction13 {
    const struct sd_secret *handshake, *traffic;
    uint64_t highest; /* the highest epoch that was opened; at first the handshake's */
    struct sd_epoch_keys epochs[SD_EPOCHS];
};

struct sd_keys13 {
    const struct sd_suite *suite;
    struct sd_direction13 from[2]; /* the client, the server */
};

/* False when records of this suite cannot be opened here; then there is nothing to free.
 * `secrets` come from sd_secrets_find() and stay in use. */
bool sd_keys13_init(struct sd_keys13 *k, uint16_t suite, const struct sd_secret *secrets);
void sd_keys13_fini(struct sd_keys13 *k);
/* As `open` of struct sd_unprotect. */
bool sd_keys13_open(struct sd_keys13 *k, bool from_server, const struct sd_record *rec,
                    uint8_t *out, struct sd_record *plain);

#endif
