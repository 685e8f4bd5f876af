/* SPDX-License-Identifier: MIT */
/* The client's side: sdtls_connect(), and what to think of a peer that has not answered in DTLS
 * yet. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/internal.h"
#include "endpoint/resolve.h"
#include "wire/names.h"

static int error_of(const struct sdtls_conn *c, enum sd_reply_rank rank)
{
    switch (rank) {
    case SD_RANK_ERROR:
    case SD_RANK_REFUSED:
        return c->replies.error == ECONNREFUSED ? SDTLS_REFUSED : SDTLS_IO;
    case SD_RANK_JUNK:
    case SD_RANK_ECHO:
        return SDTLS_NOT_DTLS;
    case SD_RANK_RIVAL:
        return SDTLS_PROTO;
    default:
        return SDTLS_TIMEOUT;
    }
}

/* handshake_ms is over. */
static void connect_timed_out(struct sdtls_conn *c, sd_time now)
{
    unsigned long long tenths = (now - c->began) / (SD_SEC / 10);
    char why[sizeof c->err.text];
    sd_race_settle(c);
    sd_replies_explain(c, why, sizeof why);
    sd_conn_fail(c, error_of(c, sd_replies_rank(c)), "no handshake within %llu.%llu s: %s",
                 tenths / 10, tenths % 10, why);
}

static const struct sd_conn_hooks client_hooks = {.timed_out = connect_timed_out,
                                                  .due = sd_race_due,
                                                  .failed = sd_race_failed,
                                                  .over = sd_race_stop};

static struct sdtls_conn *conn_to(struct sdtls *s, const char *host, struct sd_addr *list,
                                  size_t count, sd_time now)
{
    struct sdtls_conn *c = sd_conn_new(s, false, now);
    if (c && !sd_race_new(c, host, list, count)) {
        c->hooks = &client_hooks;
        return c;
    }
    if (c)
        sd_conn_free(c);
    free(list);
    return NULL;
}

static int begin_attempts(struct sdtls_conn *c, struct sdtls_conn **pconn)
{
    struct sdtls *s = c->ep;
    sd_time now = c->began;
    int rc = sd_race_begin(c, now, &s->err);
    if (rc) {
        sd_conn_free(c);
        return rc;
    }
    s->conn_count[SD_COUNT_CONNECTING]++;
    sd_conn_rearm(c, now);
    sd_conn_wake(c);
    sd_endpoint_wake(s);
    if (pconn)
        *pconn = c;
    return SDTLS_OK;
}

int sd_connect_begin(struct sdtls *s, const char *host, struct sd_addr *list, size_t count,
                     struct sdtls_conn **pconn)
{
    struct sdtls_conn *c = conn_to(s, host, list, count, sd_endpoint_now(s));
    return c ? begin_attempts(c, pconn) : sd_err_set(&s->err, SDTLS_NOMEM, "out of memory");
}

int sd_connect_begin_path(struct sdtls *s, const struct sd_path *path, const char *host,
                          struct sdtls_conn **pconn)
{
    struct sd_addr *to = malloc(sizeof *to);
    if (to)
        *to = path->remote;
    struct sdtls_conn *c = to ? conn_to(s, host, to, 1, s->now) : NULL;
    if (!c)
        return sd_err_set(&s->err, SDTLS_NOMEM, "out of memory");
    c->race->path = *path;
    return begin_attempts(c, pconn);
}

int sdtls_connect(struct sdtls *s, const char *host, const char *port, struct sdtls_conn **pconn)
{
    if (pconn)
        *pconn = NULL;
    if (!host || !port)
        return sd_err_set(&s->err, SDTLS_ARG, "sdtls_connect() needs a host and a port");
    int rc = sd_endpoint_need_sockets(s);
    if (!rc)
        rc = sd_endpoint_open(s);
    if (!rc)
        rc = sd_endpoint_tls(s, SD_ROLE_CLIENT);
    if (rc)
        return rc;
    struct sd_addr *list;
    int n = sd_resolve(&list, host, port, s->cfg.family, false, &s->err);
    return n <= 0 ? n : sd_connect_begin(s, host, list, (size_t)n, pconn);
}

static void end_probe(struct sdtls_conn *c, const struct sd_record *rec)
{
    struct sd_rd body = sd_rd_init(rec->body.p, rec->body.len);
    uint8_t first = sd_rd_u8(&body), second = sd_rd_u8(&body);
    char unnamed[SD_NAME_TEXT];
    struct sd_err e;
    if (rec->type == SD_CT_ALERT) {
        sd_err_set(&e, SDTLS_ALERT_RECEIVED, "the server answered with alert %s (%u)",
                   sdtls_alert_name(second), second);
        e.alert = second;
    } else if (rec->type == SD_CT_HANDSHAKE) {
        sd_err_set(&e, SDTLS_OK, "the server answered with %s",
                   sd_name(SD_NAME_HANDSHAKE, first, unnamed));
    } else {
        sd_err_set(&e, SDTLS_OK, "the server answered with a DTLS record of type %u", rec->type);
    }
    sd_conn_end(c, &e);
}

static void give_up_early(struct sdtls_conn *c, enum sd_reply_rank rank)
{
    char why[sizeof c->err.text];
    sd_replies_explain(c, why, sizeof why);
    sd_conn_fail(c, error_of(c, rank), "%s", why);
}

/* It will be the reason if nothing better comes. The user need not wait for that. */
static void tell_early(struct sdtls_conn *c, enum sd_reply_rank rank, int error, sd_time now)
{
    struct sdtls_conn *known = c->leader ? c->leader : c;
    unsigned left = (unsigned)((sd_conn_handshake_deadline(known) - now) / SD_SEC);
    if (!known->race || known->race->noticed & 1U << rank)
        return;
    known->race->noticed |= 1U << rank;
    if (rank == SD_RANK_ERROR)
        sd_conn_finding(known, error == ECONNREFUSED ? "icmp-port-unreachable" : "icmp-unreachable",
                        "ICMP says that %s cannot be reached (%s); anybody can forge that:"
                        " still trying for %u s",
                        c->remote_text, strerror(error), left);
    else if (rank == SD_RANK_JUNK)
        sd_conn_finding(known, "not-dtls-peer",
                        "%s sent a datagram that is not DTLS; anybody can forge that:"
                        " still trying for %u s",
                        c->remote_text, left);
    else if (rank == SD_RANK_RIVAL)
        sd_conn_finding(known, "role-conflict",
                        "%s sent a ClientHello, too; anybody can forge that:"
                        " still trying for %u s",
                        c->remote_text, left);
}

bool sd_connect_takes(struct sdtls_conn *c, const struct sd_received *d, sd_time now)
{
    if (c->state != SD_CONN_HANDSHAKE || sd_replies_answered(c))
        return false;
    struct sd_record rec;
    enum sd_reply_rank rank = sd_replies_take(c, d, &rec);
    if (rank == SD_RANK_RECORDS && !(c->ep->cfg.flags & SDTLS_F_PROBE))
        return false;
    if (d->error)
        sd_conn_note_error(c, d, now);
    else
        sd_conn_tap(c, 0, d->data, d->len);
    if (rank == SD_RANK_ERROR || rank == SD_RANK_REFUSED)
        sd_race_hurry(c, now);
    if (rank == SD_RANK_RECORDS)
        end_probe(c, &rec);
    else if (sd_replies_certain(&c->replies, rank))
        give_up_early(c, rank);
    else
        tell_early(c, rank, d->error, now);
    return true;
}
