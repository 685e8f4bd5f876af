/* From a frame to what it carries: link layers, tags, IP, tunnels, IP fragments, and
 * what carries DTLS inside UDP.
 *
 * Checksums are not looked at: a host that leaves them to its network card captures its
 * own packets without them. */
#ifndef SD_CAPTURE_DECAP_H
#define SD_CAPTURE_DECAP_H

#include "base/hash.h"
#include "capture/frame.h"
#include "flow/input.h"

/* Everything handed out is borrowed for the call. */
struct sd_sink {
    void *arg;
    void (*datagram)(void *arg, const struct sd_datagram *d);
    void (*icmp)(void *arg, const struct sd_icmp *e);
    void (*ip_incomplete)(void *arg, const struct sd_ip_incomplete *i);
};

struct sd_decap_config {
    struct sd_sink sink;    /* callbacks that are NULL are not wanted */
    struct sd_hash_key key; /* random: senders must not choose who shares a bucket */
    size_t max_fragmented;  /* IP packets in reassembly; 0 = 4096 */
    size_t max_bytes;       /* of their fragments; 0 = 16 MiB */
    size_t max_channels;    /* of TURN that are remembered; 0 = 16384 */
};

struct sd_decap_counts {
    uint64_t frames;
    uint64_t datagrams; /* UDP, tunnels not counted */
    uint64_t icmp;      /* errors that quote UDP */
    uint64_t fragments; /* of IP packets that did not become whole with them */
    uint64_t other;     /* frames of other protocols, or of link types not known */
    uint64_t malformed; /* headers that end too early, or contradict each other */
};

struct sd_decap;

/* NULL when there is no memory. */
struct sd_decap *sd_decap_new(const struct sd_decap_config *config);
void sd_decap_free(struct sd_decap *d);
void sd_decap_frame(struct sd_decap *d, const struct sd_frame *f);
/* The capture ends: IP packets that are not whole are reported now. */
void sd_decap_flush(struct sd_decap *d);
struct sd_decap_counts sd_decap_counts(const struct sd_decap *d);

#endif
