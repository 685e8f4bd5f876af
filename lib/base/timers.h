/* SPDX-License-Identifier: MIT */
/* A heap of deadlines. The timer lives in the caller's object; setting,
 * moving and cancelling cost O(log n), the earliest is read in O(1). */
#ifndef SD_BASE_TIMERS_H
#define SD_BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct sd_timer {
    sd_time when;
    size_t slot; /* place in the heap + 1; 0 = not set */
};

struct sd_timers {
    struct sd_timer **heap;
    size_t count, cap;
};

/* A zeroed sd_timers is empty and ready. */
void sd_timers_fini(struct sd_timers *q);
/* Makes room for n timers, after which setting n of them cannot fail. */
bool sd_timers_reserve(struct sd_timers *q, size_t n);
/* Sets or moves a timer; SD_NEVER cancels. False only when a new timer found
 * no room (see sd_timers_reserve). */
bool sd_timers_set(struct sd_timers *q, struct sd_timer *t, sd_time when);
void sd_timers_cancel(struct sd_timers *q, struct sd_timer *t);
/* The earliest deadline, or SD_NEVER. */
sd_time sd_timers_next(const struct sd_timers *q);
/* Takes out and returns a timer due at `now`, or NULL. */
struct sd_timer *sd_timers_due(struct sd_timers *q, sd_time now);

#endif
