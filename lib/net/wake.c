/* SPDX-License-Identifier: MIT */
/* When the demultiplexer wakes, for a program that waits on its fd: one timerfd for all its timers
 * and the caller's, and an eventfd for what waits already. (A timer that is set to the past costs
 * more than the message it is for.) Who waits in sd_demux_next() needs neither. */
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "net/internal.h"

sd_time sd_demux_deadline(const struct sd_demux *d)
{
    sd_time when = sd_timers_next(&d->timers);
    return d->deadline < when ? d->deadline : when;
}

/* A deadline that moved away is left as it is: it costs one early wake-up, and a call less
 * for each datagram. The timerfd is never read: setting it again clears it. */
void sd_demux_wake(struct sd_demux *d)
{
    sd_time when = sd_demux_deadline(d);
    if (!d->polled || (!d->fired && when >= d->armed))
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
}

int sd_demux_fd(struct sd_demux *d)
{
    d->polled = true;
    sd_demux_wake(d);
    return d->epoll;
}

/* Once for many messages: it ends with the next wait, or when nothing is found. */
void sd_demux_rouse(struct sd_demux *d)
{
    d->roused = d->roused || !eventfd_write(d->rouse, 1);
}

void sd_demux_calm(struct sd_demux *d)
{
    eventfd_t count;
    d->roused = d->roused && eventfd_read(d->rouse, &count);
}
