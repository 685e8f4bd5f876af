/* SPDX-License-Identifier: MIT */
/* Time as the library counts it: nanoseconds of CLOCK_MONOTONIC. Everything
 * below endpoint takes it as an argument, which is what lets tests run in
 * virtual time. */
#ifndef SD_BASE_CLOCK_H
#define SD_BASE_CLOCK_H

#include <stdint.h>

typedef uint64_t sd_time;

#define SD_US UINT64_C(1000)
#define SD_MS UINT64_C(1000000)
#define SD_SEC UINT64_C(1000000000)
#define SD_NEVER UINT64_MAX

sd_time sd_clock_now(void);
/* How long poll() is to wait: 0 when `until` is past, rounded up to milliseconds. */
int sd_clock_wait_ms(sd_time until);

#endif
