/* SPDX-License-Identifier: MIT */
/* Waiting, timers, the clock. */
#include "kernel/vk_internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "harness/common.h"

WRAPPED(int, poll, struct pollfd *p, nfds_t n, int timeout);
WRAPPED(int, epoll_create1, int flags);
WRAPPED(int, epoll_ctl, int epoll, int op, int fd, struct epoll_event *ev);
WRAPPED(int, epoll_wait, int epoll, struct epoll_event *ev, int max, int timeout);
WRAPPED(int, timerfd_create, int clock, int flags);
WRAPPED(int, timerfd_settime, int fd, int flags, const struct itimerspec *to,
        struct itimerspec *old);
WRAPPED(int, eventfd, unsigned count, int flags);
WRAPPED(int, eventfd_write, int fd, eventfd_t value);
WRAPPED(int, eventfd_read, int fd, eventfd_t *value);
WRAPPED(int, clock_gettime, clockid_t clock, struct timespec *ts);

int __wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
    int ready = 0;
    if (vk_odd(VK_WAIT)) {
        p[0].revents = POLLERR;
        return 1;
    }
    if (vk_fails(VK_WAIT))
        return -1;
    for (nfds_t i = 0; i < n; i++) {
        const struct vk_file *f = vk_file(p[i].fd);
        p[i].revents = f ? (short)(vk_events(f) & (POLLIN | POLLERR)) : 0;
        ready += p[i].revents != 0;
    }
    if (!ready && timeout > 0)
        vk_pass((sd_time)timeout * SD_MS);
    return ready;
}

int __wrap_epoll_create1(int flags)
{
    (void)flags;
    return vk_fails(VK_EPOLL) ? -1 : vk_new(VK_EPOLLED);
}

int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *ev)
{
    const struct vk_file *e = vk_file(epoll);
    struct vk_file *f = vk_file(fd);
    if (!e || !f)
        return vk_fail_with(EBADF);
    if (op == EPOLL_CTL_DEL) {
        f->watched.events = 0;
        return 0;
    }
    if (vk_fails(VK_EPOLL))
        return -1;
    fuzz_check(!f->watched.events, "a descriptor is watched twice");
    f->watched = *ev;
    return 0;
}

static sd_time next_expiry(void)
{
    sd_time first = SD_NEVER;
    for (int i = 0; i < vk.top; i++)
        if (vk.file[i].kind == VK_TIMED && vk.file[i].watched.events && vk.file[i].expires < first)
            first = vk.file[i].expires;
    return first;
}

static int collect(struct epoll_event *ev, int max)
{
    int n = 0;
    for (int i = 0; i < vk.top && n < max; i++) {
        const struct vk_file *f = &vk.file[i];
        if (f->kind == VK_FREE || !f->watched.events || !vk_events(f))
            continue;
        ev[n] = f->watched;
        ev[n++].events = vk_events(f);
    }
    return n;
}

/* Waiting takes no time: the clock moves to the next timer or to the timeout. */
int __wrap_epoll_wait(int epoll, struct epoll_event *ev, int max, int timeout)
{
    if (!vk_file(epoll))
        return vk_fail_with(EBADF);
    if (vk_fails(VK_WAIT))
        return -1;
    for (;;) {
        int n = collect(ev, max);
        if (n || !timeout)
            return n;
        sd_time first = next_expiry(), until = vk.now + (sd_time)timeout * SD_MS;
        fuzz_check(timeout > 0 || first != SD_NEVER,
                   "the endpoint waits without a timer or timeout");
        bool timer = timeout < 0 || first < until;
        vk.now = timer ? first : until;
        if (!timer)
            return 0;
    }
}

int __wrap_timerfd_create(int clock, int flags)
{
    (void)clock, (void)flags;
    return vk_fails(VK_EPOLL) ? -1 : vk_new(VK_TIMED);
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *old)
{
    struct vk_file *f = vk_file(fd);
    (void)flags, (void)old;
    if (!f)
        return vk_fail_with(EBADF);
    if (vk_fails(VK_TIMER))
        return -1;
    sd_time when = (sd_time)to->it_value.tv_sec * SD_SEC + (sd_time)to->it_value.tv_nsec;
    f->expires = when ? when : SD_NEVER;
    return 0;
}

/* A timer that is over from the write until the read. */
int __wrap_eventfd(unsigned count, int flags)
{
    (void)count, (void)flags;
    return vk_fails(VK_EPOLL) ? -1 : vk_new(VK_TIMED);
}

int __wrap_eventfd_write(int fd, eventfd_t value)
{
    struct vk_file *f = vk_file(fd);
    (void)value;
    if (!f)
        return vk_fail_with(EBADF);
    f->expires = vk.now;
    return 0;
}

int __wrap_eventfd_read(int fd, eventfd_t *value)
{
    struct vk_file *f = vk_file(fd);
    if (!f)
        return vk_fail_with(EBADF);
    fuzz_check(f->expires <= vk.now, "an eventfd is read that nobody has written to");
    f->expires = SD_NEVER;
    *value = 1;
    return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    if (clock != CLOCK_MONOTONIC)
        return __real_clock_gettime(clock, ts);
    *ts =
        (struct timespec){.tv_sec = (time_t)(vk.now / SD_SEC), .tv_nsec = (long)(vk.now % SD_SEC)};
    return 0;
}
