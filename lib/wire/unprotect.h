/* SPDX-License-Identifier: MIT */
/* How encrypted records are opened with the secrets of a key log, or with a pre-shared key. The
 * module that knows the ciphers implements sd_unprotect; the one that follows a handshake calls it.
 */
#ifndef SD_WIRE_UNPROTECT_H
#define SD_WIRE_UNPROTECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "wire/record.h"

/* A whole handshake message, as the transcript of a handshake counts it. */
struct sd_transcript_part {
    uint8_t type;         /* enum sd_handshake_type */
    uint16_t message_seq; /* part of the transcript before DTLS 1.3 */
    struct sd_span body;
};
enum { SD_TRANSCRIPT_MAX = 6 };

/* What the hellos of a handshake settled. */
struct sd_unprotect_params {
    const uint8_t *client_random, *server_random; /* SD_RANDOM_LEN bytes each */
    uint16_t version;                             /* SD_DTLS_... as negotiated */
    uint16_t suite;
    bool encrypt_then_mac;       /* RFC 7366 */
    bool extended_master_secret; /* RFC 7627 */
    /* For keys from a pre-shared key: from the ClientHello to the ClientKeyExchange, in DTLS 1.3 to
     * the ServerHello, there with the first ClientHello and the HelloRetryRequest. 0 = a message is
     * missing, or `psk` of struct sd_unprotect is false. */
    const struct sd_transcript_part *transcript;
    size_t transcript_count;
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
    bool psk; /* keys may come from a pre-shared key: begin() wants the transcript */
    /* A handshake message of DTLS 1.3 that was opened and is whole: from the server's Finished
     * further keys follow. NULL = not wanted. */
    void (*message)(void *keys, bool from_server, uint8_t type, struct sd_span body);
    /* The keys come from a pre-shared key: a Finished that they do not open was made with another
     * one. NULL = never. */
    bool (*from_psk)(const void *keys);
};

#endif
