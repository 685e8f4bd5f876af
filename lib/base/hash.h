/* SPDX-License-Identifier: MIT */
/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash whose collisions a
 * sender of packets cannot choose. */
#ifndef SD_BASE_HASH_H
#define SD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct sd_hash_key {
    uint64_t k0, k1;
};

uint64_t sd_hash(struct sd_hash_key key, const void *data, size_t len);

#endif
