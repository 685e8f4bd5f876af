/* SPDX-License-Identifier: MIT */
/* Where conversations that ended are judged and printed: right here, or with -j in a thread of its
 * own. What the reader of the capture prints travels the same way, so the output is the same, and
 * in the same order. */
#ifndef PROBE_STAGE_H
#define PROBE_STAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "flow/tracker.h"

struct probe_stage;

/* `config`: for the judge; its callbacks run in the stage, and `out` is written by it only. NULL
 * when there is no memory, or no thread. */
struct probe_stage *probe_stage_new(const struct sd_tracker_config *config, FILE *out,
                                    bool threaded);
/* What the tracker gets. */
const struct sd_handover *probe_stage_handover(const struct probe_stage *s);
/* Where the reader of the capture prints. */
FILE *probe_stage_text(const struct probe_stage *s);
/* Whether this runs while the reader of the capture waits: then its state may be used. */
bool probe_stage_is_called(const struct probe_stage *s);
/* Until everything is printed; from now on the reader prints to `out`. False: some text is lost,
 * for want of memory. */
bool probe_stage_join(struct probe_stage *s);
void probe_stage_free(struct probe_stage *s);

#endif
