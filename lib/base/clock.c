/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

sd_time sd_clock_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (sd_time)ts.tv_sec * SD_SEC + (sd_time)ts.tv_nsec;
}

int sd_clock_wait_ms(sd_time until)
{
    const sd_time now = sd_clock_now();
    if (until <= now)
        return 0;
    const sd_time ms = (until - now + SD_MS - 1) / SD_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}
