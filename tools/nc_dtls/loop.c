/* SPDX-License-Identifier: MIT */
/* The event loop: it waits for the endpoint, stdin, signals and the pipes of --exec. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

/* Events in a row, and the time for them, before stdin, signals and pipes get their turn. */
enum { EVENTS_A_TURN = 256, TURN_MS = 10 };

/* The first descriptors are fixed; then come two for each child. */
struct nc_polled {
    struct pollfd *fds;
    size_t cap, count;
};

enum { FD_ENDPOINT, FD_SIGNALS, FD_STDIN, FD_STDOUT, FD_STDERR, FD_TEAM, FD_CHILDREN };

static void watch_fd(struct nc_polled *p, int fd, short events)
{
    p->fds[p->count++] = (struct pollfd){.fd = fd, .events = events};
}

static bool reserve_fds(struct nc_polled *p, size_t need)
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

static bool watch_all_fds(struct nc *n, struct nc_polled *p)
{
    struct nc_child *ch;
    size_t need = FD_CHILDREN;
    TAILQ_FOREACH(ch, &n->children, next)
    {
        need += 2;
    }
    if (!reserve_fds(p, need))
        return false;
    p->count = 0;
    watch_fd(p, sdtls_fd(n->s), POLLIN);
    watch_fd(p, n->signals.fd, POLLIN);
    watch_fd(p, nc_pump_wanted(n) ? STDIN_FILENO : -1, POLLIN);
    watch_fd(p, nc_stdout_wants(n), POLLOUT);
    watch_fd(p, tool_out_wants(&n->out), POLLOUT);
    watch_fd(p, n->call_fd, POLLIN);
    TAILQ_FOREACH(ch, &n->children, next)
    {
        watch_fd(p, nc_exec_wanted(n, ch) ? ch->from : -1, POLLIN);
        watch_fd(p, ch->queued ? ch->to : -1, POLLOUT);
    }
    return true;
}

static int poll_timeout(uint64_t when)
{
    uint64_t now = nc_now();
    if (when == UINT64_MAX)
        return NC_NEVER;
    if (when <= now)
        return 0;
    return when - now > INT32_MAX ? INT32_MAX : (int)(when - now);
}

/* Of the signals that end us. */
static const char *signal_name(int signo)
{
    return signo == SIGINT ? "SIGINT" : signo == SIGHUP ? "SIGHUP" : "SIGTERM";
}

static void take_signals(struct nc *n)
{
    int signo;
    while ((signo = tool_signals_next(&n->signals))) {
        if (signo == SIGCHLD) {
            nc_exec_reap(n);
            nc_team_ask_others(n, NC_ASK_REAP);
        } else if (signo == SIGUSR1) {
            nc_counters_now(n);
        } else if (signo == SIGHUP && nc_reloads(n)) {
            nc_reload(n);
        } else {
            n->leaving = signal_name(signo);
            n->ended = true;
            tool_say(&n->out, 1, "Ended by %s", n->leaving);
            tool_event(&n->out, "signal",
                       json_pack("{s:i, s:s}", "number", signo, "name", strsignal(signo)));
            nc_quit(n, TOOL_EXIT_SIGNAL + signo);
        }
    }
}

/* A child may go while the others are looked at: only reaping removes one, and
 * that happens in take_signals(). */
static void serve_children(struct nc *n, const struct nc_polled *p)
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

/* What is said about a peer comes after what it sent. */
static void handle_event(struct nc *n, const sdtls_event *ev)
{
    if (ev->type != SDTLS_EV_DATA)
        nc_stdout_gather(n, true);
    n->on_event(n, ev);
}

static void take_some_events(struct nc *n)
{
    sdtls_event ev;
    const uint64_t end = nc_now() + TURN_MS;
    for (int i = 0; i < EVENTS_A_TURN && !n->done && nc_now() < end; i++) {
        int rc = sdtls_next(n->s, &ev, 0);
        if (rc == 0)
            return;
        if (rc < 0) {
            nc_report_error(n, rc);
            nc_quit(n, tool_exit_of(rc, false));
            return;
        }
        handle_event(n, &ev);
    }
}

static void take_events(struct nc *n)
{
    nc_stdout_gather(n, true);
    take_some_events(n);
    nc_stdout_gather(n, false);
}

/* How long an interface without room may keep us. */
enum { UNSENT_MS = 2000 };

/* Replies that stdout does not take yet, or that wait behind those, get their time again; and what
 * was promised to the peers has to be with the kernel. */
static void quit_when_due(struct nc *n, uint64_t now)
{
    if (now < n->quit_at)
        return;
    if (nc_stdout_waits(n) && !n->cfg.close_at_eof && (!n->team || nc_team_member(n, 0) == n))
        nc_quit_after_replies(n);
    else if (!nc_all_sent(n) && now < n->quit_at + UNSENT_MS)
        nc_wake_at(n, now + 1);
    else
        nc_quit(n, TOOL_EXIT_OK);
}

static void keep_time(struct nc *n)
{
    uint64_t now = nc_now();
    n->wake = n->quit_at > now ? n->quit_at : UINT64_MAX;
    nc_exec_tick(n, now);
    nc_send_tick(n);
    nc_pump_tick(n);
    if (n->on_tick)
        n->on_tick(n, now);
    quit_when_due(n, now);
}

static void turn_loop(struct nc *n, struct nc_polled *p)
{
    keep_time(n);
    if (n->done)
        return;
    if (!watch_all_fds(n, p)) {
        tool_error(&n->out, "out of memory");
        nc_quit(n, TOOL_EXIT_NETWORK);
        return;
    }
    int ready = poll(p->fds, p->count, poll_timeout(n->wake));
    if (ready <= 0)
        return;
    if (p->fds[FD_STDIN].revents)
        nc_pump_run(n);
    if (p->fds[FD_STDOUT].revents)
        nc_stdout_writable(n);
    if (p->fds[FD_STDERR].revents)
        tool_out_flush(&n->out);
    if (p->fds[FD_TEAM].revents)
        nc_team_asked(n);
    serve_children(n, p);
    if (p->fds[FD_ENDPOINT].revents)
        take_events(n);
    if (p->fds[FD_SIGNALS].revents)
        take_signals(n);
}

void nc_loop(struct nc *n)
{
    struct nc_polled p = {0};
    take_events(n); /* what connecting has already brought */
    while (!n->done)
        turn_loop(n, &p);
    free(p.fds);
}
