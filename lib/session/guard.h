/* SPDX-License-Identifier: MIT */
/* The datagram BIO under every session. Queued datagrams come out of it record by record,
 * filtered; what OpenSSL writes goes to a callback. It reports no error to OpenSSL: a datagram
 * may be lost anyway, and OpenSSL would keep what it could not write, retry it for ever or give
 * up (docs/guard.md). So no write is pending when a timer runs (CVE-2026-84782). */
#ifndef SD_SESSION_GUARD_H
#define SD_SESSION_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <openssl/bio.h>

#include "base/clock.h"
#include "session/filter.h"
#include "session/sent.h"

enum {
    SD_GUARD_QUEUE = 64,          /* datagrams kept for OpenSSL to read, */
    SD_GUARD_QUEUE_BYTES = 65536, /* and their bytes */
    /* Protected records that came before their keys. OpenSSL would keep each of them in a buffer
     * of 16 kB, whatever its size, and releases before 3.0.22 a hundred (CVE-2026-54874). */
    SD_GUARD_EARLY_RECORDS = 16,
    SD_GUARD_EARLY_BYTES = 4000, /* of all of them: three full datagrams */
    /* Bytes of an IPv6 and a UDP header, for OpenSSL: the larger of the two families. */
    SD_GUARD_OVERHEAD = 48,
};

/* A datagram of the peer: `used` bytes of it were read or refused. */
struct sd_datagram_in {
    STAILQ_ENTRY(sd_datagram_in) next;
    const uint8_t *data;
    size_t len, used;
};

STAILQ_HEAD(sd_datagrams, sd_datagram_in);

struct sd_guard {
    BIO_METHOD *method;
    BIO *bio; /* owned by the SSL once it has it */
    int (*send)(void *arg, const void *data, size_t len);
    void *arg;
    /* Where the handshake stands; called before each record. NULL: no filter. */
    struct sd_stage (*stage)(void *arg);
    void *stage_arg;
    uint64_t *counters;
    struct sd_filter filter;

    struct sd_datagrams queue;
    struct sd_datagram_in lent; /* when it is the first of the queue: the bytes are the caller's */
    unsigned queued;
    size_t queued_bytes;
    size_t more_room;          /* bytes that the queue may have beyond SD_GUARD_QUEUE_BYTES */
    struct sd_datagrams early; /* one record each */
    unsigned early_count;
    size_t early_bytes;
    uint64_t heard;   /* datagrams of which at least one record passed */
    uint64_t passed;  /* records (without a filter: datagrams) that OpenSSL read */
    bool passed_some; /* a record of the datagram at the head of the queue */
    bool starved;     /* the last read found nothing */

    uint64_t in_seq; /* the record number of the next plaintext record that passes */

    sd_time now;      /* of the current call into the session */
    sd_time alert_at; /* time of the first plaintext alert since a handshake record, or SD_NEVER */
    int alert;        /* its description, or -1 */

    /* The number of an epoch-0 record that is written is OpenSSL's plus `delta`. With the shim
     * (OpenSSL #32063) the first one gets `first_seq`. A flight that is sent again in smaller
     * pieces needs more numbers than OpenSSL counted. */
    bool shim, shim_started;
    uint64_t first_seq, delta;
    uint64_t next_seq; /* not used yet */

    struct sd_sent sent;
    uint64_t passed_at_write; /* `passed` at the last write: when it differs, a new flight begins */
    size_t pad;               /* the next datagram is filled up to this size; 0 = not */
    bool pad_failed;          /* that was not possible, so it was not sent */

    size_t mtu;     /* the answer when OpenSSL asks for it */
    size_t largest; /* the largest datagram since this was last cleared */
    bool too_big;   /* a send failed with EMSGSIZE since this was last cleared */
    int refused;    /* -errno of a datagram that this host refused, as too_big */
    bool keep;      /* what is written now is data: it may wait in the slot */
    uint8_t *slot;  /* one datagram that the socket has not taken yet, or NULL */
    size_t slot_len;
    unsigned handshake_out; /* datagrams that began with a handshake record */
};

/* False when there is no memory. The caller puts g->bio into an SSL, or frees
 * it with sd_guard_fini. */
bool sd_guard_init(struct sd_guard *g);
/* After the SSL was freed. A zeroed guard is fine. */
void sd_guard_fini(struct sd_guard *g);
/* Queues a copy of a datagram from the peer. */
void sd_guard_input(struct sd_guard *g, const uint8_t *data, size_t len);
/* Queues it without a copy if nothing else waits: the bytes must stay as they are until
 * sd_guard_waits() is false, or sd_guard_keep() was called. */
void sd_guard_lend(struct sd_guard *g, const uint8_t *data, size_t len);
/* Copies the datagram that was lent, if it has not been read to the end. */
void sd_guard_keep(struct sd_guard *g);
/* Whether a datagram has bytes that were not looked at; drops one that has none. */
bool sd_guard_waits(struct sd_guard *g);
/* Sends the flight's datagrams larger than `mtu` again, in pieces that fit. */
void sd_guard_resend(struct sd_guard *g, size_t mtu);
/* Sends one datagram of `size` bytes of junk, to see whether a router reports it as too big. */
void sd_guard_probe(struct sd_guard *g, size_t size);
/* Hands the datagram in the slot to the socket once more. False when it has no room: the datagram
 * stays. A datagram that this host refuses is lost, and counted. */
bool sd_guard_flush(struct sd_guard *g);
/* Bytes of the peer that are kept. */
size_t sd_guard_kept(const struct sd_guard *g);
/* Forgets what is queued. */
void sd_guard_clear(struct sd_guard *g);

#endif
