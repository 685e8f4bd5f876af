/* SPDX-License-Identifier: MIT */
/* Handshake messages inside a record: the 12-byte header with the fragment
 * fields (RFC 6347 section 4.2.2). */
#ifndef SD_WIRE_HANDSHAKE_H
#define SD_WIRE_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "wire/iana.h"

enum { SD_HANDSHAKE_HEADER_LEN = 12 };

enum sd_handshake_status {
    SD_HANDSHAKE_OK,
    SD_HANDSHAKE_END,         /* the record is used up */
    SD_HANDSHAKE_NO_HEADER,   /* fewer than 12 bytes are left */
    SD_HANDSHAKE_CUT,         /* the fragment is longer than the record */
    SD_HANDSHAKE_INCONSISTENT /* the header contradicts itself */
};

struct sd_handshake {
    uint8_t type;         /* enum sd_handshake_type */
    uint32_t length;      /* of the whole message */
    uint16_t message_seq; /* starts at 0 with each handshake */
    uint32_t frag_off, frag_len;
    struct sd_span body; /* the frag_len bytes of this fragment */
};

/* The next message or fragment from the body of a record of type 22. *h is all
 * zero after END and NO_HEADER; after CUT and INCONSISTENT the header fields
 * are as sent (a trace wants to show them), the body is empty, and the reader
 * is bad: nothing further can be read from this record. */
enum sd_handshake_status sd_handshake_next(struct sd_rd *r, struct sd_handshake *h);
/* The fragment lies within the message, and is only empty when the message is. */
bool sd_handshake_consistent(const struct sd_handshake *h);
/* The fragment is the message. */
bool sd_handshake_whole(const struct sd_handshake *h);

/* Writes header and fragment; fails when they contradict each other. */
void sd_handshake_build(struct sd_wr *w, const struct sd_handshake *h);
/* Writes the header of an unfragmented message of yet unknown length. */
size_t sd_handshake_open(struct sd_wr *w, uint8_t type, uint16_t message_seq);
void sd_handshake_close(struct sd_wr *w, size_t mark);

#endif
