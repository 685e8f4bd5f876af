/* SPDX-License-Identifier: MIT */
/* From a frame to the datagram in it: link layers, tags, IP, tunnels, IP fragments, and
 * protocols that carry DTLS inside UDP.
 *
 * Checksums are ignored: a host whose network card computes them captures its own packets
 * without them. */
#ifndef SD_CAPTURE_DECAP_H
#define SD_CAPTURE_DECAP_H

#include "base/hash.h"
#include "capture/frame.h"
#include "flow/input.h"

/* Arguments are valid during the call only. */
struct sd_sink {
    void *arg;
    void (*datagram)(void *arg, const struct sd_datagram *d);
    void (*icmp)(void *arg, const struct sd_icmp *e);
    void (*ip_incomplete)(void *arg, const struct sd_ip_incomplete *i);
};

struct sd_decap_config {
    struct sd_sink sink;    /* a callback may be NULL */
    struct sd_hash_key key; /* random: senders must not choose which entries share a bucket */
    size_t max_fragmented;  /* IP packets in reassembly; 0 = 4096 */
    size_t max_bytes;       /* of fragments in reassembly; 0 = 16 MiB */
    size_t max_channels;    /* TURN channels that are remembered; 0 = 16384 */
};

struct sd_decap_counts {
    uint64_t frames;
    uint64_t datagrams; /* UDP datagrams, without those that carry a tunnel; segments with TURN */
    uint64_t icmp;      /* errors that quote UDP */
    uint64_t fragments; /* IP fragments that did not complete a packet */
    uint64_t other;     /* frames of other protocols or of unknown link types */
    uint64_t malformed; /* headers that end too early, or contradict each other */
};

struct sd_decap;

/* NULL when there is no memory. */
struct sd_decap *sd_decap_new(const struct sd_decap_config *config);
void sd_decap_free(struct sd_decap *d);
void sd_decap_frame(struct sd_decap *d, const struct sd_frame *f);
/* At the end of the capture: reports the IP packets that are incomplete. */
void sd_decap_flush(struct sd_decap *d);
/* ns; no IP packet that is still incomplete began before this; INT64_MAX = none is incomplete. */
int64_t sd_decap_oldest(const struct sd_decap *d);
struct sd_decap_counts sd_decap_counts(const struct sd_decap *d);

#endif
