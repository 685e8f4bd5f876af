/* SPDX-License-Identifier: MIT */
/* What a server sent in plaintext: messages put together from their fragments, alerts, and counts.
 * Memory is bounded, whatever comes. */
#ifndef SCAN_ASK_ANSWER_H
#define SCAN_ASK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "wire/alert.h"
#include "wire/hello.h"

enum { SCAN_MESSAGES = 16, SCAN_STORE = 128 << 10 };

struct scan_message {
    uint8_t type; /* enum sd_handshake_type */
    uint16_t seq;
    uint32_t length, have; /* bytes of the body; how many of them came */
    size_t at;             /* in the store */
};

struct scan_answer {
    unsigned datagrams, records, foreign; /* foreign: datagrams that are not DTLS */
    size_t bytes;
    size_t largest;          /* datagram */
    size_t largest_record;   /* body of a plaintext record */
    uint16_t record_version; /* of the first record */
    uint64_t record_seq;     /* of the first record */
    bool alerted;
    struct sd_alert alert; /* the first that is not a warning, or else the first */
    bool encrypted;        /* a record of a later epoch, or of DTLS 1.3, came */
    unsigned count;
    struct scan_message message[SCAN_MESSAGES];
    size_t used;                                /* bytes of the store */
    uint8_t store[SCAN_STORE], got[SCAN_STORE]; /* got: 1 = this byte came */
};

/* Forgets everything. */
void scan_answer_clear(struct scan_answer *a);
void scan_answer_take(struct scan_answer *a, const void *datagram, size_t len);
/* The body of the last whole message of this type. */
bool scan_answer_message(const struct scan_answer *a, uint8_t type, struct sd_span *body);
/* A ServerHello, or with `retry` a HelloRetryRequest, that is whole and well-formed. */
bool scan_answer_hello(const struct scan_answer *a, bool retry, struct sd_server_hello *sh);
bool scan_answer_verify(const struct scan_answer *a, struct sd_hello_verify *hv);
/* The server's flight is complete, as far as it can be seen. */
bool scan_answer_flight(const struct scan_answer *a);

#endif
