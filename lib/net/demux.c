/* SPDX-License-Identifier: MIT */
#include "net/demux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/random.h"
#include "net/internal.h"

/* In the epoll set it stands for itself: what is no socket. */
static int watch_own(const struct sd_demux *d, const int *fd)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = (void *)(uintptr_t)fd};
    return *fd < 0 || epoll_ctl(d->epoll, EPOLL_CTL_ADD, *fd, &ev) ? -errno : 0;
}

static int open_fds(struct sd_demux *d)
{
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (d->epoll < 0)
        return -errno;
    d->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int rc = watch_own(d, &d->timer);
    if (rc)
        return rc;
    d->rouse = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return watch_own(d, &d->rouse);
}

static int init_demux(struct sd_demux *d)
{
    d->sums = &d->own_sums;
    d->parcels_end = &d->parcels;
    if (!sd_random(&d->key, sizeof d->key))
        return -errno;
    if (!sd_table_init(&d->peers))
        return -ENOMEM;
    if (d->config.output)
        return 0;
    if (!sd_batch_init(&d->batch))
        return -ENOMEM;
    int rc = open_fds(d);
    return rc || !d->config.group ? rc : sd_group_join(d, d->config.group);
}

int sd_demux_new(struct sd_demux **pd, const struct sd_demux_config *config)
{
    if (config->interface && strlen(config->interface) >= IFNAMSIZ)
        return -ENODEV;
    struct sd_demux *d = calloc(1, sizeof *d);
    if (!d)
        return -ENOMEM;
    d->config = *config;
    if (config->interface)
        memcpy(d->interface, config->interface, strlen(config->interface));
    d->epoll = d->timer = d->rouse = -1;
    d->deadline = d->armed = SD_NEVER;
    int rc = init_demux(d);
    if (rc)
        sd_demux_free(d);
    else
        *pd = d;
    return rc;
}

static void run_source_timers(struct sd_demux *d, sd_time now)
{
    struct sd_timer *t;
    while ((t = sd_timers_due(&d->timers, now)))
        sd_source_due(d, sd_container(t, struct sd_source, timer), now);
}

static void add_to_round(struct sd_demux *d, struct sd_source *s, uint32_t events)
{
    s->events = events;
    for (unsigned i = 0; i < d->round_count; i++)
        if (d->round[i] == s)
            return;
    if (d->round_count < SD_ROUND)
        d->round[d->round_count++] = s;
}

/* Listeners first: a peer's datagrams from before its connect() are there. When
 * there may be more events than were fetched, the listeners are asked anyway. */
static void start_round(struct sd_demux *d, const struct epoll_event *ev, unsigned n, bool all)
{
    d->round_at = d->round_count = 0;
    d->drain_reads = SD_DRAIN_READS;
    for (unsigned i = 0; !all && i < d->listener_count; i++)
        if (d->listeners[i].source)
            add_to_round(d, d->listeners[i].source, 0);
    for (unsigned i = 0; i < n; i++) {
        struct sd_source *s = ev[i].data.ptr;
        if (s->kind == SD_LISTENER)
            add_to_round(d, s, ev[i].events);
    }
    for (unsigned i = 0; i < n; i++) {
        struct sd_source *s = ev[i].data.ptr;
        if (s->kind != SD_LISTENER)
            add_to_round(d, s, ev[i].events);
    }
}

/* Leaves the sockets among n events; how many. */
static unsigned sockets_of(struct sd_demux *d, struct epoll_event *ev, unsigned n)
{
    unsigned sockets = 0;
    for (unsigned i = 0; i < n; i++) {
        if (ev[i].data.ptr == &d->timer)
            d->fired = true;
        else if (ev[i].data.ptr != &d->rouse)
            ev[sockets++] = ev[i];
    }
    return sockets;
}

/* 1 = a round began (maybe an empty one), 0 = time to return, -errno. */
static int wait_round(struct sd_demux *d, sd_time until)
{
    struct epoll_event ev[SD_ROUND];
    sd_time wake = sd_demux_deadline(d);
    wake = until < wake ? until : wake;
    if (until) /* it must not keep us from waiting */
        sd_demux_calm(d);
    int n = epoll_wait(d->epoll, ev, SD_ROUND, wake == SD_NEVER ? -1 : sd_clock_wait_ms(wake));
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    unsigned sockets = sockets_of(d, ev, (unsigned)n);
    start_round(d, ev, sockets, n < SD_ROUND);
    if (!sockets)
        sd_demux_calm(d);
    if (sockets && !d->fired)
        return 1;
    sd_time now = sd_clock_now();
    run_source_timers(d, now);
    if (d->deadline <= now || until <= now)
        return 0;
    sd_demux_wake(d); /* or the timerfd stays readable */
    return 1;
}

/* Whose datagram it is. The table decides; a peer's own socket is only a hint. */
static struct sd_peer *owner_of(struct sd_demux *d, const struct sd_batch_datagram *p,
                                const struct sd_addr *local)
{
    const struct sd_source *from = &d->origin;
    if (from->peer && (d->config.test_trust_kernel || sd_addr_eq(&p->peer, &from->peer->remote)))
        return from->peer;
    if (from->kind != SD_LISTENER)
        d->counters[SD_NET_REDISPATCHED]++;
    return sd_peer_find(d, &p->peer, local);
}

/* Read on a client's socket: its server sent it, and the client has not been closed since. */
static bool is_of_server(const struct sd_demux *d, const struct sd_batch_datagram *p)
{
    const struct sd_peer *client = d->origin.peer;
    return client && (d->config.test_trust_kernel || sd_addr_eq(&p->peer, &client->remote));
}

static bool deliver(struct sd_demux *d, const struct sd_batch_datagram *p, struct sd_received *out)
{
    const struct sd_source *from = &d->origin;
    d->counters[SD_NET_RECEIVED]++;
    if (p->truncated) {
        d->counters[SD_NET_TRUNCATED]++;
        return false;
    }
    if (from->kind == SD_CLIENT && !is_of_server(d, p)) {
        d->counters[SD_NET_FOREIGN]++;
        return false;
    }
    sd_demux_describe(from, p, out);
    out->to = owner_of(d, p, &out->local);
    return out->to || !d->group || !sd_group_passes_on(d, out);
}

/* What the network reported about a datagram to the peer of this socket. */
static bool deliver_error(struct sd_demux *d, const struct sd_report *report,
                          struct sd_received *out)
{
    const struct sd_peer *p = d->origin.peer;
    if (!p || !report->error)
        return false;
    size_t headers = sd_socket_headers(&p->remote);
    *out = (struct sd_received){.error = report->error,
                                .report = report,
                                .limit = report->mtu > headers ? report->mtu - headers : 0,
                                .peer = p->remote,
                                .local = p->local,
                                .to = d->origin.peer,
                                .listener = p->listener};
    return true;
}

static void read_reports(struct sd_demux *d, struct sd_source *s)
{
    unsigned forgeable = 0;
    sd_errqueue_drain(s->fd, &d->reports);
    for (unsigned i = 0; i < d->reports.count; i++)
        forgeable += d->reports.list[i].error && !d->reports.list[i].here;
    d->counters[SD_NET_ICMP] += forgeable;
    if (forgeable)
        sd_source_reported(d, s, forgeable);
}

/* A pending error is in the way of the datagrams, once for each ICMP message. Its report tells
 * the rest; without reports it is counted here. */
static int read_datagrams(struct sd_demux *d, struct sd_source *s, unsigned max)
{
    int n = -EAGAIN;
    if (d->group && s->kind == SD_LISTENER)
        return sd_group_read(d, s, max);
    for (int i = 0; i < SD_TRIES; i++) {
        n = sd_batch_read(&d->batch, s->fd, max);
        if (n >= 0 || n == -EAGAIN)
            break;
        d->counters[SD_NET_ICMP] += s->deaf;
    }
    return n;
}

static void count_overflow(struct sd_demux *d, struct sd_source *s)
{
    uint32_t dropped = sd_batch_dropped(&d->batch);
    if (dropped)
        sd_source_dropped(d, s, dropped);
}

/* How many datagrams to ask for: as many as came last time, and twice as many while each read
 * brings all that it could. To ask one socket for one is cheaper than for 32 when one is there (450
 * and 600 ns), and another epoll_wait() for each costs more than that (260 ns). */
static unsigned datagrams_to_ask(const struct sd_demux *d, const struct sd_source *s)
{
    bool drained = s->kind == SD_LISTENER && d->drain < d->listener_count;
    return drained ? SD_BATCH : s->burst ? s->burst : 1;
}

static void note_burst(const struct sd_demux *d, struct sd_source *s, unsigned asked, unsigned got)
{
    size_t fit = s->kind == SD_LISTENER ? SD_BATCH : SD_PEER_BYTES / (d->batch.largest + 1);
    size_t next = got == asked ? 2 * asked : got;
    s->burst = (unsigned)(next < fit ? next : fit);
    if (s->burst > SD_BATCH)
        s->burst = SD_BATCH;
}

/* Datagrams into the batch, and what the network reported: that is looked at after them. */
static void read_source(struct sd_demux *d, struct sd_source *s)
{
    if (s->kind == SD_CALL) {
        sd_group_called(d, s);
        return;
    }
    unsigned max = datagrams_to_ask(d, s);
    int n = read_datagrams(d, s, max);
    if (n < (int)max && d->drain < d->listener_count) /* then it is the one being drained */
        d->drain++;
    note_burst(d, s, max, n > 0 ? (unsigned)n : 0);
    if (n > 0)
        count_overflow(d, s);
    if (s->events & EPOLLERR && s->kind != SD_LISTENER && !s->deaf)
        read_reports(d, s);
    d->origin = *s;
    if (n <= 0)
        sd_source_idle(d, s);
}

/* After an accept the listeners are emptied before any peer's socket is read,
 * within bounds, so that a flood on them starves nobody. */
static struct sd_source *next_to_drain(struct sd_demux *d)
{
    for (; d->drain < d->listener_count && d->drain_reads; d->drain++) {
        struct sd_source *s = d->listeners[d->drain].source;
        if (!s || s->paused)
            continue;
        d->drain_reads--;
        return s;
    }
    d->drain = d->listener_count;
    return NULL;
}

static struct sd_source *next_source(struct sd_demux *d)
{
    struct sd_source *s = next_to_drain(d);
    while (!s && d->round_at < d->round_count)
        s = d->round[d->round_at++];
    return s;
}

/* The next of what has been read. */
static bool next_pending(struct sd_demux *d, struct sd_received *out)
{
    struct sd_batch_datagram packet;
    if (d->parcels && sd_group_next(d, out))
        return true;
    while (sd_batch_take(&d->batch, &packet))
        if (deliver(d, &packet, out))
            return true;
    while (d->reports.at < d->reports.count)
        if (deliver_error(d, &d->reports.list[d->reports.at++], out))
            return true;
    return false;
}

static bool next_received(struct sd_demux *d, struct sd_received *out)
{
    struct sd_source *s;
    while (!next_pending(d, out)) {
        if (!(s = next_source(d)))
            return false;
        read_source(d, s);
    }
    return true;
}

int sd_demux_next(struct sd_demux *d, struct sd_received *out, int timeout_ms)
{
    sd_time until = timeout_ms < 0 ? SD_NEVER : 0;
    if (timeout_ms > 0)
        until = sd_clock_now() + (sd_time)timeout_ms * SD_MS;
    for (bool again = false; !next_received(d, out); again = true) {
        if (again && until != SD_NEVER && until <= sd_clock_now())
            return 0;
        if (d->called) {
            d->called = false;
            return 0;
        }
        int rc = wait_round(d, until);
        if (rc <= 0)
            return rc;
    }
    return 1;
}

/* Their sockets get nothing more, so this ends. */
static bool read_dying(struct sd_demux *d)
{
    for (size_t i = 0; i < d->timers.count; i++) {
        struct sd_source *s = sd_container(d->timers.heap[i], struct sd_source, timer);
        if (!s->dying || read_datagrams(d, s, 1) <= 0)
            continue;
        d->origin = *s;
        return true;
    }
    return false;
}

/* A member of a group leaves what has been read, and what waits in sockets that are being closed,
 * to the others. */
static void leave_others(struct sd_demux *d)
{
    struct sd_received r;
    sd_group_close(d);
    do
        while (next_pending(d, &r))
            sd_group_give(d, &r);
    while (read_dying(d));
    sd_group_leave(d);
}

void sd_demux_free(struct sd_demux *d)
{
    if (!d)
        return;
    if (d->call)
        leave_others(d);
    for (unsigned i = 0; i < d->listener_count; i++)
        if (d->listeners[i].source)
            sd_source_close(d, d->listeners[i].source);
    struct sd_timer *t;
    while ((t = sd_timers_due(&d->timers, SD_NEVER))) /* the dying ones */
        sd_source_close(d, sd_container(t, struct sd_source, timer));
    sd_timers_fini(&d->timers);
    sd_table_fini(&d->peers);
    sd_batch_fini(&d->batch);
    free(d->listeners);
    if (d->rouse >= 0)
        close(d->rouse);
    if (d->timer >= 0)
        close(d->timer);
    if (d->epoll >= 0)
        close(d->epoll);
    free(d);
}

void sd_demux_count_drops(struct sd_demux *d)
{
    for (unsigned i = 0; i < d->listener_count; i++)
        if (d->listeners[i].source)
            sd_source_count_drops(d, d->listeners[i].source);
}

uint64_t sd_demux_counter(const struct sd_demux *d, enum sd_net_counter c)
{
    return d->counters[c];
}
