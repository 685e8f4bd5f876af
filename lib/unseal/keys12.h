/* SPDX-License-Identifier: MIT */
/* The keys of a DTLS 1.0 or 1.2 handshake (RFC 6347, RFC 5246 section 6.3), also with
 * connection ids (RFC 9146). */
#ifndef SD_UNSEAL_KEYS12_H
#define SD_UNSEAL_KEYS12_H

#include "unseal/opener.h"
#include "wire/unprotect.h"

struct sd_keys12 {
    struct sd_opener from[2]; /* the client, the server */
    bool encrypt_then_mac;
};

/* False when records of this suite cannot be opened here; then there is nothing to free. */
bool sd_keys12_init(struct sd_keys12 *k, const struct sd_unprotect_params *params,
                    const uint8_t master[static SD_MASTER_LEN]);
void sd_keys12_fini(struct sd_keys12 *k);
/* As `open` of struct sd_unprotect. */
bool sd_keys12_open(struct sd_keys12 *k, bool from_server, const struct sd_record *rec,
                    uint8_t *out, struct sd_record *plain);

#endif
