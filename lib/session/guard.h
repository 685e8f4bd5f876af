/* The datagram BIO under every session: queued datagrams come out of it record
 * by record, filtered, and what OpenSSL writes goes to a callback. It never
 * reports an error upwards: a datagram may be lost anyway, and OpenSSL keeps
 * what it could not write, retries it for ever or dies (docs/guard.md). So no
 * write is ever pending when a timer runs (CVE-2026-84782). */
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
    SD_GUARD_QUEUE = 64, /* datagrams kept for OpenSSL to read */
    /* IPv6 and UDP header: the larger one, where OpenSSL asks. */
    SD_GUARD_OVERHEAD = 48,
};

struct sd_datagram_in;

struct sd_guard {
    BIO_METHOD *method;
    BIO *bio; /* owned by the SSL once it has it */
    int (*send)(void *arg, const void *data, size_t len);
    void *arg;
    /* Where the handshake stands, asked before each record; NULL: no filter. */
    struct sd_stage (*stage)(void *arg);
    void *stage_arg;
    uint64_t *counters;
    struct sd_filter filter;

    STAILQ_HEAD(, sd_datagram_in) queue;
    unsigned queued;
    uint64_t heard;   /* datagrams of which at least one record was passed */
    uint64_t passed;  /* records (without a filter: datagrams) that OpenSSL read */
    bool passed_some; /* of the datagram at the head of the queue */
    bool starved;     /* the last read found nothing */

    uint64_t in_seq; /* number that the next passed plaintext record gets */

    sd_time now;      /* of the call into the session that is under way */
    sd_time alert_at; /* first plaintext alert since a handshake record; SD_NEVER */
    int alert;        /* its description, or -1 */

    /* Numbers of the epoch-0 records written: OpenSSL's plus `delta`. With the shim
     * (OpenSSL #32063) the first one gets `first_seq`; a flight sent again in smaller
     * pieces takes numbers between OpenSSL's. */
    bool shim, shim_started;
    uint64_t first_seq, delta;
    uint64_t next_seq; /* not used yet */

    struct sd_sent sent;
    uint64_t passed_at_write; /* when it differs from `passed`, a new flight begins */
    size_t pad;               /* the datagram written next is filled to this size */
    bool pad_failed;          /* it could not be, and was not sent */

    size_t mtu;             /* what OpenSSL is told when it asks */
    size_t largest;         /* datagram written since it was last cleared */
    bool too_big;           /* a send failed with EMSGSIZE since it was last cleared */
    unsigned handshake_out; /* datagrams that began with a handshake record */
};

/* False when there is no memory. The caller puts g->bio into an SSL, or frees
 * it with sd_guard_fini. */
bool sd_guard_init(struct sd_guard *g);
/* After the SSL was freed. A zeroed guard is fine. */
void sd_guard_fini(struct sd_guard *g);
/* Queues a copy of a datagram from the peer. */
void sd_guard_input(struct sd_guard *g, const uint8_t *data, size_t len);
/* Sends the flight's datagrams larger than `mtu` again, in pieces that fit. */
void sd_guard_resend(struct sd_guard *g, size_t mtu);
/* Sends one datagram of nothing but `size` bytes of junk, to see what becomes of it. */
void sd_guard_probe(struct sd_guard *g, size_t size);
/* Forgets what is queued. */
void sd_guard_clear(struct sd_guard *g);

#endif
