/* SPDX-License-Identifier: MIT */
/* Checks what a tracker reports: every report must make sense by itself. */
#ifndef FUZZ_WATCH_H
#define FUZZ_WATCH_H

#include "flow/tracker.h"

struct watch {
    uint64_t digest;
    uint64_t frames;    /* number of the newest frame; the caller sets it */
    size_t first_words; /* reports that were not `again` */
    size_t packets;
    enum sd_outcome last;
    struct sd_alloc alloc; /* counts */
    size_t live, blocks, peak;
    unsigned fail_in; /* the n-th allocation from now on fails; 0: none fails */
};

/* Fills in the allocator, the callbacks and the diagnosis. `fail_in`: this allocation fails. */
void watch_init(struct watch *w, struct sd_tracker_config *config, unsigned fail_in);
/* After sd_tracker_free(): nothing is left. */
void watch_end(const struct watch *w);

/* Keys and certificates that an input can make: a record opens when its body begins with
 * WATCH_SEALED, which is then removed. The first bytes of a certificate say what it is: kind,
 * security bits, the times from and until which it is valid (4 bytes each), then flags. */
enum { WATCH_SEALED = 0x5a };

/* The byte of a certificate after its times; without CERT_VALUES what follows means nothing. */
enum watch_cert_flag {
    CERT_NAMELESS = 1,
    CERT_RSA = 2, /* the type of its key; neither: EC */
    CERT_ED25519 = 4,
    CERT_VALUES = 8,  /* the curve of the key and the scheme of the signature follow */
    CERT_FORBIDS = 16 /* times enum sd_cert_use */
};
enum { CERT_TWIN = 0xffff }; /* as the curve: another certificate has its serial number */

struct sd_unprotect watch_unprotect(unsigned *open);
struct sd_cert_reader watch_certs(void);

#endif
