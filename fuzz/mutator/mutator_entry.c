/* SPDX-License-Identifier: MIT */
/* The functions that libFuzzer calls if a program defines them. FUZZ_TARGET: the name of the
 * target. */
#include "mutator/mutator.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
                                 uint8_t *out, size_t max, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutator_mutate(mutator_target(FUZZ_TARGET), data, size, max, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
                                 uint8_t *out, size_t max, unsigned seed)
{
    return mutator_cross((struct sd_span){a, a_len}, (struct sd_span){b, b_len}, out, max, seed);
}
