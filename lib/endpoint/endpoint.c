/* The endpoint: what its connections share, and the loop behind sdtls_next(). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/random.h"
#include "endpoint/internal.h"

enum { MAX_CONNECTED = 1024, FDS_FOR_OTHERS = 64 };

void sd_endpoint_log(struct sdtls *s, int level, const char *fmt, ...)
{
    if (!s->cfg.log || level > s->cfg.log_level)
        return;
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    s->cfg.log(s->cfg.cb_arg, level, line);
}

struct sdtls *sdtls_new(const sdtls_config *config)
{
    struct sdtls *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    TAILQ_INIT(&s->conns);
    TAILQ_INIT(&s->ready);
    if (!sd_table_init(&s->hosts)) {
        free(s);
        return NULL;
    }
    s->unusable = sd_config_copy(&s->cfg, config, &s->err);
    return s;
}

static size_t max_connected(const sdtls_config *c)
{
    if (c->flags & SDTLS_F_SHARED)
        return 0;
    if (c->max_connected)
        return c->max_connected;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur <= FDS_FOR_OTHERS)
        return 0;
    size_t free_fds = (size_t)files.rlim_cur - FDS_FOR_OTHERS;
    return free_fds < MAX_CONNECTED ? free_fds : MAX_CONNECTED;
}

int sd_endpoint_open(struct sdtls *s)
{
    if (s->demux)
        return SDTLS_OK;
    if (s->unusable)
        return s->unusable;
    const struct sd_demux_config config = {
        .max_connected = max_connected(&s->cfg),
        .interface = s->cfg.interface,
        .take_over = s->cfg.flags & SDTLS_F_TAKE_OVER,
    };
    int rc = sd_demux_new(&s->demux, &config);
    if (rc)
        return sd_err_set(&s->err, rc == -ENOMEM ? SDTLS_NOMEM : SDTLS_IO,
                          "cannot set up the event loop: %s", strerror(-rc));
    return SDTLS_OK;
}

static int open_gate(struct sdtls *s)
{
    uint8_t secret[SD_GATE_SECRET_LEN];
    if (!s->mac)
        s->mac = sd_tls_mac_new();
    if (!s->mac)
        return sd_err_set(&s->err, SDTLS_NOMEM, "out of memory");
    if (!sd_random(secret, sizeof secret) || !sd_random(&s->host_key, sizeof s->host_key))
        return sd_err_set(&s->err, SDTLS_IO, "the system has no random numbers");
    sd_gate_init(&s->gate, sd_tls_mac_sum, s->mac, secret, sd_clock_now());
    explicit_bzero(secret, sizeof secret);
    return SDTLS_OK;
}

int sd_endpoint_tls(struct sdtls *s, enum sd_role role)
{
    if (s->tls[role])
        return SDTLS_OK;
    if (s->unusable)
        return s->unusable;
    int rc = sd_tls_new(&s->tls[role], role, &s->cfg, &s->err);
    if (!rc && role == SD_ROLE_SERVER)
        rc = open_gate(s);
    if (rc) { /* asked again, it is no server without a gate */
        sd_tls_free(s->tls[role]);
        s->tls[role] = NULL;
    }
    return rc;
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
    sd_tls_free(s->tls[SD_ROLE_CLIENT]);
    sd_tls_free(s->tls[SD_ROLE_SERVER]);
    sd_tls_mac_free(s->mac);
    sd_timers_fini(&s->timers);
    sd_table_fini(&s->hosts);
    sd_config_free(&s->cfg);
    explicit_bzero(&s->gate, sizeof s->gate);
    free(s);
}

int sdtls_fd(struct sdtls *s)
{
    if (sd_endpoint_open(s))
        return -1;
    s->polled = true;
    sd_endpoint_wake(s);
    return sd_demux_fd(s->demux);
}

/* Hands out what connections have to tell, one event at a time. */
static bool next_ready(struct sdtls *s, sdtls_event *ev, sd_time now)
{
    struct sdtls_conn *c;
    while ((c = TAILQ_FIRST(&s->ready))) {
        if (sd_conn_event(c, ev, now))
            return true;
        sd_conn_sleep(c);
    }
    return false;
}

static void run_timers(struct sdtls *s, sd_time now)
{
    struct sd_timer *t;
    while ((t = sd_timers_due(&s->timers, now)))
        sd_conn_due(sd_container(t, struct sdtls_conn, timer), now);
}

static void dispatch(struct sdtls *s, const struct sd_datagram *d, sd_time now)
{
    struct sdtls_conn *c = d->to ? sd_peer_user(d->to) : NULL;
    if (!c) {
        sd_accept_unknown(s, d, now); /* errors are told of known peers only */
        return;
    }
    if (c->server && !d->error && sd_accept_hello(c, d, now))
        return;
    sd_conn_input(c, d, now);
}

static int wait_left(int timeout_ms, sd_time begin, sd_time now)
{
    if (timeout_ms <= 0)
        return timeout_ms;
    sd_time spent = (now - begin) / SD_MS;
    return spent >= (sd_time)timeout_ms ? 0 : timeout_ms - (int)spent;
}

void sd_endpoint_wake(struct sdtls *s)
{
    if (s->polled && !TAILQ_EMPTY(&s->ready))
        sd_demux_arm(s->demux, 1);
}

static int next_event(struct sdtls *s, sdtls_event *ev, int timeout_ms)
{
    sd_time begin = sd_clock_now(), now = begin;
    for (;;) {
        run_timers(s, now);
        if (next_ready(s, ev, now))
            return 1;
        sd_demux_arm(s->demux, sd_timers_next(&s->timers));
        struct sd_datagram d;
        int rc = sd_demux_next(s->demux, &d, wait_left(timeout_ms, begin, now));
        now = sd_clock_now();
        if (rc < 0)
            return sd_err_set(&s->err, SDTLS_IO, "waiting for datagrams: %s", strerror(-rc));
        if (rc > 0)
            dispatch(s, &d, now);
        else if (sd_timers_next(&s->timers) > now)
            return 0; /* the time has passed, or a signal came */
    }
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
    rc = next_event(s, ev, timeout_ms);
    sd_endpoint_wake(s);
    return rc;
}
