/* SPDX-License-Identifier: MIT */
/* The endpoint's life, and the loop that sdtls_next() runs. */
#include <stdlib.h>
#include <string.h>

#include "endpoint/internal.h"

struct sdtls *sdtls_new(const sdtls_config *config)
{
    struct sdtls *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    TAILQ_INIT(&s->conns);
    TAILQ_INIT(&s->ready);
    TAILQ_INIT(&s->unsettled);
    TAILQ_INIT(&s->departures);
    s->limits = &s->own_limits;
    if (!sd_limits_init(s->limits)) {
        free(s);
        return NULL;
    }
    s->unusable = sd_config_copy(&s->cfg, config, &s->err);
    return s;
}

struct sdtls *sdtls_group_endpoint(struct sdtls_group *g)
{
    struct sdtls *s = sdtls_new(sd_group_config(g));
    if (s)
        sd_group_enter(g, s);
    return s;
}

static void free_tls(struct sdtls *s)
{
    for (int role = SD_ROLE_CLIENT; role <= SD_ROLE_SERVER; role++)
        sd_tls_free(s->tls[role]);
}

void sdtls_free(struct sdtls *s)
{
    if (!s)
        return;
    struct sdtls_conn *c;
    TAILQ_FOREACH(c, &s->conns, all)
    if (c->state == SD_CONN_ESTABLISHED)
        sd_session_shutdown(c->session);
    while ((c = TAILQ_FIRST(&s->conns)))
        sd_conn_free(c);
    sd_demux_free(s->demux);
    free_tls(s);
    sd_tls_mac_free(s->mac);
    sd_timers_fini(&s->timers);
    sd_limits_fini(&s->own_limits);
    sd_config_free(&s->cfg);
    explicit_bzero(&s->gate, sizeof s->gate);
    sdtls_group_free(s->group);
    free(s);
}

int sdtls_fd(struct sdtls *s)
{
    if (sd_endpoint_need_sockets(s) || sd_endpoint_open(s))
        return -1;
    s->polled = true;
    sd_endpoint_wake(s);
    return sd_demux_fd(s->demux);
}

static bool turn_of(struct sdtls_conn *c, sdtls_event *ev, sd_time now)
{
    if (c->leader)
        return sd_race_event(c, ev, now); /* it may be gone now */
    if (sd_conn_event(c, ev, now))
        return true;
    sd_session_keep(c->session); /* what it was lent is gone with the next read */
    sd_conn_sleep(c);
    return false;
}

/* The next event of the connections that have some. */
static bool next_of_ready(struct sdtls *s, sdtls_event *ev, sd_time now)
{
    struct sdtls_conn *c;
    while ((c = TAILQ_FIRST(&s->ready))) {
        if (turn_of(c, ev, now))
            return true;
    }
    return false;
}

/* Those whose places went to clients of other threads. */
static void end_departed(struct sdtls *s, sd_time now)
{
    struct sdtls_conn *c;
    while ((c = sd_limit_departed(s)))
        sd_conn_evict(c, now);
}

static bool run_due_connections(struct sdtls *s, sd_time now)
{
    struct sd_timer *t;
    bool any = false;
    for (; (t = sd_timers_due(&s->timers, now)); any = true)
        sd_conn_due(sd_container(t, struct sdtls_conn, timer), now);
    return any;
}

/* accept.c or client.c, by the role of the connection, sees it first: it may be about more than
 * this session. */
void sd_endpoint_dispatch(struct sdtls *s, const struct sd_received *d, sd_time now)
{
    struct sdtls_conn *c = d->to ? sd_peer_user(d->to) : NULL;
    if (!c)
        sd_accept_unknown(s, d, now); /* never an error: those are of known peers only */
    else if (c->server ? !sd_accept_hello(c, d, now) : !sd_connect_takes(c, d, now))
        sd_restart_input(c, d, now);
}

static int wait_left(int timeout_ms, sd_time begin, sd_time now)
{
    if (timeout_ms <= 0)
        return timeout_ms;
    sd_time spent = (now - begin) / SD_MS;
    return spent >= (sd_time)timeout_ms ? 0 : timeout_ms - (int)spent;
}

/* A flood must not keep sdtls_next() from returning: work without an event may take this much
 * longer than the caller wanted to wait. But each call gets something done, also when another
 * program has the CPU for that time. */
#define LONGEST_WORK (1 * SD_MS)
enum { LEAST_DATAGRAMS = 16 };

static sd_time work_until(int timeout_ms, sd_time begin)
{
    if (timeout_ms < 0)
        return SD_NEVER;
    sd_time wait = (sd_time)timeout_ms * SD_MS;
    return begin + (wait > LONGEST_WORK ? wait : LONGEST_WORK);
}

/* At the end of a batch if possible: in the middle the fd has to be made readable. */
static bool is_late(const struct sdtls *s, unsigned read, sd_time now, sd_time until)
{
    return read >= LEAST_DATAGRAMS && now >= until &&
           (!sd_demux_pending(s->demux) || now - until >= LONGEST_WORK);
}

/* What has been read comes before the timers: it may move a deadline that has passed. */
static int next_event(struct sdtls *s, sdtls_event *ev, int timeout_ms)
{
    sd_time begin = sd_clock_now(), now = begin;
    const sd_time until = work_until(timeout_ms, begin);
    for (unsigned read = 0;; read++) {
        end_departed(s, now);
        sd_settle_in_flood(s, now);
        if (next_of_ready(s, ev, now))
            return 1;
        if (run_due_connections(s, now) && !TAILQ_EMPTY(&s->ready))
            continue;
        if (is_late(s, read, now, until))
            return 0;
        sd_demux_arm(s->demux, sd_timers_next(&s->timers));
        struct sd_received d;
        int rc = sd_demux_next(s->demux, &d, wait_left(timeout_ms, begin, now));
        now = sd_clock_now();
        if (rc < 0)
            return sd_err_set(&s->err, SDTLS_IO, "cannot wait for datagrams: %s", strerror(-rc));
        if (rc > 0)
            sd_endpoint_dispatch(s, &d, now);
        else if (sd_timers_next(&s->timers) > now && !sd_limit_departing(s))
            return 0; /* the time has passed, or a signal came */
    }
}

/* Without sockets there is nothing to wait for. */
static int next_carried(struct sdtls *s, sdtls_event *ev)
{
    do
        if (next_of_ready(s, ev, s->now))
            return 1;
    while (run_due_connections(s, s->now));
    return 0;
}

int sdtls_next(struct sdtls *s, sdtls_event *ev, int timeout_ms)
{
    *ev = (sdtls_event){.alert = -1};
    if (s->dead) {
        sd_conn_free(s->dead);
        s->dead = NULL;
    }
    int rc = sd_endpoint_open(s);
    if (rc)
        return rc;
    if (s->carried)
        return next_carried(s, ev);
    rc = next_event(s, ev, timeout_ms);
    sd_endpoint_wake(s);
    return rc;
}
