/* SPDX-License-Identifier: MIT */
/* What one worker asks of another one is done here, in the thread of the one that is asked. */
#include <stdlib.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

/* Nobody changes the message before all have sent it. */
static void send_to_own_peers(struct nc *n)
{
    struct nc_team *t = n->team;
    struct nc_peer *p;
    TAILQ_FOREACH(p, &n->peers, next)
    {
        nc_send(n, p, t->message, t->message_len);
    }
    if (!__atomic_sub_fetch(&t->undelivered, 1, __ATOMIC_ACQ_REL))
        nc_team_ask(t->member[0], NC_ASK_TURN);
}

/* Each adds its own in its own thread; the last one prints them. */
static void count_for_all(struct nc *n)
{
    struct nc_team *t = n->team;
    pthread_mutex_lock(&t->lock);
    uint64_t *all = NULL;
    if (t->sums)
        nc_counters_add(n, t->sums);
    if (t->uncounted && !--t->uncounted) {
        all = t->sums;
        t->sums = NULL;
    }
    pthread_mutex_unlock(&t->lock);
    if (all)
        nc_report_sums(n, all);
    free(all);
}

void nc_counters_now(struct nc *n)
{
    struct nc_team *t = n->team;
    if (!t) {
        nc_report_counters(n);
        return;
    }
    pthread_mutex_lock(&t->lock);
    bool idle = !t->uncounted;
    if (idle) {
        t->uncounted = t->count;
        t->sums = nc_counters_new(n);
    }
    pthread_mutex_unlock(&t->lock);
    if (!idle)
        return; /* they are being added up */
    nc_team_ask_others(n, NC_ASK_COUNTERS);
    count_for_all(n);
}

/* The main thread ends in good order: what waits for the sockets is sent. */
static void leave(struct nc *n)
{
    const struct nc *first = n->team->member[0];
    n->leaving = first->leaving;
    n->ended = first->ended;
    if (n->ended)
        nc_quit(n, first->status);
    else
        n->quit_at = nc_now();
}

static void quit_with_worker(struct nc *n)
{
    for (unsigned i = 1; i < n->team->count; i++) {
        const struct nc *w = n->team->member[i];
        if (!__atomic_load_n(&w->over, __ATOMIC_ACQUIRE))
            continue;
        n->leaving = w->leaving;
        nc_quit(n, w->status);
    }
}

void nc_team_asked(struct nc *n)
{
    uint64_t count;
    (void)!read(n->call_fd, &count, sizeof count);
    unsigned asked = __atomic_exchange_n(&n->asked, 0, __ATOMIC_ACQ_REL);
    if (asked & NC_ASK_SEND)
        send_to_own_peers(n);
    if (asked & NC_ASK_REAP)
        nc_exec_reap(n);
    if (asked & NC_ASK_KILL_GONE)
        nc_exec_kill_gone(n);
    if (asked & NC_ASK_COUNTERS)
        count_for_all(n);
    if (asked & NC_ASK_LEAVE)
        leave(n);
    if (asked & NC_ASK_OVER)
        quit_with_worker(n);
}
