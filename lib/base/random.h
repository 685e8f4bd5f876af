/* SPDX-License-Identifier: MIT */
/* Random bytes for keys, seeds and secrets. */
#ifndef SD_BASE_RANDOM_H
#define SD_BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* Fills `out` from the kernel's generator (getrandom(2)). False when it has none to give:
 * the bytes are undefined then. */
bool sd_random(void *out, size_t len);

#endif
