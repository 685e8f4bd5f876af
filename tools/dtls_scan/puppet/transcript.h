/* SPDX-License-Identifier: MIT */
/* The handshake messages that Finished and the extended master secret count, kept as bytes: which
 * digest they want is known with the ServerHello only. */
#ifndef PUPPET_TRANSCRIPT_H
#define PUPPET_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "unseal/prf.h"

enum { PUPPET_TRANSCRIPT_MAX = 1 << 18, PUPPET_HASH_MAX = SD_DIGEST_MAX };

struct puppet_transcript {
    uint8_t *bytes;
    size_t len, cap;
};

/* Adds a message as if it had come in one fragment (RFC 6347 section 4.2.6). False when it gets
 * longer than PUPPET_TRANSCRIPT_MAX, or there is no memory. */
bool puppet_transcript_add(struct puppet_transcript *t, uint8_t type, uint16_t message_seq,
                           struct sd_span body);
void puppet_transcript_clear(struct puppet_transcript *t);
/* The hash of all of it; digest NULL: MD5 and SHA-1, as before DTLS 1.2. Its length, 0 = OpenSSL
 * does not have the digest. */
size_t puppet_transcript_hash(const struct puppet_transcript *t, const char *digest,
                              uint8_t out[static PUPPET_HASH_MAX]);

#endif
