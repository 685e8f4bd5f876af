/* SPDX-License-Identifier: MIT */
/* What the tracker hands to the diagnosis of a handshake, and what it gets back.
 * lib/flow/rules has one; the tracker takes any in its config. */
#ifndef SD_FLOW_DIAGNOSIS_H
#define SD_FLOW_DIAGNOSIS_H

#include "flow/finding.h"
#include "flow/index.h"
#include "flow/view.h"
#include "wire/certificate.h"

/* Everything is borrowed for the call. */
struct sd_case {
    const struct sd_view *view;
    const struct sd_exchange *x;        /* = view->x */
    const struct sd_cert_reader *certs; /* NULL = none */
    const struct sd_index *index;       /* what other handshakes of the capture tell, see index.h */
    /* Others to the same server, of which several rules ask. */
    const struct sd_exchange *others[SD_INDEX_MAX];
    size_t other_count;
    enum sd_outcome outcome; /* what the view alone says; the diagnosis may know better */
};

/* Fills `findings`, the verdict first, and settles the outcome. Returns how many. */
typedef size_t sd_diagnosis(struct sd_case *c, struct sd_finding findings[static SD_FINDINGS_MAX]);

/* Two addresses between which ICE succeeds for many seconds, and nobody starts DTLS, here or on
 * another pair of the same ICE session. Borrowed for the call. */
struct sd_lone {
    const struct sd_addr *one, *other;
    uint32_t answers;                   /* STUN checks that succeeded */
    int64_t first, last;                /* ns: of these */
    uint32_t first_number, last_number; /* their frames */
    bool from_the_beginning;            /* the capture began before they did */
};

#endif
