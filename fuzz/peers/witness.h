/* SPDX-License-Identifier: MIT */
/* Checks every datagram that one side sends. */
#ifndef FUZZ_WITNESS_H
#define FUZZ_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WITNESS_RECORDS = 512, WITNESS_MESSAGES = 24, WITNESS_BYTES = 6000 };

/* What may be wrong. */
enum {
    WITNESS_FORM = 1,       /* the datagram is not a sequence of whole records */
    WITNESS_NUMBER = 2,     /* a record number is used again for other bytes */
    WITNESS_TRANSCRIPT = 4, /* a handshake message is sent again with other bytes */
    WITNESS_LENGTH = 8      /* longer than the MTU */
};

struct witness {
    size_t mtu; /* 0: not checked */
    unsigned wrong;
    /* Records by epoch and number, with a hash of their bytes. */
    struct witness_record {
        uint64_t number, hash;
    } records[WITNESS_RECORDS];
    unsigned count;
    /* Plaintext messages by number: what was sent of each so far. */
    struct witness_message {
        bool used;
        uint8_t type;
        uint16_t seq;
        uint32_t length;
        size_t kept; /* how many of its bytes are checked */
        uint8_t *bytes;
        bool *known;
    } messages[WITNESS_MESSAGES];
};

void witness_end(struct witness *w);
void witness_datagram(struct witness *w, const uint8_t *data, size_t len);
/* What is wrong, in words; NULL: nothing. */
const char *witness_words(unsigned wrong);

#endif
