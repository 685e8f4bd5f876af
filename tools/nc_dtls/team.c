/* SPDX-License-Identifier: MIT */
/* What workers share, and how they reach each other. */
#include <string.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

void nc_lock(struct nc *n)
{
    if (n->team)
        pthread_mutex_lock(&n->team->lock);
}

void nc_unlock(struct nc *n)
{
    if (n->team)
        pthread_mutex_unlock(&n->team->lock);
}

unsigned nc_team_size(const struct nc *n)
{
    return n->team ? n->team->count : 1;
}

struct nc *nc_team_member(const struct nc *n, unsigned i)
{
    return n->team ? n->team->member[i] : (struct nc *)(uintptr_t)n;
}

unsigned nc_team_sum(const struct nc *n, enum nc_shared_count which)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < nc_team_size(n); i++)
        sum += __atomic_load_n(&nc_team_member(n, i)->shared[which], __ATOMIC_RELAXED);
    return sum;
}

void nc_team_ask(struct nc *to, unsigned what)
{
    const uint64_t one = 1;
    __atomic_or_fetch(&to->asked, what, __ATOMIC_ACQ_REL);
    (void)!write(to->call_fd, &one, sizeof one);
}

void nc_team_ask_others(struct nc *n, unsigned what)
{
    for (unsigned i = 0; i < nc_team_size(n); i++)
        if (nc_team_member(n, i) != n)
            nc_team_ask(nc_team_member(n, i), what);
}

/* stdin depends on whether there are peers, and on whether they have what was read before. */
void nc_team_count(struct nc *n, enum nc_shared_count which, int more)
{
    unsigned now = __atomic_add_fetch(&n->shared[which], (unsigned)more, __ATOMIC_ACQ_REL);
    bool matters = (which == NC_COUNT_PEERS && now == 1) || (which == NC_COUNT_WAITING && !now);
    if (n->team && matters && n->team->member[0] != n)
        nc_team_ask(n->team->member[0], NC_ASK_TURN);
}

bool nc_team_delivered(const struct nc *n)
{
    return !n->team || !__atomic_load_n(&n->team->undelivered, __ATOMIC_ACQUIRE);
}

void nc_team_broadcast(struct nc *n, const void *data, size_t len)
{
    struct nc_team *t = n->team;
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    memcpy(t->message, data, len);
    t->message_len = len;
    __atomic_store_n(&t->undelivered, t->count - 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&t->lock);
    nc_team_ask_others(n, NC_ASK_SEND);
}
