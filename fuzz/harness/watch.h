/* Watches what a tracker reports: every report must make sense by itself. */
#ifndef FUZZ_WATCH_H
#define FUZZ_WATCH_H

#include "flow/tracker.h"

struct watch {
    uint64_t digest;
    uint64_t frames;    /* number of the newest frame; set by who feeds the tracker */
    size_t first_words; /* reports that were not `again` */
    size_t packets;
    enum sd_outcome last;
    struct sd_alloc alloc; /* counts */
    size_t live, blocks, peak;
    unsigned fail_in; /* the n-th allocation from now fails; 0 = none */
};

/* Fills in the allocator, the callbacks and the diagnosis. `fail_in`: this allocation fails. */
void watch_init(struct watch *w, struct sd_tracker_config *config, unsigned fail_in);
/* After sd_tracker_free(): nothing is left. */
void watch_end(const struct watch *w);

/* Keys and certificates of which anybody can make some: a record is opened when its body begins
 * with WATCH_SEALED, by taking that off; a certificate tells about itself in its first bytes: what
 * it is, security bits, from when and until when it is valid (4 bytes each), 1 if it has no name.
 */
enum { WATCH_SEALED = 0x5a };
struct sd_unprotect watch_unprotect(unsigned *open);
struct sd_cert_reader watch_certs(void);

#endif
