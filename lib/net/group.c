/* SPDX-License-Identifier: MIT */
#include "net/group.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/random.h"
#include "net/internal.h"

enum {
    INBOX_BYTES = 4 << 20, /* what waits for a member, as much as the socket of a listener holds */
    /* A member that is this far behind gets no new peers: its program is busy elsewhere. */
    BEHIND_BYTES = 8 << 10,
    HELLO_BYTES = 256 /* what waits are mostly hellos of peers to come */
};

int sd_net_group_new(struct sd_net_group **pg, size_t peers)
{
    struct sd_net_group *g = calloc(1, sizeof *g);
    if (!g)
        return -ENOMEM;
    pthread_mutex_init(&g->reading, NULL);
    pthread_mutex_init(&g->changing, NULL);
    for (unsigned i = 0; i < SD_MEMBERS; i++)
        g->members[i].event = -1;
    int rc = sd_random(&g->key, sizeof g->key) ? 0 : -errno;
    if (!rc && !sd_directory_init(&g->directory, peers))
        rc = -ENOMEM;
    if (rc)
        sd_net_group_free(g);
    else
        *pg = g;
    return rc;
}

static void free_parcels(struct sd_parcel *p)
{
    while (p) {
        struct sd_parcel *next = p->next;
        free(p);
        p = next;
    }
}

void sd_net_group_free(struct sd_net_group *g)
{
    if (!g)
        return;
    for (unsigned i = 0; i < SD_MEMBERS; i++) {
        free_parcels(g->members[i].inbox);
        if (g->members[i].event >= 0)
            close(g->members[i].event);
    }
    for (unsigned i = 0; i < g->listener_count; i++) {
        if (g->listeners[i]->fd >= 0)
            close(g->listeners[i]->fd);
        free(g->listeners[i]);
    }
    free(g->listeners);
    sd_directory_fini(&g->directory);
    pthread_mutex_destroy(&g->reading);
    pthread_mutex_destroy(&g->changing);
    free(g);
}

/* --- members --- */

static bool is_open(const struct sd_member *m)
{
    return __atomic_load_n(&m->open, __ATOMIC_SEQ_CST);
}

static void call_member(const struct sd_member *m)
{
    const uint64_t one = 1;
    if (m->event >= 0)
        (void)!write(m->event, &one, sizeof one);
}

void sd_group_call_others(struct sd_demux *d)
{
    for (unsigned i = 0; i < SD_MEMBERS; i++) {
        const struct sd_member *m = &d->group->members[i];
        if (m != d->member && is_open(m))
            call_member(m);
    }
}

void sd_demux_call(struct sd_demux *d)
{
    __atomic_store_n(&d->member->called, true, __ATOMIC_RELEASE);
    call_member(d->member);
}

/* --- handing over --- */

/* The copy of a datagram, for another thread. NULL: no memory. */
static struct sd_parcel *wrap(const struct sd_received *d, bool chosen)
{
    struct sd_parcel *p = malloc(sizeof *p + d->len);
    if (!p)
        return NULL;
    *p = (struct sd_parcel){.chosen = chosen,
                            .len = d->len,
                            .fragment = d->fragment,
                            .listener = d->listener,
                            .peer = d->peer,
                            .local = d->local};
    memcpy(p->data, d->data, d->len);
    return p;
}

/* The newest is first. Whoever puts the first one in wakes the member: it takes all at once. After
 * that, the parcel is the member's. */
static void put_parcel(struct sd_member *m, struct sd_parcel *p)
{
    struct sd_parcel *before = __atomic_load_n(&m->inbox, __ATOMIC_RELAXED);
    __atomic_add_fetch(&m->bytes, p->len, __ATOMIC_RELAXED);
    do
        p->next = before;
    while (!__atomic_compare_exchange_n(&m->inbox, &before, p, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED));
    if (!before)
        call_member(m);
}

static struct sd_parcel *take_inbox(struct sd_member *m)
{
    struct sd_parcel *p = __atomic_exchange_n(&m->inbox, NULL, __ATOMIC_SEQ_CST);
    struct sd_parcel *oldest = NULL;
    while (p) {
        struct sd_parcel *next = p->next;
        p->next = oldest;
        oldest = p;
        p = next;
    }
    return oldest;
}

static struct sd_member *any_open(struct sd_net_group *g)
{
    for (unsigned i = 0; i < SD_MEMBERS; i++)
        if (is_open(&g->members[i]))
            return &g->members[i];
    return NULL;
}

/* A member that leaves takes nothing along: what came too late for it is for who has the peer, or
 * for anybody. */
static void put_elsewhere(struct sd_net_group *g, struct sd_parcel *p)
{
    int owner = sd_directory_find(&g->directory, p->hash);
    struct sd_member *m = owner >= 0 ? &g->members[owner] : NULL;
    if (!m || !is_open(m))
        m = any_open(g);
    p->chosen = false;
    if (m)
        put_parcel(m, p);
    else
        free(p);
}

/* It has stopped reading between the look at it and the parcel. */
static void rescue_parcels(struct sd_net_group *g, struct sd_member *m)
{
    while (!is_open(m)) {
        struct sd_parcel *p = take_inbox(m);
        if (!p)
            return;
        while (p) {
            struct sd_parcel *next = p->next;
            __atomic_sub_fetch(&m->bytes, p->len, __ATOMIC_RELAXED);
            put_elsewhere(g, p);
            p = next;
        }
    }
}

void sd_group_give(struct sd_demux *d, const struct sd_received *what)
{
    struct sd_parcel *p = what->error || what->to ? NULL : wrap(what, false);
    if (!p)
        return;
    p->hash = sd_peer_hash(d, &what->peer, &what->local);
    put_elsewhere(d->group, p);
}

static void hand_over(struct sd_demux *d, const struct sd_received *what, unsigned to,
                      uint64_t hash, bool chosen)
{
    struct sd_member *m = &d->group->members[to];
    bool fits = __atomic_load_n(&m->bytes, __ATOMIC_RELAXED) + what->len <= INBOX_BYTES;
    struct sd_parcel *p = fits ? wrap(what, chosen) : NULL;
    d->counters[p ? SD_NET_HANDED_OVER : SD_NET_HANDOVER_FULL]++;
    if (!p)
        return;
    p->hash = hash;
    put_parcel(m, p);
    if (!is_open(m))
        rescue_parcels(d->group, m);
}

/* The other member that has the peer; -1: nobody, or this one. */
static int other_owner(const struct sd_demux *d, uint64_t hash)
{
    int owner = sd_directory_find(&d->group->directory, hash);
    return owner == (int)(d->member - d->group->members) ? -1 : owner;
}

bool sd_group_passes_on(struct sd_demux *d, const struct sd_received *what)
{
    uint64_t hash = sd_peer_hash(d, &what->peer, &what->local);
    int owner = other_owner(d, hash);
    if (owner >= 0)
        hand_over(d, what, (unsigned)owner, hash, false);
    return owner >= 0;
}

void sd_group_take(struct sd_demux *d)
{
    struct sd_parcel *p = take_inbox(d->member);
    *d->parcels_end = p;
    for (; p; p = p->next)
        d->parcels_end = &p->next;
}

/* --- peers --- */

/* The member with the fewest peers, of those that keep up with what they are handed. */
static unsigned who_takes_new(const struct sd_demux *d)
{
    const struct sd_net_group *g = d->group;
    unsigned me = (unsigned)(d->member - g->members), best = me;
    size_t least = d->peers.count;
    for (unsigned i = 0; i < SD_MEMBERS; i++) {
        const struct sd_member *m = &g->members[i];
        size_t behind = __atomic_load_n(&m->bytes, __ATOMIC_RELAXED);
        if (i == me || !is_open(m) || behind > BEHIND_BYTES)
            continue;
        size_t load = __atomic_load_n(&m->load, __ATOMIC_RELAXED) + behind / HELLO_BYTES;
        if (load < least) {
            least = load;
            best = i;
        }
    }
    return best;
}

/* The first one to ask has it; *owner is another member, or -1. */
static void enter_directory(struct sd_demux *d, uint64_t hash, int *owner)
{
    struct sd_net_group *g = d->group;
    pthread_mutex_lock(&g->changing);
    *owner = other_owner(d, hash);
    if (*owner < 0 && sd_directory_find(&g->directory, hash) < 0)
        sd_directory_add(&g->directory, hash, (unsigned)(d->member - g->members));
    pthread_mutex_unlock(&g->changing);
}

bool sd_demux_claim(struct sd_demux *d, const struct sd_received *from)
{
    if (!d->group || from->to)
        return true;
    uint64_t hash = sd_peer_hash(d, &from->peer, &from->local);
    int owner = from->chosen ? -1 : (int)who_takes_new(d);
    if (owner >= 0 && &d->group->members[owner] != d->member) {
        hand_over(d, from, (unsigned)owner, hash, true);
        return false;
    }
    enter_directory(d, hash, &owner);
    if (owner >= 0)
        hand_over(d, from, (unsigned)owner, hash, false);
    return owner < 0;
}

void sd_group_disclaim(struct sd_demux *d, uint64_t hash)
{
    struct sd_net_group *g = d->group;
    pthread_mutex_lock(&g->changing);
    sd_directory_remove(&g->directory, hash, (unsigned)(d->member - g->members));
    pthread_mutex_unlock(&g->changing);
}

void sd_demux_disclaim(struct sd_demux *d, const struct sd_received *from)
{
    if (d->group)
        sd_group_disclaim(d, sd_peer_hash(d, &from->peer, &from->local));
}

void sd_group_count_peers(struct sd_demux *d)
{
    __atomic_store_n(&d->member->load, d->peers.count, __ATOMIC_RELAXED);
}

bool sd_demux_behind(const struct sd_demux *other, const struct sd_demux *d)
{
    bool behind = __atomic_load_n(&other->member->bytes, __ATOMIC_RELAXED);
    for (unsigned i = 0; !behind && i < d->listener_count; i++) {
        const struct sd_source *s = d->listeners[i].source;
        behind = s && sd_socket_waits(s->fd);
    }
    return behind;
}
