/* IP fragments, back to the packet they were. */
#ifndef SD_CAPTURE_IPFRAG_H
#define SD_CAPTURE_IPFRAG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "flow/input.h"

/* RFC 1122 section 3.3.2 wants 60 to 120 s, RFC 8200 section 4.5 wants 60 s; Linux gives
 * up after 30 s, and so does the peer we try to explain. */
#define SD_IPFRAG_TIMEOUT (INT64_C(30) * 1000000000)

struct sd_fragment {
    struct sd_addr src, dst; /* ports 0 */
    uint32_t id;
    uint8_t protocol;    /* of what was cut; IPv6: next header of the fragment header */
    bool more;           /* fragments follow */
    uint32_t offset;     /* in the packet behind its IP header, in bytes */
    uint32_t length;     /* as sent; more than data.len when snapped */
    struct sd_span data; /* behind the IP header, or the fragment header */
    uint64_t number;
    int64_t time;
};

/* What was behind the IP header. Behind `data` nothing was captured. */
struct sd_whole {
    uint8_t *data; /* for free() */
    size_t len;
    uint32_t length; /* as sent */
    uint16_t fragments;
};

struct sd_ipfrag_config {
    struct sd_hash_key key;
    size_t max_packets, max_bytes; /* the oldest packet leaves first, without a report */
    void *arg;
    void (*incomplete)(void *arg, const struct sd_ip_incomplete *i);
};

struct sd_ipfrag;

/* NULL when there is no memory. */
struct sd_ipfrag *sd_ipfrag_new(const struct sd_ipfrag_config *config);
/* Without reports. */
void sd_ipfrag_free(struct sd_ipfrag *t);
/* True when this fragment was the last one missing. */
bool sd_ipfrag_add(struct sd_ipfrag *t, const struct sd_fragment *f, struct sd_whole *whole);
/* Gives up on what began SD_IPFRAG_TIMEOUT ago. Cheap when nothing did. */
void sd_ipfrag_expire(struct sd_ipfrag *t, int64_t now);
/* Gives up on everything. */
void sd_ipfrag_flush(struct sd_ipfrag *t);

#endif
