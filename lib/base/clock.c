#include "base/clock.h"

#include <time.h>

sd_time sd_clock_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (sd_time)ts.tv_sec * SD_SEC + (sd_time)ts.tv_nsec;
}
