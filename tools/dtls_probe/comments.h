/* SPDX-License-Identifier: MIT */
/* Comments on single frames, kept until the copy of the capture is written. */
#ifndef PROBE_COMMENTS_H
#define PROBE_COMMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtls_probe/report.h"

struct probe_comment {
    uint64_t frame;
    char *text;
};

struct probe_comments {
    struct probe_comment *list;
    size_t count, room;
    bool failed; /* memory ran out: some are missing */
};

/* A comment on each frame that is evidence of a finding of this handshake. */
void probe_comments_add(struct probe_comments *c, const struct probe_report *r);
/* Sorts by frame, before the first look-up. */
void probe_comments_sort(struct probe_comments *c);
/* The comments on a frame: the first, and how many. */
const struct probe_comment *probe_comments_of(const struct probe_comments *c, uint64_t frame,
                                              size_t *count);
void probe_comments_free(struct probe_comments *c);

#endif
