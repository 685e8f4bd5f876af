/* SPDX-License-Identifier: MIT */
/* Joins fragments of handshake messages and hands the messages out in order, however they came.
 * What a hostile server sends is bounded: PUPPET_INBOX_AHEAD messages of together
 * PUPPET_INBOX_BYTES. */
#ifndef PUPPET_INBOX_H
#define PUPPET_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/handshake.h"

enum { PUPPET_INBOX_AHEAD = 16, PUPPET_INBOX_BYTES = 1 << 18 };

enum puppet_inbox_result {
    PUPPET_INBOX_NEW,      /* bytes that were missing */
    PUPPET_INBOX_REPEATED, /* nothing new */
    PUPPET_INBOX_REFUSED   /* too far ahead, too long, contradicts what came before, no memory */
};

struct puppet_slot {
    uint8_t *body, *have; /* `have`: a byte each; NULL = slot is free */
    uint8_t type;
    uint32_t length, got;
};

struct puppet_inbox {
    struct puppet_slot slot[PUPPET_INBOX_AHEAD]; /* of message_seq modulo the size */
    uint16_t next;                               /* message_seq of the next one handed out */
    size_t held;                                 /* bytes of bodies */
};

enum puppet_inbox_result puppet_inbox_add(struct puppet_inbox *in, const struct sd_handshake *h);
/* The next message in order, if it is whole. Its body is the caller's: free(*body) after use. */
bool puppet_inbox_next(struct puppet_inbox *in, struct sd_handshake *h, uint8_t **body);
/* Waits for `next` and forgets what comes before it. */
void puppet_inbox_skip(struct puppet_inbox *in, uint16_t next);
void puppet_inbox_clear(struct puppet_inbox *in);

#endif
