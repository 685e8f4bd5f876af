/* SPDX-License-Identifier: MIT */
/* Puts IP fragments together to the packet that they were. */
#ifndef SD_CAPTURE_IPFRAG_H
#define SD_CAPTURE_IPFRAG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "capture/frame.h"
#include "flow/input.h"

/* RFC 1122 section 3.3.2 wants 60 to 120 s, RFC 8200 section 4.5 wants 60 s. Linux gives up
 * after 30 s, so the peer of the capture probably does, too. */
#define SD_IPFRAG_TIMEOUT (30 * SD_FRAME_SEC)

struct sd_fragment {
    struct sd_addr src, dst; /* ports 0 */
    uint32_t id;
    uint8_t protocol;    /* of the packet; IPv6: next header of the fragment header */
    bool more;           /* fragments follow */
    uint32_t offset;     /* in bytes, after the IP header of the packet */
    uint32_t length;     /* as sent; more than data.len when snapped */
    struct sd_span data; /* after the IP header or the fragment header */
    uint64_t number;
    int64_t time;
};

/* What follows the IP header, as far as it was captured without a gap. */
struct sd_whole {
    uint8_t *data; /* for free() */
    size_t len;
    uint32_t length; /* as sent */
    uint16_t fragments;
};

struct sd_ipfrag_config {
    struct sd_hash_key key;
    size_t max_packets, max_bytes; /* the oldest packet is dropped first, without a report */
    void *arg;
    void (*incomplete)(void *arg, const struct sd_ip_incomplete *i);
};

struct sd_ipfrag;

/* NULL when there is no memory. */
struct sd_ipfrag *sd_ipfrag_new(const struct sd_ipfrag_config *config);
/* Reports nothing. */
void sd_ipfrag_free(struct sd_ipfrag *t);
/* True when this was the last missing fragment: *whole is the packet. */
bool sd_ipfrag_add(struct sd_ipfrag *t, const struct sd_fragment *f, struct sd_whole *whole);
/* Gives up on packets whose first fragment came SD_IPFRAG_TIMEOUT ago. Cheap when there are
 * none. */
void sd_ipfrag_expire(struct sd_ipfrag *t, int64_t now);
/* ns; when the first fragment of the oldest incomplete packet came; INT64_MAX = none is. */
int64_t sd_ipfrag_oldest(const struct sd_ipfrag *t);
/* Gives up on all packets. */
void sd_ipfrag_flush(struct sd_ipfrag *t);

#endif
