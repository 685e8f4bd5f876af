/* SPDX-License-Identifier: MIT */
/* Secrets that the virtual kernel's getrandom() gives. They come from a sequence of their own, so
 * that the first one of a run is the same whatever else is drawn before it: the mutator can make a
 * cookie that the target accepts. */
#ifndef FUZZ_VK_SECRET_H
#define FUZZ_VK_SECRET_H

#include "harness/common.h"

enum {
    VK_SECRET = 32, /* bytes; a request of any other length is not for a secret */
    VK_SECRETS_BEGIN = 0
};

static inline void vk_first_secret(uint8_t out[static VK_SECRET])
{
    struct fuzz_rng r = {VK_SECRETS_BEGIN};
    fuzz_random_bytes(&r, out, VK_SECRET);
}

#endif
