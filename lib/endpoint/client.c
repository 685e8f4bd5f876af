/* SPDX-License-Identifier: MIT */
/* The client's side: where to connect, and what to think of a peer that has not
 * answered in DTLS yet. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/internal.h"
#include "endpoint/resolve.h"
#include "wire/names.h"

/* An ICMP error may be forged, so one alone does not end an attempt: it takes a
 * second one, in answer to the retransmission a second later. */
enum { UNREACHABLE_ENOUGH = 2 };

/* The local address that the user asked for, in the family of `to`; *from stays NULL
 * without such a wish. */
static int source_for(struct sdtls *s, const struct sd_addr *to, struct sd_addr *source,
                      const struct sd_addr **from, struct sd_err *err)
{
    if (!s->cfg.source && !s->cfg.source_port)
        return SDTLS_OK;
    *from = source;
    *source = sd_addr_any(to->sa.sa_family, s->cfg.source_port);
    if (!s->cfg.source)
        return SDTLS_OK;
    struct sd_addr *list;
    int n = sd_resolve(&list, s->cfg.source, "0", to->sa.sa_family, true, err);
    if (n <= 0)
        return n;
    *source = list[0];
    sd_addr_set_port(source, s->cfg.source_port);
    free(list);
    return SDTLS_OK;
}

static int connect_error(const struct sdtls *s, const struct sd_addr *to,
                         const struct sd_addr *from, int error, struct sd_err *err)
{
    char a[SD_ADDR_TEXT], b[SD_ADDR_TEXT], reason[SD_ENDPOINT_TEXT];
    const char *why = sd_endpoint_error_text(s, error, reason);
    if (!from)
        return sd_err_set(err, SDTLS_IO, "cannot reach %s: %s", sd_addr_text(to, a), why);
    return sd_err_set(err, SDTLS_IO, "cannot reach %s from %s: %s", sd_addr_text(to, a),
                      sd_addr_text(from, b), why);
}

static int try_address(struct sdtls_conn *c, const struct sd_addr *to, sd_time now,
                       struct sd_err *err)
{
    struct sdtls *s = c->ep;
    struct sd_addr source;
    const struct sd_addr *from = NULL;
    int rc = source_for(s, to, &source, &from, err);
    if (rc)
        return rc;
    struct sd_peer *peer;
    rc = sd_demux_connect(s->demux, to, from, c, &peer);
    if (rc)
        return connect_error(s, to, from, -rc, err);
    sd_conn_set_peer(c, peer);
    rc = sd_conn_session(c, err);
    if (rc)
        return rc;
    rc = sd_session_connect(c->session, now);
    if (rc)
        *err = *sd_session_error(c->session);
    return rc;
}

static void drop_attempt(struct sdtls_conn *c)
{
    sd_session_free(c->session);
    c->session = NULL;
    if (c->peer)
        sd_demux_close(c->ep->demux, c->peer);
    c->peer = NULL;
    c->replies = (struct sd_replies){0};
}

/* Opens the socket and session for the next candidate that lets us. */
static int try_next_address(struct sdtls_conn *c, sd_time now, struct sd_err *err)
{
    int rc = SDTLS_IO;
    while (rc && c->to.next < c->to.count) {
        drop_attempt(c);
        rc = try_address(c, &c->to.addr[c->to.next++], now, err);
    }
    return rc;
}

static struct sdtls_conn *conn_to(struct sdtls *s, struct sd_addr *list, size_t count,
                                  const char *host, sd_time now)
{
    struct sdtls_conn *c = sd_conn_new(s, false, now);
    if (!c)
        return NULL;
    c->to.host = strdup(host);
    if (!c->to.host) {
        sd_conn_free(c);
        return NULL;
    }
    c->to.addr = list;
    c->to.count = count;
    return c;
}

int sdtls_connect(struct sdtls *s, const char *host, const char *port, struct sdtls_conn **pconn)
{
    if (pconn)
        *pconn = NULL;
    if (!host || !port)
        return sd_err_set(&s->err, SDTLS_ARG, "sdtls_connect() needs a host and a port");
    int rc = sd_endpoint_open(s);
    if (!rc)
        rc = sd_endpoint_tls(s, SD_ROLE_CLIENT);
    if (rc)
        return rc;
    struct sd_addr *list;
    int n = sd_resolve(&list, host, port, s->cfg.family, false, &s->err);
    if (n <= 0)
        return n;
    sd_time now = sd_clock_now();
    struct sdtls_conn *c = conn_to(s, list, (size_t)n, host, now);
    if (!c) {
        free(list);
        return sd_err_set(&s->err, SDTLS_NOMEM, "out of memory");
    }
    rc = try_next_address(c, now, &s->err);
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

static void give_up_connecting(struct sdtls_conn *c, int error)
{
    if (error == ECONNREFUSED)
        sd_conn_fail(c, SDTLS_REFUSED, "port unreachable (ICMP): no server listens on this port");
    else
        sd_conn_fail(c, SDTLS_IO, "the peer cannot be reached (ICMP): %s", strerror(error));
}

/* The network said that this peer cannot be reached. */
static void on_unreachable(struct sdtls_conn *c, int error, sd_time now)
{
    if (error == EMSGSIZE)
        return; /* a matter of size, not of reach: the session has taken note */
    c->replies.icmp++;
    c->replies.error = error;
    if (c->to.next == c->to.count) {
        if (c->replies.icmp >= UNREACHABLE_ENOUGH)
            give_up_connecting(c, error);
        return;
    }
    struct sd_err err;
    if (try_next_address(c, now, &err))
        sd_conn_end(c, &err);
    else
        sd_conn_rearm(c, now);
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

/* This is no DTLS server, certainly. */
static void give_up_on_reply(struct sdtls_conn *c, enum sd_reply reply)
{
    if (reply == SD_REPLY_JUNK)
        sd_conn_fail(c, SDTLS_NOT_DTLS,
                     "the peer's answers are not DTLS; another protocol probably uses this port");
    else if (reply == SD_REPLY_ECHO)
        sd_conn_fail(c, SDTLS_NOT_DTLS,
                     "our own ClientHello comes back: an echo service uses this port, not a DTLS"
                     " server");
    else if (reply == SD_REPLY_RIVAL)
        sd_conn_fail(c, SDTLS_PROTO,
                     "the peer sends a ClientHello, too: both ends are clients, but one of them"
                     " must be the server");
}

bool sd_connect_takes(struct sdtls_conn *c, const struct sd_received *d, sd_time now)
{
    if (c->state != SD_CONN_HANDSHAKE || sd_replies_answered(c))
        return false;
    if (d->error) {
        sd_conn_note_error(c, d, now);
        on_unreachable(c, d->error, now);
        return true;
    }
    struct sd_record rec;
    enum sd_reply reply = sd_replies_take(c, d, &rec);
    bool dtls = reply == SD_REPLY_DTLS;
    if (dtls && !(c->ep->cfg.flags & SDTLS_F_PROBE))
        return false;
    sd_conn_tap(c, 0, d->data, d->len);
    if (dtls)
        end_probe(c, &rec);
    else
        give_up_on_reply(c, reply);
    return true;
}
