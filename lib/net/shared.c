/* SPDX-License-Identifier: MIT */
/* A member of a group: it listens where the others do, and reads what they hand over. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/internal.h"

static int follow_one(struct sd_demux *d, const struct sd_shared_listener *l)
{
    int fd = l->fd >= 0 ? fcntl(l->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (l->fd >= 0 && fd < 0)
        return -errno;
    return sd_listener_add(d, fd, &l->options);
}

/* Adds the listeners that others have opened since, and closes those that were retired. */
static int follow_locked(struct sd_demux *d)
{
    const struct sd_net_group *g = d->group;
    int rc = 0;
    for (unsigned i = 0; i < d->listener_count; i++) {
        struct sd_source *s = d->listeners[i].source;
        if (s && !s->dying && g->listeners[i]->fd < 0)
            sd_source_bury(d, s);
    }
    while (!rc && d->listener_count < g->listener_count) {
        unsigned i = d->listener_count;
        rc = follow_one(d, g->listeners[i]);
        if (!rc && d->listeners[i].source)
            d->listeners[i].source->shared_drops = &g->listeners[i]->dropped;
    }
    return rc;
}

static void follow_listeners(struct sd_demux *d)
{
    pthread_mutex_lock(&d->group->changing);
    follow_locked(d);
    pthread_mutex_unlock(&d->group->changing);
}

static int share_locked(struct sd_net_group *g, int fd, const struct sd_socket_options *o)
{
    size_t n = g->listener_count;
    struct sd_shared_listener *l = malloc(sizeof *l);
    struct sd_shared_listener **list =
        l ? realloc(g->listeners, (n + 1) * sizeof(struct sd_shared_listener *)) : NULL;
    if (!list) {
        free(l);
        return -ENOMEM;
    }
    *l = (struct sd_shared_listener){.fd = fd, .options = *o};
    list[n] = l;
    g->listeners = list;
    g->listener_count++;
    return 0;
}

int sd_group_share(struct sd_demux *d, int fd, const struct sd_socket_options *o)
{
    struct sd_net_group *g = d->group;
    pthread_mutex_lock(&g->changing);
    int rc = share_locked(g, fd, o);
    if (rc)
        close(fd);
    else
        rc = follow_locked(d);
    pthread_mutex_unlock(&g->changing);
    sd_group_call_others(d);
    return rc;
}

void sd_group_retire(struct sd_demux *d, unsigned listener)
{
    struct sd_net_group *g = d->group;
    pthread_mutex_lock(&g->changing);
    if (g->listeners[listener]->fd >= 0)
        close(g->listeners[listener]->fd);
    g->listeners[listener]->fd = -1;
    follow_locked(d);
    pthread_mutex_unlock(&g->changing);
    sd_group_call_others(d);
}

bool sd_group_next(struct sd_demux *d, struct sd_received *out)
{
    struct sd_parcel *p;
    while ((p = d->parcels)) {
        d->parcels = p->next;
        if (!d->parcels)
            d->parcels_end = &d->parcels;
        __atomic_sub_fetch(&d->member->bytes, p->len, __ATOMIC_RELAXED);
        free(d->parcel);
        d->parcel = p;
        if (p->listener >= d->listener_count)
            follow_listeners(d);
        if (p->listener >= d->listener_count)
            continue; /* no descriptor for that listener: nothing could be answered */
        *out = (struct sd_received){.data = p->data,
                                    .len = p->len,
                                    .fragment = p->fragment,
                                    .peer = p->peer,
                                    .local = p->local,
                                    .to = sd_peer_find(d, &p->peer, &p->local),
                                    .listener = p->listener,
                                    .chosen = p->chosen};
        if (out->to || !sd_group_passes_on(d, out))
            return true;
    }
    return false;
}

static void pass_batch_on(struct sd_demux *d, const struct sd_source *s)
{
    struct sd_batch_datagram packet;
    struct sd_received r;
    while (sd_batch_take(&d->batch, &packet)) {
        if (packet.truncated)
            continue; /* counted when its turn comes */
        sd_demux_describe(s, &packet, &r);
        if (sd_peer_find(d, &r.peer, &r.local) || !sd_group_passes_on(d, &r))
            continue;
        d->counters[SD_NET_RECEIVED]++;
        sd_batch_give_away(&d->batch);
    }
    sd_batch_again(&d->batch);
}

/* One member at a time, and it hands over at once: so the datagrams of one peer keep their order,
 * whoever reads them. What the others handed over before is older than what is read now. */
int sd_group_read(struct sd_demux *d, struct sd_source *s, unsigned max)
{
    struct sd_net_group *g = d->group;
    pthread_mutex_lock(&g->reading);
    int n = sd_batch_read(&d->batch, s->fd, max);
    if (n > 0)
        pass_batch_on(d, s);
    sd_group_take(d);
    pthread_mutex_unlock(&g->reading);
    return n;
}

void sd_group_called(struct sd_demux *d, const struct sd_source *s)
{
    uint64_t count;
    (void)!read(s->fd, &count, sizeof count);
    sd_group_take(d);
    follow_listeners(d);
    d->called |= __atomic_exchange_n(&d->member->called, false, __ATOMIC_ACQUIRE);
}

static struct sd_member *free_member(struct sd_net_group *g)
{
    for (unsigned i = 0; i < SD_MEMBERS; i++)
        if (!g->members[i].taken)
            return &g->members[i];
    return NULL;
}

static int join_locked(struct sd_demux *d, struct sd_net_group *g)
{
    struct sd_member *m = free_member(g);
    if (!m)
        return -EUSERS;
    if (m->event < 0)
        m->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int fd = m->event < 0 ? -1 : fcntl(m->event, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    d->group = g;
    d->member = m;
    d->key = g->key;
    d->sums = &g->sums;
    d->call = sd_source_add(d, SD_CALL, fd);
    if (!d->call)
        return -ENOMEM;
    m->taken = true;
    m->load = 0;
    __atomic_store_n(&m->open, true, __ATOMIC_SEQ_CST);
    return follow_locked(d);
}

int sd_group_join(struct sd_demux *d, struct sd_net_group *g)
{
    pthread_mutex_lock(&g->changing);
    int rc = join_locked(d, g);
    pthread_mutex_unlock(&g->changing);
    return rc;
}

void sd_group_close(struct sd_demux *d)
{
    __atomic_store_n(&d->member->open, false, __ATOMIC_SEQ_CST);
    sd_group_take(d);
}

void sd_group_leave(struct sd_demux *d)
{
    struct sd_net_group *g = d->group;
    free(d->parcel);
    sd_source_close(d, d->call);
    pthread_mutex_lock(&g->changing);
    d->member->taken = false;
    pthread_mutex_unlock(&g->changing);
    sd_group_call_others(d); /* somebody has to read what the kernel asked this one to read */
}
