/* The event loop: the endpoint, stdin, signals and the pipes of --exec. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

/* Events in a row before stdin, signals and pipes get their turn. */
enum { EVENTS_A_TURN = 256 };

uint64_t nc_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void nc_wake_at(struct nc *n, uint64_t when)
{
    if (when < n->wake)
        n->wake = when;
}

void nc_quit(struct nc *n, int status)
{
    if (n->done)
        return;
    n->done = true;
    n->status = status;
}

/* fds[0..2] are fixed; then two for each child. */
struct polled {
    struct pollfd *fds;
    size_t cap, count;
};

enum { FD_ENDPOINT, FD_SIGNALS, FD_STDIN, FD_CHILDREN };

static void watch(struct polled *p, int fd, short events)
{
    p->fds[p->count++] = (struct pollfd){.fd = fd, .events = events};
}

static bool make_room(struct polled *p, size_t need)
{
    if (need <= p->cap)
        return true;
    struct pollfd *more = reallocarray(p->fds, need, sizeof *more);
    if (!more)
        return false;
    p->fds = more;
    p->cap = need;
    return true;
}

static bool watch_all(struct nc *n, struct polled *p)
{
    struct nc_child *ch;
    size_t need = FD_CHILDREN;
    TAILQ_FOREACH(ch, &n->children, next)
    {
        need += 2;
    }
    if (!make_room(p, need))
        return false;
    p->count = 0;
    watch(p, sdtls_fd(n->s), POLLIN);
    watch(p, n->signals.fd, POLLIN);
    watch(p, nc_pump_wanted(n) ? STDIN_FILENO : -1, POLLIN);
    TAILQ_FOREACH(ch, &n->children, next)
    {
        watch(p, ch->conn ? ch->from : -1, POLLIN);
        watch(p, ch->queued ? ch->to : -1, POLLOUT);
    }
    return true;
}

static int timeout_until(uint64_t when)
{
    uint64_t now = nc_now();
    if (when == UINT64_MAX)
        return NC_NEVER;
    if (when <= now)
        return 0;
    return when - now > INT32_MAX ? INT32_MAX : (int)(when - now);
}

static void on_signals(struct nc *n)
{
    int signo;
    while ((signo = tool_signals_next(&n->signals))) {
        if (signo == SIGCHLD) {
            nc_exec_reap(n);
        } else if (signo == SIGUSR1) {
            nc_report_counters(n);
        } else {
            tool_say(&n->out, 1, "Terminated with %s", strsignal(signo));
            tool_event(&n->out, "signal",
                       json_pack("{s:i, s:s}", "number", signo, "name", strsignal(signo)));
            nc_quit(n, TOOL_EXIT_SIGNAL + signo);
        }
    }
}

/* A child may go while the others are looked at: only reaping removes one, and
 * that happens in on_signals(). */
static void on_children(struct nc *n, const struct polled *p)
{
    struct nc_child *ch;
    size_t i = FD_CHILDREN;
    TAILQ_FOREACH(ch, &n->children, next)
    {
        if (i + 1 >= p->count)
            return;
        if (p->fds[i].revents)
            nc_exec_readable(n, ch);
        if (p->fds[i + 1].revents)
            nc_exec_writable(n, ch);
        i += 2;
    }
}

static void on_endpoint(struct nc *n)
{
    sdtls_event ev;
    for (int i = 0; i < EVENTS_A_TURN && !n->done; i++) {
        int rc = sdtls_next(n->s, &ev, 0);
        if (rc == 0)
            return;
        if (rc < 0) {
            nc_report_error(n, rc);
            nc_quit(n, tool_exit_of(rc, false));
            return;
        }
        n->on_event(n, &ev);
    }
}

static void on_time(struct nc *n)
{
    uint64_t now = nc_now();
    n->wake = n->quit_at;
    nc_exec_tick(n, now);
    if (n->on_tick)
        n->on_tick(n, now);
    if (now >= n->quit_at)
        nc_quit(n, TOOL_EXIT_OK);
}

static void turn(struct nc *n, struct polled *p)
{
    on_time(n);
    if (n->done)
        return;
    if (!watch_all(n, p)) {
        tool_error(&n->out, "out of memory");
        nc_quit(n, TOOL_EXIT_NETWORK);
        return;
    }
    int ready = poll(p->fds, p->count, timeout_until(n->wake));
    if (ready <= 0)
        return;
    if (p->fds[FD_STDIN].revents)
        nc_pump_run(n);
    on_children(n, p);
    if (p->fds[FD_ENDPOINT].revents)
        on_endpoint(n);
    if (p->fds[FD_SIGNALS].revents)
        on_signals(n);
}

void nc_loop(struct nc *n)
{
    struct polled p = {0};
    on_endpoint(n); /* what connecting has already brought */
    while (!n->done)
        turn(n, &p);
    free(p.fds);
}
