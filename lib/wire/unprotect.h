/* SPDX-License-Identifier: MIT */
/* How encrypted records are opened with the secrets of a key log. The module that knows the
 * ciphers implements sd_unprotect; the one that follows a handshake calls it. */
#ifndef SD_WIRE_UNPROTECT_H
#define SD_WIRE_UNPROTECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "wire/record.h"

/* What the hellos of a handshake settled. */
struct sd_unprotect_params {
    const uint8_t *client_random, *server_random; /* SD_RANDOM_LEN bytes each */
    uint16_t version;                             /* SD_DTLS_... as negotiated */
    uint16_t suite;
    bool encrypt_then_mac; /* RFC 7366 */
};

struct sd_unprotect {
    void *arg;
    /* The keys of a handshake; NULL when there are no secrets for it, or the suite
     * is not known. end() frees it. */
    void *(*begin)(void *arg, const struct sd_unprotect_params *params);
    /* Opens one record. True only when its authentication tag proves that the key is the
     * right one: then *plain has its real type, epoch and record number, and its body
     * lies in `out`, which has room for SD_RECORD_BODY_MAX bytes. */
    bool (*open)(void *keys, bool from_server, const struct sd_record *rec, uint8_t *out,
                 struct sd_record *plain);
    void (*end)(void *keys);
};

#endif
