/* SPDX-License-Identifier: MIT */
/* The addresses of a client's peer, tried beside each other (RFC 8305). Only a handshake that
 * completes decides the race: everything before it may be forged. */
#include <stdlib.h>
#include <string.h>

#include "endpoint/internal.h"

enum {
    NEXT_MS = 250, /* RFC 8305 section 5: the Connection Attempt Delay */
    /* A server that has answered gets this long, and so do the other addresses when the handshake
     * with such a server failed: a user who waits for its error shall not wait for a firewall. */
    ANSWERED_MS = 3000,
    RIVALS_MAX = 7 /* a name may have hundreds of addresses */
};

int sd_race_new(struct sdtls_conn *c, const char *host, struct sd_addr *list, size_t count)
{
    struct sd_race *race = calloc(1, sizeof *race);
    char *copy = host ? strdup(host) : NULL;
    if (!race || (host && !copy)) {
        free(race);
        free(copy);
        return SDTLS_NOMEM;
    }
    *race = (struct sd_race){.host = copy,
                             .addr = list,
                             .count = count,
                             .next_at = SD_NEVER,
                             .give_up = SD_NEVER,
                             .rivals = TAILQ_HEAD_INITIALIZER(race->rivals)};
    c->race = race;
    return SDTLS_OK;
}

static void set_next(struct sd_race *race, sd_time when)
{
    bool more = race->next < race->count && race->rival_count < RIVALS_MAX;
    race->next_at = more ? when : SD_NEVER;
}

static void free_rival(struct sdtls_conn *c, struct sdtls_conn *r)
{
    TAILQ_REMOVE(&c->race->rivals, r, rival);
    c->race->rival_count--;
    sd_conn_free(r);
}

void sd_race_stop(struct sdtls_conn *c)
{
    struct sdtls_conn *r;
    while ((r = TAILQ_FIRST(&c->race->rivals)))
        free_rival(c, r);
    c->race->next = c->race->count;
    set_next(c->race, SD_NEVER);
}

/* Two sockets cannot have the local port that the user asked for: one address after the other. */
static bool beside_each_other(const struct sdtls_conn *c)
{
    return !c->ep->cfg.source_port;
}

static void note_begun(struct sdtls_conn *c, sd_time now)
{
    c->race->begun = now;
    set_next(c->race, beside_each_other(c) ? now + NEXT_MS * SD_MS : SD_NEVER);
}

int sd_race_begin(struct sdtls_conn *c, sd_time now, struct sd_err *err)
{
    struct sd_race *race = c->race;
    int rc = SDTLS_IO;
    while (rc && race->next < race->count) {
        sd_connect_drop(c);
        rc = sd_connect_try(c, &race->addr[race->next++], now, err);
    }
    note_begun(c, now);
    return rc;
}

static void note_failure(struct sd_race *race, enum sd_reply_rank rank, const struct sd_err *why,
                         const struct sd_addr *remote)
{
    if (race->err.code && rank <= race->rank)
        return;
    race->rank = rank;
    race->err = *why;
    race->failed = *remote;
}

static void begin_rival(struct sdtls_conn *c, sd_time now)
{
    struct sd_race *race = c->race;
    const struct sd_addr *to = &race->addr[race->next++];
    struct sd_err err = {.code = SDTLS_NOMEM, .alert = -1, .text = "out of memory"};
    struct sdtls_conn *r = sd_conn_new(c->ep, false, now);
    if (r) {
        r->leader = c;
        TAILQ_INSERT_TAIL(&race->rivals, r, rival);
        race->rival_count++;
    }
    if (r && !sd_connect_try(r, to, now, &err)) {
        note_begun(c, now);
        sd_conn_rearm(r, now);
        sd_conn_wake(r);
        return;
    }
    note_failure(race, SD_RANK_NOTHING, &err, to);
    if (r)
        free_rival(c, r);
    set_next(race, now);
}

static bool any_answered(const struct sdtls_conn *c)
{
    const struct sdtls_conn *r;
    bool answered = sd_replies_answered(c);
    TAILQ_FOREACH(r, &c->race->rivals, rival)
    answered |= sd_replies_answered(r);
    return answered;
}

void sd_race_due(struct sdtls_conn *c, sd_time now)
{
    while (now >= c->race->next_at) {
        sd_time wait_until = c->race->begun + ANSWERED_MS * SD_MS;
        if (now < wait_until && any_answered(c))
            set_next(c->race, wait_until);
        else
            begin_rival(c, now);
    }
}

void sd_race_hurry(struct sdtls_conn *c, sd_time now)
{
    struct sdtls_conn *leader = c->leader ? c->leader : c;
    if (!beside_each_other(leader) || leader->race->next_at <= now)
        return;
    set_next(leader->race, now);
    sd_conn_rearm(leader, now);
}

/* c goes on with the socket and session of its rival. */
static void take_over(struct sdtls_conn *c, struct sdtls_conn *r)
{
    sd_connect_drop(c);
    c->session = r->session;
    c->retry_at = r->retry_at;
    c->retry_ms = r->retry_ms;
    c->replies = r->replies;
    memcpy(c->random, r->random, sizeof c->random);
    sd_session_rebind(c->session, c);
    sd_conn_set_peer(c, r->peer);
    r->session = NULL;
    r->peer = NULL;
    free_rival(c, r);
    sd_conn_wake(c);
}

void sd_race_settle(struct sdtls_conn *c)
{
    struct sdtls_conn *r, *best = NULL;
    TAILQ_FOREACH(r, &c->race->rivals, rival)
    if (sd_replies_rank(r) > sd_replies_rank(best ? best : c))
        best = r;
    if (best)
        take_over(c, best);
    sd_race_stop(c);
}

/* An end that is wanted: another address would change nothing. */
static bool is_settled(const struct sdtls_conn *c, const struct sd_err *why)
{
    return why->code == SDTLS_OK ||
           ((c->ep->cfg.flags & SDTLS_F_PROBE) && why->code == SDTLS_ALERT_RECEIVED);
}

/* A server answered, even if only with an alert. */
static enum sd_reply_rank rank_of_failure(const struct sdtls_conn *c, const struct sd_err *why)
{
    return why->code == SDTLS_ALERT_RECEIVED ? SD_RANK_ANSWERED : sd_replies_rank(c);
}

static void wait_no_longer(struct sd_race *race, sd_time now)
{
    if (race->rank == SD_RANK_ANSWERED && race->give_up == SD_NEVER)
        race->give_up = now + ANSWERED_MS * SD_MS;
}

static bool another_goes_on(struct sdtls_conn *c, sd_time now)
{
    struct sd_err err;
    struct sd_race *race = c->race;
    struct sdtls_conn *rival = TAILQ_FIRST(&race->rivals);
    if (rival)
        take_over(c, rival);
    else if (race->next == race->count || sd_race_begin(c, now, &err))
        return false;
    wait_no_longer(race, now);
    if (rival)
        sd_race_hurry(c, now);
    sd_conn_rearm(c, now);
    return true;
}

const struct sd_err *sd_race_failed(struct sdtls_conn *c, const struct sd_err *why)
{
    struct sd_race *race = c->race;
    if (c->state != SD_CONN_HANDSHAKE || is_settled(c, why))
        return why;
    note_failure(race, rank_of_failure(c, why), why, &c->remote);
    if (another_goes_on(c, sd_endpoint_now(c->ep)))
        return NULL;
    c->remote = race->failed;
    sd_addr_text(&c->remote, c->remote_text);
    return &race->err;
}

static void rival_won(struct sdtls_conn *c, struct sdtls_conn *r, sd_time now)
{
    c->state = SD_CONN_ESTABLISHED;
    sd_conn_touch(c, now);
    c->handshake_us = r->handshake_us;
    take_over(c, r);
    sd_race_stop(c);
    sd_conn_rearm(c, now);
}

static void rival_ended(struct sdtls_conn *c, struct sdtls_conn *r, sd_time now)
{
    const struct sd_err why = r->err;
    if (is_settled(c, &why)) {
        take_over(c, r);
        sd_conn_end(c, &why);
        return;
    }
    note_failure(c->race, rank_of_failure(r, &why), &why, &r->remote);
    wait_no_longer(c->race, now);
    free_rival(c, r);
    sd_race_hurry(c, now);
    sd_conn_rearm(c, now);
}

bool sd_race_event(struct sdtls_conn *rival, sdtls_event *ev, sd_time now)
{
    struct sdtls_conn *c = rival->leader;
    while (sd_conn_event(rival, ev, now)) {
        ev->conn = c;
        if (ev->type == SDTLS_EV_READY) {
            rival_won(c, rival, now);
            return true;
        }
        if (ev->type == SDTLS_EV_CLOSED) {
            c->ep->dead = NULL;
            rival_ended(c, rival, now);
            return false;
        }
    }
    sd_conn_sleep(rival);
    return false;
}
