/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/internal.h"

enum {
    PAUSE_MS = 10,
    /* A storm: this many errors in this time. A report takes about 1 kB of the receive buffer,
     * which may have 208 kB: at 20,000 errors/s that is full after 14 ms. */
    STORM_ERRORS = 32,
    STORM_MS = 100,
    DEAF_MS = 1000,
    LOSSY_MS = 1000 /* a queue that has overflowed may do so again */
};

static int watch_source(struct sd_demux *d, struct sd_source *s)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = s};
    if (d->group && s->kind == SD_LISTENER) /* one of the members that wait is enough */
        ev.events = EPOLLIN | EPOLLEXCLUSIVE;
    return epoll_ctl(d->epoll, EPOLL_CTL_ADD, s->fd, &ev) ? -errno : 0;
}

/* Explicitly, as a fork()ed child's copy would keep a closed fd in the set. */
static void unwatch_source(struct sd_demux *d, struct sd_source *s)
{
    epoll_ctl(d->epoll, EPOLL_CTL_DEL, s->fd, NULL);
}

struct sd_source *sd_source_add(struct sd_demux *d, enum sd_source_kind kind, int fd)
{
    struct sd_source *s = calloc(1, sizeof *s);
    if (!s) {
        close(fd);
        return NULL;
    }
    s->kind = kind;
    s->fd = fd;
    if (!watch_source(d, s))
        return s;
    close(fd);
    free(s);
    return NULL;
}

static void forget_round(struct sd_demux *d, const struct sd_source *s)
{
    for (unsigned i = d->round_at; i < d->round_count; i++)
        if (d->round[i] == s)
            d->round[i] = NULL;
}

/* Nothing may point to it any more: neither the events already fetched nor the
 * list of listeners. */
static void unlink_source(struct sd_demux *d, const struct sd_source *s)
{
    forget_round(d, s);
    if (s->kind == SD_LISTENER)
        d->listeners[s->listener].source = NULL;
}

void sd_source_dropped(struct sd_demux *d, struct sd_source *s, uint32_t dropped)
{
    uint32_t *last = s->shared_drops ? s->shared_drops : &s->dropped;
    uint32_t before = __atomic_load_n(last, __ATOMIC_RELAXED);
    int32_t more = (int32_t)(dropped - before); /* the kernel's count may wrap */
    if (more <= 0)
        return;
    s->lossy_until = sd_clock_now() + LOSSY_MS * SD_MS;
    if (!__atomic_compare_exchange_n(last, &before, dropped, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED))
        return; /* another member has just counted them, at least up to here */
    d->counters[SD_NET_OVERFLOW] += (uint32_t)more;
}

/* Asks the kernel once for both: what it dropped, and whether anything waits. */
static bool is_drained(struct sd_demux *d, struct sd_source *s)
{
    uint32_t dropped;
    bool empty = false;
    if (sd_socket_state(s->fd, &dropped, &empty))
        sd_source_dropped(d, s, dropped);
    return empty || sd_socket_empty(s->fd);
}

/* A datagram that was dropped after the last one that was queued is in no datagram's count. */
void sd_source_count_drops(struct sd_demux *d, struct sd_source *s)
{
    uint32_t dropped;
    if (sd_socket_dropped(s->fd, &dropped))
        sd_source_dropped(d, s, dropped);
}

static void close_source(struct sd_demux *d, struct sd_source *s)
{
    __atomic_sub_fetch(&d->sums->rcvbuf_given, s->rcvbuf, __ATOMIC_RELAXED);
    sd_timers_cancel(&d->timers, &s->timer);
    unlink_source(d, s);
    unwatch_source(d, s);
    close(s->fd);
    free(s);
}

void sd_source_close(struct sd_demux *d, struct sd_source *s)
{
    sd_source_count_drops(d, s);
    close_source(d, s);
}

static void hear_nothing(struct sd_source *s)
{
    s->deaf = true;
    sd_errqueue_keep(s->fd, s->local.sa.sa_family, false);
}

static void hear_again(struct sd_source *s)
{
    s->deaf = false;
    s->reports = 0;
    sd_errqueue_keep(s->fd, s->local.sa.sa_family, true);
}

/* Without the epoll set it is not read, so reports would pile up. Should the kernel have no memory
 * to put it back, a timer tries again. */
void sd_source_hold(struct sd_demux *d, struct sd_source *s, bool hold)
{
    if (s->held == hold)
        return;
    s->held = hold;
    if (hold)
        hear_nothing(s);
    else
        hear_again(s);
    if (s->paused)
        return; /* its timer sees to it */
    if (hold) {
        forget_round(d, s);
        unwatch_source(d, s);
    } else if (watch_source(d, s)) {
        s->paused = sd_timers_set(&d->timers, &s->timer, sd_clock_now() + PAUSE_MS * SD_MS);
        sd_demux_wake(d);
    }
}

void sd_source_bury(struct sd_demux *d, struct sd_source *s)
{
    sd_source_hold(d, s, false);
    s->peer = NULL;
    s->dying = true;
    if (d->config.test_plain_close || s->kind == SD_CLIENT) {
        sd_source_close(d, s);
        return;
    }
    /* Connected to its own address it keeps its queue and gets nothing new. */
    sd_socket_connect(s->fd, &s->local);
    if (sd_timers_set(&d->timers, &s->timer, sd_clock_now() + SD_LINGER_MS * SD_MS))
        sd_demux_wake(d);
    else
        sd_source_close(d, s);
}

static void pause_source(struct sd_demux *d, struct sd_source *s)
{
    if (!sd_timers_set(&d->timers, &s->timer, sd_clock_now() + PAUSE_MS * SD_MS))
        return;
    s->paused = true;
    unwatch_source(d, s);
    sd_demux_wake(d);
}

void sd_source_reported(struct sd_demux *d, struct sd_source *s, unsigned errors)
{
    sd_time now = sd_clock_now();
    if (now - s->counted > STORM_MS * SD_MS) {
        s->counted = now;
        s->reports = 0;
    }
    s->reports += errors;
    if (s->reports < STORM_ERRORS || s->dying || s->deaf ||
        !sd_timers_set(&d->timers, &s->timer, now + DEAF_MS * SD_MS))
        return;
    hear_nothing(s);
    sd_demux_wake(d);
}

void sd_source_due(struct sd_demux *d, struct sd_source *s, sd_time now)
{
    /* It was set until now, so there is room for its timer. */
    if (s->paused && (s->paused = !s->held && watch_source(d, s)))
        sd_timers_set(&d->timers, &s->timer, now + PAUSE_MS * SD_MS);
    if (s->deaf && !s->held)
        hear_again(s);
    if (!s->dying)
        return;
    if (is_drained(d, s) || ++s->turns > SD_LINGER_TURNS)
        close_source(d, s);
    else
        sd_timers_set(&d->timers, &s->timer, now + SD_LINGER_MS * SD_MS);
}

void sd_source_idle(struct sd_demux *d, struct sd_source *s)
{
    if (s->dying && s->turns && is_drained(d, s))
        close_source(d, s);
    else if (!s->dying && s->events & (EPOLLRDHUP | EPOLLHUP))
        pause_source(d, s);
}
