/* The DTLS-aware mutator: inputs are lists of operations (fuzz_op_next()), and the data of some are
 * datagrams. What comes out is plain data: nothing in a target depends on how an input was made. */
#ifndef FUZZ_MUTATOR_H
#define FUZZ_MUTATOR_H

#include "harness/common.h"

/* What the mutator has to know of a target. */
struct mutator_target {
    const char *name;
    uint8_t codes;      /* of operations: 0 to codes - 1 */
    uint32_t datagrams; /* bit n: the data of operation n are a datagram */
    uint8_t who;        /* the bits of an argument that name the sender */
    /* The cookie that this sender would have to show with this datagram, `out` of 255 bytes;
     * returns its length, 0: there is none. NULL: this target takes no cookies. */
    size_t (*cookie)(uint8_t who, struct sd_span datagram, uint8_t *out);
};

/* A target that is not known: every operation whose data look like a record is a datagram. */
const struct mutator_target *mutator_target(const char *name);

/* Changes an input in place, at most `max` bytes; the same seed, the same change. */
size_t mutator_mutate(const struct mutator_target *t, uint8_t *data, size_t size, size_t max,
                      uint64_t seed);
/* The beginning of one, the end of the other. */
size_t mutator_cross(struct sd_span a, struct sd_span b, uint8_t *out, size_t max, uint64_t seed);

#endif
