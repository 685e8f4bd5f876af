/* SPDX-License-Identifier: MIT */
/* Handshakes kept after the end of their tracker, and what was lost between two captures of one. */
#ifndef PROBE_ENDS_H
#define PROBE_ENDS_H

#include <stdbool.h>
#include <stddef.h>

#include "dtls_probe/report.h"

/* A handshake in one capture. Owns its log; messages are not kept. */
struct probe_end {
    struct sd_exchange x;
    enum sd_outcome outcome;
    const struct sd_entry *finding; /* the first, or NULL */
    const struct probe_end *other;  /* the same handshake in the other capture, or NULL */
};

struct probe_ends {
    struct probe_end *list;
    size_t count, room;
    bool lost; /* memory ran out: some are missing */
};

void probe_ends_add(struct probe_ends *e, const struct probe_report *r);
void probe_ends_free(struct probe_ends *e);

enum { PROBE_LOST_MAX = 64 };

/* One direction between the two captures. */
struct probe_way {
    unsigned sent, arrived, changed;             /* datagrams of the handshake */
    const struct sd_event *lost[PROBE_LOST_MAX]; /* first record of each, in the sender's log */
    size_t lost_count;                           /* may exceed the array */
    int64_t quickest;                        /* ns by the two clocks; INT64_MAX = none arrived */
    uint32_t largest_arrived, smallest_lost; /* IP bytes; 0 = none */
};

/* From the log at the sender to the log at the receiver. */
struct probe_way probe_way_between(const struct sd_exchange *sender,
                                   const struct sd_exchange *receiver, enum sd_side from);
/* True when at least two datagrams are lost, and each is larger than every one that arrived. */
bool probe_way_is_narrow(const struct probe_way *w);

#endif
