/* SPDX-License-Identifier: MIT */
/* When the demultiplexer wakes: one timerfd for all its timers and the caller's. */
#include <sys/timerfd.h>

#include "net/internal.h"

/* A deadline that moved away is left as it is: it costs one early wake-up, and a call less
 * for each datagram. The timerfd is never read: setting it again clears it. */
void sd_demux_wake(struct sd_demux *d)
{
    sd_time when = sd_timers_next(&d->timers);
    if (d->deadline < when)
        when = d->deadline;
    if (!d->fired && when >= d->armed)
        return;
    sd_time set = when == SD_NEVER ? 0 : when ? when : 1; /* 0 disarms */
    struct itimerspec spec = {
        .it_value = {.tv_sec = (time_t)(set / SD_SEC), .tv_nsec = (long)(set % SD_SEC)}};
    if (timerfd_settime(d->timer, TFD_TIMER_ABSTIME, &spec, NULL))
        return;
    d->armed = when;
    d->fired = false;
}

void sd_demux_arm(struct sd_demux *d, sd_time when)
{
    d->deadline = when;
    sd_demux_wake(d);
}
