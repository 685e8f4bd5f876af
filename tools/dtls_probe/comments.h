/* SPDX-License-Identifier: MIT */
/* Comments on single frames, kept until the copy of the capture is written: in a temporary file,
 * in runs that are each sorted by frame, and merged when they are read. */
#ifndef PROBE_COMMENTS_H
#define PROBE_COMMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dtls_probe/report.h"

/* More are not copied into one frame. */
enum { PROBE_COMMENTS_OF_FRAME = 16 };

struct probe_comment {
    uint64_t frame;
    size_t order; /* in which they came */
    char *text;
};

struct probe_comments {
    FILE *file;                 /* without a name in the file system */
    struct probe_comment *list; /* of the run that grows */
    size_t count, room, bytes;
    struct comment_run *runs; /* the oldest first */
    size_t run_count, run_room;
    uint64_t next; /* no frame before this one has a comment that was not taken */
    char *taken;   /* what probe_comments_take() returned last */
    size_t taken_room;
    bool failed; /* memory ran out: some are missing */
    int error;   /* errno of the temporary file: some are missing; 0 = none */
};

/* Returns 0 or an errno. */
int probe_comments_open(struct probe_comments *c);
/* A comment on each frame that is evidence of a finding of this handshake. */
void probe_comments_add(struct probe_comments *c, const struct probe_report *r);
/* When all were added, and once more before a second copy: back to the first frame. */
void probe_comments_rewind(struct probe_comments *c);
/* The comments on a frame, for frames in rising order: `count` strings one after the other, each
 * with its 0, at most PROBE_COMMENTS_OF_FRAME; valid until the next call. */
const char *probe_comments_take(struct probe_comments *c, uint64_t frame, size_t *count);
void probe_comments_free(struct probe_comments *c);

#endif
