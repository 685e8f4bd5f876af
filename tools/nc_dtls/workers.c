/* SPDX-License-Identifier: MIT */
/* --workers: the server in several threads, each with an endpoint of one group and a loop of its
 * own.
 *
 * The main thread is the first worker. It alone has stdin and the signals, and passes on what they
 * mean: a worker has a word of requests and an eventfd. stdout and stderr belong to all, with a
 * lock each. What is counted for all (peers, commands) every worker counts for itself, and whoever
 * needs the sum adds up. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

unsigned nc_workers_usual(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return n < 1 ? 1 : n > NC_WORKERS ? NC_WORKERS : (unsigned)n;
}

static void *run_worker(void *arg)
{
    struct nc *n = arg;
    nc_loop(n);
    /* Before its peers are closed: the counters of a worker that is gone are added up at the end.
     */
    nc_close_all(n);
    nc_exec_end(n);
    __atomic_store_n(&n->over, true, __ATOMIC_RELEASE);
    nc_team_ask(n->team->member[0], NC_ASK_OVER);
    return NULL;
}

/* A copy of the main thread's: configuration, output, what to do with events. */
static struct nc *make_worker(struct nc *first)
{
    struct nc *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->cfg = first->cfg;
    n->cfg.no_stdin = true;
    n->out = first->out;
    n->team = first->team;
    n->payload = first->payload;
    n->pace = first->pace;
    n->keylog_fd = n->signals.fd = -1;
    n->wake = n->quit_at = UINT64_MAX;
    TAILQ_INIT(&n->peers);
    TAILQ_INIT(&n->children);
    n->call_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    n->s = sdtls_group_endpoint(first->team->group);
    return n;
}

static bool join_team(struct nc_team *t, struct nc *n)
{
    if (!n)
        return false;
    t->member[t->count++] = n;
    return n->s && n->call_fd >= 0;
}

bool nc_team_open(struct nc *n)
{
    struct nc_team *t = n->team = calloc(1, sizeof *t);
    if (!t)
        return false;
    pthread_mutex_init(&t->lock, NULL);
    t->group = sdtls_group_new(&n->cfg.tls);
    if (!t->group)
        return false;
    n->call_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    n->s = sdtls_group_endpoint(t->group);
    bool ok = join_team(t, n);
    while (ok && t->count < n->cfg.workers)
        ok = join_team(t, make_worker(n));
    return ok;
}

bool nc_team_start(struct nc *n)
{
    struct nc_team *t = n->team;
    for (unsigned i = 1; t && i < t->count; i++) {
        struct nc *w = t->member[i];
        w->on_event = n->on_event;
        w->signals.before = n->signals.before;
        int error = pthread_create(&t->thread[i], NULL, run_worker, w);
        if (error) {
            tool_error(&n->out, "cannot start a thread: %s", strerror(error));
            return false;
        }
        t->started = i;
    }
    return true;
}

void nc_team_stop(struct nc *n)
{
    struct nc_team *t = n->team;
    if (!t)
        return;
    nc_team_ask_others(n, NC_ASK_LEAVE);
    for (unsigned i = 1; i <= t->started; i++)
        pthread_join(t->thread[i], NULL);
    t->started = 0;
    for (unsigned i = 1; i < t->count; i++)
        nc_tally_add(&n->tally, &t->member[i]->tally);
}

void nc_team_free(struct nc *n)
{
    struct nc_team *t = n->team;
    if (!t)
        return;
    for (unsigned i = 1; i < t->count; i++) {
        struct nc *w = t->member[i];
        sdtls_free(w->s);
        if (w->call_fd >= 0)
            close(w->call_fd);
        explicit_bzero(&w->cfg.psk_bytes, sizeof w->cfg.psk_bytes);
        free(w);
    }
    close(n->call_fd);
    sdtls_group_free(t->group);
    pthread_mutex_destroy(&t->lock);
    free(t->sums);
    free(t);
    n->team = NULL;
}
