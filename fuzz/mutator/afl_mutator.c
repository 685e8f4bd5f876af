/* SPDX-License-Identifier: MIT */
/* The mutator as a library for afl-fuzz (AFL_CUSTOM_MUTATOR_LIBRARY), which loads it into its own
 * process. So it contains no code of the target. FUZZ_TARGET: the name of the target. */
#include <stdlib.h>
#include <string.h>

#include "mutator/mutator.h"

enum { LONGEST = 4096 };

struct state {
    const struct mutator_target *target;
    struct fuzz_rng rng;
    uint8_t out[LONGEST];
};

void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t size, uint8_t **out, uint8_t *add,
                       size_t add_size, size_t max);
void afl_custom_deinit(void *data);

__attribute__((visibility("default"))) void *afl_custom_init(void *afl, unsigned seed)
{
    (void)afl;
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->target = mutator_target(FUZZ_TARGET);
    s->rng.state = seed;
    return s;
}

/* Sometimes combined with another input that afl-fuzz hands over. */
__attribute__((visibility("default"))) size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t size,
                                                              uint8_t **out, uint8_t *add,
                                                              size_t add_size, size_t max)
{
    struct state *s = data;
    uint64_t seed = fuzz_random(&s->rng);
    if (max > LONGEST)
        max = LONGEST;
    if (size > max)
        size = max;
    *out = s->out;
    if (add && seed % 16 == 0)
        return mutator_cross((struct sd_span){buf, size}, (struct sd_span){add, add_size}, s->out,
                             max, seed);
    memcpy(s->out, buf, size);
    return mutator_mutate(s->target, s->out, size, max, seed);
}

__attribute__((visibility("default"))) void afl_custom_deinit(void *data)
{
    free(data);
}
