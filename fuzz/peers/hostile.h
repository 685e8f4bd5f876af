/* SPDX-License-Identifier: MIT */
/* One side of ours against an attacker that sends anything, while a real peer does its part. */
#ifndef FUZZ_HOSTILE_H
#define FUZZ_HOSTILE_H

#include <stddef.h>
#include <stdint.h>

#include "harness/common.h"

/* `id`: OSSL_CLIENT or OSSL_SERVER is attacked. */
void hostile_run(int id, const uint8_t *data, size_t size);
void hostile_seeds(struct fuzz_seeder *s, int id);

#endif
