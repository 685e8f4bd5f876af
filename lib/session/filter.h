/* SPDX-License-Identifier: MIT */
/* Which records of the network OpenSSL gets to see. OpenSSL treats many plaintext records as
 * fatal that anybody can forge (docs/guard.md); these rules refuse what a correct peer would
 * not send at this point. Pure: no clock, no OpenSSL. One record at a time, because each may
 * change the stage for the next. */
#ifndef SD_SESSION_FILTER_H
#define SD_SESSION_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/counters.h"
#include "tls/context.h"
#include "wire/record.h"

/* The shape of a protected record: at least `min` bytes of body and, with a
 * block cipher, a multiple of `block`. */
struct sd_protection {
    uint8_t min, block;
};

/* Where the handshake stands, according to OpenSSL. */
struct sd_stage {
    enum sd_role role;
    bool established;
    bool hello_done;    /* server: our first flight is out */
    bool keys;          /* the peer's ChangeCipherSpec was accepted */
    bool resumed;       /* abbreviated handshake */
    bool asks_cert;     /* server: a CertificateRequest was sent */
    bool unified;       /* DTLS 1.3 was negotiated */
    size_t max_message; /* longest Certificate that is accepted */
    struct sd_protection protection;
};

enum {
    /* Neither side sends more messages in one handshake, with HelloVerifyRequest and its
     * answer; OpenSSL accepts messages up to 10 ahead. */
    SD_FILTER_MESSAGES = 16,
};

/* What the rules remember of one session; a zeroed one is ready. */
struct sd_filter {
    bool has_hello;     /* the peer's ClientHello or ServerHello was seen */
    bool answered;      /* the peer went on after its hello: more than an address is behind it */
    uint16_t hello_seq; /* its message_seq; for a server the one that is expected */
    int alert;          /* last plaintext alert that would have ended the handshake, + 1 */
    /* By message_seq: what the first fragment declared, type << 24 | length; bit 32 is set
     * when there was one. */
    uint64_t seen[SD_FILTER_MESSAGES];
};

enum {
    SD_FILTER_PASS = -1,
    SD_FILTER_KEEP = -2 /* a protected record before its keys: judged again when they are there */
};

/* SD_FILTER_PASS or SD_FILTER_KEEP, or the enum sd_guard_counter of the rule that refused. */
int sd_filter_record(struct sd_filter *f, const struct sd_stage *stage,
                     const struct sd_record *rec);
/* Bytes of the messages that the peer has announced: OpenSSL may hold that much of them. */
size_t sd_filter_announced(const struct sd_filter *f);

#endif
