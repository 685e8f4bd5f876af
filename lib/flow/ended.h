/* SPDX-License-Identifier: MIT */
/* Conversations that ended before the capture did. They are judged in the order in which they
 * ended, each when some that ended after it are known as well, for what one tells of another; and
 * stay for a while for what they tell of those after them. What is kept has a bound.
 *
 * All of it may be done by another thread than the tracker's: the tracker hands a conversation
 * over and never touches it again. */
#ifndef SD_FLOW_ENDED_H
#define SD_FLOW_ENDED_H

#include <stdint.h>

struct sd_ended;
struct sd_held;
struct sd_tracker_config;

/* The way from the tracker to who judges. */
struct sd_handover {
    void *arg;
    struct sd_ended *ended;
    /* A conversation that ended: sd_ended_take(), in this order. */
    void (*take)(void *arg, struct sd_held *h);
    /* Runs fn(of) where conversations are judged, after all that were handed over, and returns when
     * it is done: what is judged while its flow is still open. */
    void (*call)(void *arg, void (*fn)(void *of), void *of);
};

/* Of the config: alloc, key, certs, diagnose, arg and done. NULL when there is no memory. */
struct sd_ended *sd_ended_new(const struct sd_tracker_config *config);
void sd_ended_free(struct sd_ended *e);
void sd_ended_take(struct sd_ended *e, struct sd_held *h);

#endif
