/* SPDX-License-Identifier: MIT */
/* The life of one connection, of either role. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/internal.h"

enum { HANDSHAKE_MS = 30000, SILENT_TIMERS = 10, MOST_POSTPONED = 250 };

/* OpenSSL rounds what is left of its timer; never spin on the difference. */
#define SHORTEST_WAIT (1 * SD_MS)

struct sdtls_conn *sd_conn_new(struct sdtls *s, bool server, sd_time now)
{
    struct sdtls_conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    /* From here on setting its one timer cannot fail. */
    if (!sd_timers_reserve(&s->timers, s->conn_total + 1)) {
        free(c);
        return NULL;
    }
    c->ep = s;
    c->server = server;
    c->began = c->active = c->heard = now;
    c->own_fd = -1;
    c->retry_at = SD_NEVER;
    c->err.alert = -1;
    s->conn_total++;
    __atomic_add_fetch(&s->servers, server, __ATOMIC_RELAXED);
    TAILQ_INSERT_TAIL(&s->conns, c, all);
    c->settled = !server;
    if (server)
        TAILQ_INSERT_TAIL(&s->unsettled, c, unsettled);
    return c;
}

void sd_conn_free(struct sdtls_conn *c)
{
    struct sdtls *s = c->ep;
    if (c->hooks)
        c->hooks->over(c);
    sd_limit_drop(c);
    c->paused = false;
    sd_conn_count_stored(c);
    sd_timers_cancel(&s->timers, &c->timer);
    sd_conn_sleep(c);
    TAILQ_REMOVE(&s->conns, c, all);
    if (!c->settled)
        TAILQ_REMOVE(&s->unsettled, c, unsettled);
    s->conn_total--;
    __atomic_sub_fetch(&s->servers, c->server, __ATOMIC_RELAXED);
    sd_session_free(c->session);
    sd_pair_leave(c);
    if (c->peer)
        sd_demux_close(s->demux, c->peer);
    if (c->race) {
        free(c->race->addr);
        free(c->race->host);
    }
    free(c->race);
    free(c);
}

void sd_conn_set_peer(struct sdtls_conn *c, struct sd_peer *p)
{
    c->peer = p;
    sd_peer_set_user(p, c);
    sd_peer_hold(p, false); /* as a client that starts again may have left it */
    __atomic_store_n(&c->own_fd, sd_peer_fd(p), __ATOMIC_RELAXED);
    c->remote = *sd_peer_remote(p);
    c->local = *sd_peer_local(p);
    sd_addr_text(&c->remote, c->remote_text);
}

void sd_conn_tap(struct sdtls_conn *c, int sent, const void *data, size_t len)
{
    if (c->ep->cfg.tap)
        c->ep->cfg.tap(c->ep->cfg.cb_arg, c, sent, data, len);
}

static int send_datagram(void *arg, const void *data, size_t len)
{
    struct sdtls_conn *c = arg;
    if (!c->peer)
        return -ENOTCONN; /* a restarted client's new association has it now */
    sd_replies_note_hello(c, data, len);
    int rc = sd_peer_send(c->peer, data, len);
    c->too_big = c->too_big || (rc == -EMSGSIZE && !c->settled);
    if (!rc)
        sd_conn_tap(c, 1, data, len);
    return rc;
}

int sd_conn_session(struct sdtls_conn *c, struct sd_err *err)
{
    struct sdtls *s = c->ep;
    const struct sd_race *race = c->leader ? c->leader->race : c->race;
    const struct sd_session_config config = {
        .send = send_datagram,
        .arg = c,
        .counters = s->guard_count,
        .host = race ? race->host : NULL,
        .mtu = s->cfg.mtu,
        /* To ask the kernel takes system calls: a server does so in settle.c. */
        .route_payload = c->server && !s->carried ? 0 : sd_peer_route_payload(c->peer),
        .ipv6 = sd_peer_ipv6(c->peer),
        .timer_ms = s->cfg.timer_ms,
    };
    if (s->group)
        sd_group_follow(s);
    return sd_session_new(&c->session, s->tls[c->server ? SD_ROLE_SERVER : SD_ROLE_CLIENT], &config,
                          err);
}

void sd_conn_wake(struct sdtls_conn *c)
{
    if (c->queued)
        return;
    c->queued = true;
    TAILQ_INSERT_TAIL(&c->ep->ready, c, ready);
}

void sd_conn_sleep(struct sdtls_conn *c)
{
    if (!c->queued)
        return;
    c->queued = false;
    TAILQ_REMOVE(&c->ep->ready, c, ready);
}

void sd_conn_end(struct sdtls_conn *c, const struct sd_err *why)
{
    if (c->state == SD_CONN_CLOSING)
        return;
    if (c->hooks && !(why = c->hooks->failed(c, why)))
        return; /* another address goes on */
    c->state = SD_CONN_CLOSING;
    c->err = *why;
    c->ep->conn_count[SD_COUNT_FAILED] += why->code != SDTLS_OK && !c->leader;
    if (c->hooks)
        c->hooks->over(c);
    sd_limit_drop(c);
    sd_pair_leave(c);
    sd_timers_cancel(&c->ep->timers, &c->timer);
    sd_conn_wake(c);
}

void sd_conn_fail(struct sdtls_conn *c, int code, const char *fmt, ...)
{
    struct sd_err e;
    char text[sizeof e.text];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sd_err_set(&e, code, "%s", text);
    sd_conn_end(c, &e);
}

void sd_conn_replaced(struct sdtls_conn *c)
{
    c->ep->conn_count[SD_COUNT_RESTARTED]++;
    sd_conn_fail(c, SDTLS_RESTARTED, "the client started again from the same address and port");
}

static void evict_idle(struct sdtls_conn *c, sd_time now)
{
    struct sdtls *s = c->ep;
    s->conn_count[SD_COUNT_EVICTED_IDLE]++;
    sd_session_shutdown(c->session);
    sd_conn_fail(c, SDTLS_LIMIT,
                 "gave way to another client after %llu s without data: %zu clients are connected",
                 (unsigned long long)((now - c->active) / SD_SEC), c->crowd.all);
}

void sd_conn_evict(struct sdtls_conn *c, sd_time now)
{
    struct sdtls *s = c->ep;
    if (c->place == SD_ESTABLISHED) {
        evict_idle(c, now);
        return;
    }
    s->conn_count[SD_COUNT_EVICTED]++;
    sd_conn_fail(c, SDTLS_LIMIT,
                 "gave way to another client after %llu ms: %zu handshakes are under way, %zu of"
                 " them from this host",
                 (unsigned long long)((now - c->began) / SD_MS), c->crowd.all, c->crowd.of_host);
}

void sd_conn_finding(struct sdtls_conn *c, const char *id, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->finding_text, sizeof c->finding_text, fmt, ap);
    va_end(ap);
    c->finding = id;
    sd_conn_wake(c);
}

static sd_time earliest(sd_time a, sd_time b)
{
    return a < b ? a : b;
}

/* A client that lost our first flight repeats its hello, and we the flight, after 1, 3 and 7 times
 * the first timer (RFC 6347 section 4.2.4): whoever says nothing for longer than that has lost all
 * of these, or never meant to answer. */
static sd_time silence_deadline(const struct sdtls_conn *c)
{
    unsigned ms = c->ep->cfg.timer_ms ? c->ep->cfg.timer_ms : SD_SESSION_TIMER_MS;
    bool waits = c->server && !sd_session_answered(c->session);
    return waits ? c->heard + ms * SILENT_TIMERS * SD_MS : SD_NEVER;
}

sd_time sd_conn_handshake_deadline(const struct sdtls_conn *c)
{
    unsigned ms = c->ep->cfg.handshake_ms ? c->ep->cfg.handshake_ms : HANDSHAKE_MS;
    if (c->state != SD_CONN_HANDSHAKE || c->leader)
        return SD_NEVER; /* a rival ends with its leader */
    sd_time when = earliest(c->began + ms * SD_MS, silence_deadline(c));
    return c->race ? earliest(when, c->race->give_up) : when;
}

static sd_time idle_deadline(const struct sdtls_conn *c)
{
    unsigned ms = c->ep->cfg.idle_ms;
    return ms && c->state == SD_CONN_ESTABLISHED && !c->paused ? c->active + ms * SD_MS : SD_NEVER;
}

/* Of what is judged by what has been read. */
static sd_time next_deadline(const struct sdtls_conn *c, sd_time now)
{
    sd_time when = earliest(sd_conn_handshake_deadline(c), idle_deadline(c));
    when = earliest(when, sd_session_deadline(c->session, now));
    return earliest(when, c->race ? c->race->next_at : SD_NEVER);
}

/* Not SHORTEST_WAIT from now: what arrives all the time would move it away for ever. */
static sd_time timer_time(const struct sdtls_conn *c, sd_time now)
{
    sd_time when = earliest(next_deadline(c, now), c->retry_at);
    return when < c->ran + SHORTEST_WAIT ? c->ran + SHORTEST_WAIT : when;
}

void sd_conn_rearm(struct sdtls_conn *c, sd_time now)
{
    if (c->state != SD_CONN_CLOSING)
        sd_timers_set(&c->ep->timers, &c->timer, timer_time(c, now));
}

/* A server has heard at least the ClientHello that it admitted. */
static void client_timed_out(struct sdtls_conn *c, sd_time now)
{
    unsigned long long tenths = (now - c->began) / (SD_SEC / 10);
    sd_conn_fail(c, SDTLS_TIMEOUT, "no handshake within %llu.%llu s: %s", tenths / 10, tenths % 10,
                 sd_session_answered(c->session)
                     ? "the peer answered, but the handshake did not finish; packets are probably"
                       " lost (measure the path MTU with dtls_mtu), or the peer waits for something"
                     : "the client went silent after its ClientHello");
}

static bool datagrams_wait(const struct sdtls_conn *c)
{
    const struct sdtls_conn *r;
    if (c->peer && sd_peer_waits(c->peer))
        return true;
    if (!c->race)
        return false;
    TAILQ_FOREACH(r, &c->race->rivals, rival)
    if (datagrams_wait(r))
        return true;
    return false;
}

/* A process that was suspended, or did not get the CPU, finds its deadlines over and in its
 * sockets what arrived in time. That is read before a timer is run. Each time takes
 * SHORTEST_WAIT: whoever floods the socket does not keep a connection alive. */
static bool must_read_first(struct sdtls_conn *c)
{
    if (c->postponed < MOST_POSTPONED && datagrams_wait(c)) {
        c->postponed++;
        return true;
    }
    c->postponed = 0;
    return false;
}

static void run_timers(struct sdtls_conn *c, sd_time now)
{
    if (now >= sd_conn_handshake_deadline(c)) {
        c->hooks ? c->hooks->timed_out(c, now) : client_timed_out(c, now);
    } else if (now >= idle_deadline(c)) {
        sd_session_shutdown(c->session);
        sd_conn_fail(c, SDTLS_IDLE, "idle limit reached: no data for %u ms", c->ep->cfg.idle_ms);
    } else {
        if (c->state == SD_CONN_HANDSHAKE) /* its flight got no answer */
            sd_conn_settle(c, now);
        sd_session_timer(c->session, now);
        if (c->hooks)
            c->hooks->due(c, now);
    }
}

void sd_conn_due(struct sdtls_conn *c, sd_time now)
{
    c->ran = now;
    sd_conn_unblock(c, now);
    if (now >= next_deadline(c, now) && !must_read_first(c))
        run_timers(c, now);
    sd_conn_wake(c);
    sd_conn_rearm(c, now);
}

void sd_conn_note_error(struct sdtls_conn *c, const struct sd_received *d, sd_time now)
{
    const struct sd_report *r = d->report;
    const struct sd_session_report report = {.error = d->error,
                                             .here = r && r->here,
                                             .limit = d->limit,
                                             .quote = r ? r->quote : NULL,
                                             .quoted = r ? r->quoted : 0};
    sd_session_net_error(c->session, &report, now);
    if (d->error == EMSGSIZE) /* nothing follows from other errors */
        sd_conn_wake(c);
}

static void network_error(struct sdtls_conn *c, const struct sd_received *d, sd_time now)
{
    sd_conn_note_error(c, d, now);
    if (d->error != ECONNREFUSED || c->reported_refused)
        return;
    c->reported_refused = true;
    sd_conn_finding(c, "icmp-port-unreachable",
                    "an ICMP message says that the peer's port is closed; it is ignored, because"
                    " anybody can forge one");
}

void sd_conn_input(struct sdtls_conn *c, const struct sd_received *d, sd_time now)
{
    if (c->state == SD_CONN_CLOSING)
        return;
    if (d->error) {
        network_error(c, d, now);
        return;
    }
    if (!sd_conn_may_store(c, d->len))
        return;
    sd_conn_tap(c, 0, d->data, d->len);
    c->heard = now;
    c->datagram = d->len;
    c->fragment = d->fragment;
    if (c->ep->carried) /* what the program hands in is its own again when sdtls_input() returns */
        sd_session_input(c->session, d->data, d->len, now);
    else
        sd_session_lend(c->session, d->data, d->len, now);
    if (c->paused)
        sd_conn_count_stored(c);
    sd_conn_wake(c);
}

static void closed_event(struct sdtls_conn *c, sdtls_event *ev)
{
    ev->type = SDTLS_EV_CLOSED;
    ev->err = c->err.code;
    ev->alert = c->err.alert;
    ev->text = *c->err.text ? c->err.text : NULL;
    sd_conn_sleep(c);
    c->ep->dead = c;
}

/* The handshake is complete; false: there is no place for the client. *leaves: who left for it. */
static bool become_established(struct sdtls_conn *c, sd_time now, struct sdtls_conn **leaves)
{
    if (!sd_limit_establish(c, now, leaves)) {
        sd_session_shutdown(c->session);
        sd_conn_fail(c, SDTLS_LIMIT, "refused: the server has as many clients as it may have");
        return false;
    }
    if (*leaves)
        sd_conn_evict(*leaves, now);
    c->state = SD_CONN_ESTABLISHED;
    sd_conn_touch(c, now);
    c->handshake_us = (now - c->began) / SD_US;
    c->ep->conn_count[SD_COUNT_ESTABLISHED]++;
    if (c->hooks)
        c->hooks->over(c);
    if (c->server)
        sd_spent_add(c->ep, &c->remote, c->random, now);
    return true;
}

/* READY, or first the CLOSED of the connection whose place this one takes. */
static bool ready_event(struct sdtls_conn *c, sdtls_event *ev, sd_time now)
{
    struct sdtls_conn *old = c->incumbent, *leaves;
    if (old)
        sd_conn_replaced(old);
    bool ready = become_established(c, now, &leaves);
    ev->type = SDTLS_EV_READY;
    old = old ? old : leaves;
    if (!old)
        return ready;
    c->owes_ready = ready;
    ev->conn = old;
    closed_event(old, ev);
    return true;
}

/* Most datagrams hold one record: asking the session again would cost as much as a system call,
 * and being on the list two of them, when the program waits on the fd. Data moves the idle limit
 * away; the timer stays as it is, and finds out. */
static void rest_if_done(struct sdtls_conn *c, sd_time now)
{
    if (sd_session_has_more(c->session))
        return;
    sd_conn_sleep(c);
    if (!c->timer.slot || c->timer.when > timer_time(c, now))
        sd_conn_rearm(c, now);
}

/* Translates what the session says; false when it has nothing more. */
static bool session_event(struct sdtls_conn *c, sdtls_event *ev, sd_time now)
{
    struct sdtls *s = c->ep;
    enum sd_session_event event =
        sd_session_next(c->session, s->data, sizeof s->data, &ev->len, now);
    if (event == SD_SESSION_DATA || c->too_big)
        sd_conn_settle(c, now);
    switch (event) {
    case SD_SESSION_IDLE:
        return false;
    case SD_SESSION_READY:
        return ready_event(c, ev, now);
    case SD_SESSION_DATA:
        sd_conn_touch(c, now);
        rest_if_done(c, now);
        ev->type = SDTLS_EV_DATA;
        ev->data = s->data;
        ev->datagram = c->datagram;
        ev->fragment = c->fragment;
        return true;
    case SD_SESSION_RETRANSMIT:
        s->conn_count[SD_COUNT_RETRANSMITS]++;
        ev->type = SDTLS_EV_RETRANSMIT;
        ev->value = sd_session_retransmits(c->session);
        return true;
    case SD_SESSION_MTU:
        ev->type = SDTLS_EV_MTU;
        ev->value = sd_session_mtu(c->session);
        ev->text = sd_session_mtu_reason(c->session);
        return true;
    case SD_SESSION_CLOSED:
    case SD_SESSION_FAILED:
        sd_conn_end(c, sd_session_error(c->session));
        return false;
    }
    return false;
}

/* The same of whichever address's session the connection has meanwhile. */
static bool sessions_event(struct sdtls_conn *c, sdtls_event *ev, sd_time now)
{
    const struct sd_session *asked;
    do {
        asked = c->session;
        if (session_event(c, ev, now))
            return true;
    } while (c->state != SD_CONN_CLOSING && c->session != asked);
    return false;
}

static void evict_for_memory(struct sdtls_conn *c, sd_time now)
{
    struct sdtls_conn *leaves;
    while ((leaves = sd_limit_measure(c)))
        sd_conn_evict(leaves, now);
}

bool sd_conn_event(struct sdtls_conn *c, sdtls_event *ev, sd_time now)
{
    *ev = (sdtls_event){.conn = c, .alert = -1};
    if (c->owes_accepted) {
        c->owes_accepted = false;
        ev->type = SDTLS_EV_ACCEPTED;
        return true;
    }
    if (c->owes_ready) {
        c->owes_ready = false;
        ev->type = SDTLS_EV_READY;
        return true;
    }
    if (c->finding) {
        ev->type = SDTLS_EV_FINDING;
        ev->finding = c->finding;
        ev->text = c->finding_text;
        c->finding = NULL;
        return true;
    }
    if (c->owes_writable && c->state != SD_CONN_CLOSING) {
        c->owes_writable = false;
        ev->type = SDTLS_EV_WRITABLE;
        return true;
    }
    if (c->state != SD_CONN_CLOSING && sessions_event(c, ev, now))
        return true;
    evict_for_memory(c, now);
    if (c->state == SD_CONN_CLOSING) {
        closed_event(c, ev);
        return true;
    }
    sd_conn_rearm(c, now);
    return false;
}
