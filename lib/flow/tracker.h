/* SPDX-License-Identifier: MIT */
/* Follows every DTLS handshake of a capture, and says what became of each.
 *
 * Pure: packets come in with their time, memory through the allocator, and what is found
 * goes out through callbacks. Memory is bounded: a table of flows and a budget for their
 * handshakes, which those leave first that have ended; a log of SD_LOG_MAX events a handshake. Time
 * is linear in the packets. */
#ifndef SD_FLOW_TRACKER_H
#define SD_FLOW_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "flow/diagnosis.h"
#include "flow/ended.h"
#include "flow/exchange.h"
#include "flow/input.h"
#include "flow/view.h"
#include "wire/certificate.h"
#include "wire/unprotect.h"

/* One datagram: its records as events, whether they went to the log or not. */
struct sd_packet {
    const struct sd_datagram *datagram; /* NULL: an ICMP error, or a cut IP packet */
    const struct sd_exchange *x;
    uint64_t number;
    int64_t time;
    const struct sd_event *events;
    size_t count;
};

/* What became of a handshake. Everything is borrowed for the call. */
struct sd_result {
    const struct sd_exchange *x;
    const struct sd_view *view;
    enum sd_outcome outcome;
    const struct sd_finding *findings; /* the verdict first */
    size_t count;
    bool again; /* it was reported before; meanwhile more was found */
};

struct sd_tracker_config {
    struct sd_alloc alloc;
    struct sd_hash_key key; /* random: peers must not choose who shares a bucket */
    size_t max_flows;       /* kept at once; 0 = 50000 */
    size_t max_pending;     /* bytes of messages in reassembly; 0 = 64 MiB */
    size_t max_kept;        /* bytes of whole messages that rules ask for; 0 = 256 MiB */
    /* Bytes of all handshakes together; 0 = 64 MiB. From an eighth of it on, those that ended are
     * reported and freed; when it is full, the longest silent. */
    size_t max_bytes;
    int64_t idle; /* ns of silence after which a flow is over; 0 = at the end */
    /* sd_tracker_tick() reports a handshake as soon as its outcome is clear, and once more at
     * the end if more was found by then. For live captures. */
    bool prompt;
    const struct sd_unprotect *unprotect; /* NULL = without keys */
    const struct sd_cert_reader *certs;   /* NULL = certificates are not read */
    sd_diagnosis *diagnose;               /* NULL = outcomes only, no findings */
    void *arg;
    /* A handshake message that can be read and is whole for the first time; before the packet
     * with its last piece, which is `last`. NULL = not wanted. */
    void (*message)(void *arg, const struct sd_exchange *x, const struct sd_event *last,
                    struct sd_span body);
    /* A datagram of a flow with DTLS; NULL = not wanted. */
    void (*packet)(void *arg, const struct sd_packet *p);
    void (*done)(void *arg, const struct sd_result *r);
    void (*lone)(void *arg, const struct sd_lone *l); /* NULL = not wanted */
    const struct sd_handover *handover; /* who judges those that ended early; NULL = the tracker */
};

struct sd_tracker_counts {
    uint64_t datagrams; /* UDP, whatever it carried */
    uint64_t dtls;      /* of these, with DTLS records */
    uint64_t exchanges, evicted, no_memory;
    uint64_t early; /* exchanges that ended and were reported before the capture ended */
};

struct sd_tracker *sd_tracker_new(const struct sd_tracker_config *config);
/* Frees without reporting what is still open: sd_tracker_finish() does that. */
void sd_tracker_free(struct sd_tracker *t);

void sd_tracker_datagram(struct sd_tracker *t, const struct sd_datagram *d);
void sd_tracker_icmp(struct sd_tracker *t, const struct sd_icmp *e);
void sd_tracker_ip_incomplete(struct sd_tracker *t, const struct sd_ip_incomplete *e);
/* The capture itself lost packets: from now on loss proves less. */
void sd_tracker_drops(struct sd_tracker *t);
/* Ends what has been silent for config.idle. Time passes for the horizon of failures, too. */
void sd_tracker_tick(struct sd_tracker *t, int64_t now);
/* The capture ends: everything still open is reported, in the order of first packets. */
void sd_tracker_finish(struct sd_tracker *t);
struct sd_tracker_counts sd_tracker_counts(const struct sd_tracker *t);

#endif
