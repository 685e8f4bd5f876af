/* SPDX-License-Identifier: MIT */
/* The records of one datagram: the 13-byte header of DTLS 1.0 to 1.2 and of
 * plaintext DTLS 1.3 (RFC 6347 section 4.1), tls12_cid (RFC 9146) and the unified
 * header of protected DTLS 1.3 records (RFC 9147 section 4). */
#ifndef SD_WIRE_RECORD_H
#define SD_WIRE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "wire/iana.h"

enum {
    SD_RECORD_HEADER_LEN = 13,
    /* 2^14 plus the 2048 that RFC 6347 section 4.1.2 lets compression and a
     * cipher add; DTLS 1.3 allows less. */
    SD_RECORD_BODY_MAX = 16384 + 2048,
    SD_CID_MAX = 255,
};

/* 0x0100 is the DTLS of before RFC 4347, which Cisco AnyConnect still speaks.
 * 0xfefc never stands in a record header. */
enum { SD_DTLS_1_0 = 0xfeff, SD_DTLS_1_2 = 0xfefd, SD_DTLS_1_3 = 0xfefc, SD_DTLS_BAD = 0x0100 };

/* A draft of DTLS 1.3, which is 0x7f and its number, counts as DTLS 1.3; others are as they are. */
static inline uint16_t sd_version_final(uint16_t version)
{
    return version >> 8 == 0x7f ? SD_DTLS_1_3 : version;
}

/* Epochs of DTLS 1.3 (RFC 9147 section 6.1); those of application data count up from the last. */
enum sd_epoch13 {
    SD_EPOCH13_PLAIN,
    SD_EPOCH13_EARLY_DATA,
    SD_EPOCH13_HANDSHAKE,
    SD_EPOCH13_APPDATA
};

enum sd_record_status {
    SD_RECORD_OK,
    SD_RECORD_END,       /* the datagram ends where the last record does */
    SD_RECORD_TYPE,      /* the first byte begins no record of any DTLS version */
    SD_RECORD_VERSION,   /* a content type, but not the version of a DTLS record */
    SD_RECORD_NO_HEADER, /* the datagram ends inside the header */
    SD_RECORD_CUT,       /* the datagram ends inside the body */
    SD_RECORD_TOO_LONG,  /* the length field exceeds SD_RECORD_BODY_MAX */
    SD_RECORD_CID        /* has a connection id, and its length is not known */
};

struct sd_record {
    bool unified;     /* DTLS 1.3 protected: no type, no version; seq still masked */
    uint8_t type;     /* enum sd_content_type; 0 when unified */
    uint16_t version; /* 0 when unified */
    uint16_t epoch;   /* unified: its two low bits */
    uint64_t seq;     /* unified: seq_bits bits, encrypted (RFC 9147 section 4.2.3) */
    uint8_t seq_bits; /* 48, 16 or 8 */
    size_t offset;    /* of the header in the datagram */
    size_t length;    /* of the body as declared; a unified header may leave it open */
    struct sd_span cid, header, body;
};

struct sd_records {
    struct sd_rd rd;
    const uint8_t *start;
    size_t cid_len;
    enum sd_record_status status; /* of the last step; anything but OK is final */
};

/* cid_len: length of the connection ids that the receiver of this datagram
 * chose; 0 = none, or not known. */
struct sd_records sd_records_init(const void *datagram, size_t len, size_t cid_len);
/* The next record. *rec is all zero unless the status is OK, or CUT: then
 * everything but the body is whole and the body is what there is of it. */
enum sd_record_status sd_record_next(struct sd_records *it, struct sd_record *rec);
/* True when `version` may stand in the header of a plaintext record. */
bool sd_record_version_ok(uint16_t version);

/* Writes a header with an open length; the body follows, then close. */
size_t sd_record_open(struct sd_wr *w, uint8_t type, uint16_t version, uint16_t epoch,
                      uint64_t seq);
void sd_record_close(struct sd_wr *w, size_t mark);
/* A whole record with the 13-byte header: type, version, epoch, seq and body of
 * `rec`. Fails for unified records and those with a connection id. */
void sd_record_build(struct sd_wr *w, const struct sd_record *rec);

/* The body of ChangeCipherSpec: one byte 1, or 1 and the message sequence in the
 * DTLS of before RFC 4347. */
bool sd_ccs_ok(uint16_t version, struct sd_span body);

#endif
