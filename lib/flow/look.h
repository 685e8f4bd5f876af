/* SPDX-License-Identifier: MIT */
/* A datagram taken apart, once for everybody who asks about it. Private to lib/flow. */
#ifndef SD_FLOW_LOOK_H
#define SD_FLOW_LOOK_H

#include "flow/input.h"
#include "wire/record.h"

enum {
    SD_LOOK_RECORDS = 16, /* of a datagram that are kept; more are read again where needed */
    SD_NO_MESSAGE = 0xff
};

/* Borrows the datagram and its bytes. */
struct sd_look {
    const struct sd_datagram *datagram;
    bool snapped;   /* the capture has only the beginning of it */
    bool cids;      /* a record in it has a connection id, of which the length must be known */
    size_t cid_len; /* with this one it was taken apart */

    size_t count; /* whole records that are kept */
    /* What comes after them: OK = another one, and so on; CUT = records[count] is its beginning. */
    enum sd_record_status status;
    struct sd_records rest;
    struct sd_record records[SD_LOOK_RECORDS + 1];

    /* The first handshake message, when the first record has it in plaintext. */
    uint8_t message;       /* enum sd_handshake_type, or SD_NO_MESSAGE */
    struct sd_span random; /* of a ClientHello; empty when its beginning is not there */
    bool readable;         /* that ClientHello is well-formed as far as it goes; then */
    struct sd_span cookie; /* its cookie, which may be empty */
};

/* cid_len: as for sd_records_init(). */
void sd_look_at(struct sd_look *l, const struct sd_datagram *d, size_t cid_len);
/* The same for another cid_len: `l` where that changes nothing, else `own`, newly filled. */
const struct sd_look *sd_look_with(const struct sd_look *l, size_t cid_len, struct sd_look *own);

/* The records one after the other, as sd_record_next() gives them. */
struct sd_look_walk {
    const struct sd_look *look;
    size_t at;
    struct sd_records rest;
    struct sd_record beyond; /* the newest of those that are not kept */
};
struct sd_look_walk sd_look_walk(const struct sd_look *l);
/* *rec is good until the next call, when the status is OK or CUT. */
enum sd_record_status sd_look_next(struct sd_look_walk *w, const struct sd_record **rec);

/* The bytes after the last record, when there is one and they begin no other; else empty. */
struct sd_span sd_look_trailing(const struct sd_look *l);
bool sd_look_zero(struct sd_span bytes);

/* The first record, whole or cut; NULL when it has no header that could be read. */
static inline const struct sd_record *sd_look_first(const struct sd_look *l)
{
    return l->count || l->status == SD_RECORD_CUT ? l->records : NULL;
}

#endif
