/* SPDX-License-Identifier: MIT */
/* The DTLS-aware mutator. An input is a list of operations (fuzz_op_next()), and the data of
 * some operations are datagrams. The result is plain data: no target depends on how an input
 * was made. */
#ifndef FUZZ_MUTATOR_H
#define FUZZ_MUTATOR_H

#include "harness/common.h"

/* What the mutator has to know of a target. */
struct mutator_target {
    const char *name;
    uint8_t codes;      /* operations have the codes 0 to codes - 1 */
    uint32_t datagrams; /* bit n: the data of operation n are a datagram */
    uint8_t who;        /* the bits of an argument that select the sender */
    /* Writes the cookie that the target would accept from this sender in this datagram, at most 255
     * bytes, and returns its length; 0: no cookie fits. NULL: the target has no cookies. */
    size_t (*cookie)(uint8_t who, struct sd_span datagram, uint8_t *out);
};

/* For an unknown target, every operation whose data look like a record holds a datagram. */
const struct mutator_target *mutator_target(const char *name);

/* Changes an input in place, up to `max` bytes. The same seed makes the same change. */
size_t mutator_mutate(const struct mutator_target *t, uint8_t *data, size_t size, size_t max,
                      uint64_t seed);
/* Joins the beginning of one input and the end of another. */
size_t mutator_cross(struct sd_span a, struct sd_span b, uint8_t *out, size_t max, uint64_t seed);

#endif
