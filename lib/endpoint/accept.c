/* SPDX-License-Identifier: MIT */
/* The server's side of a datagram: gate, limits, a new client, a client that starts again. */
#include <string.h>

#include "base/random.h"
#include "endpoint/internal.h"

static struct sd_gate_result ask_gate(struct sdtls *s, const struct sd_received *d, sd_time now,
                                      uint8_t reply[static SD_GATE_REPLY_MAX])
{
    if (sd_gate_wants_secret(&s->gate, now)) {
        uint8_t secret[SD_GATE_SECRET_LEN];
        if (sd_random(secret, sizeof secret))
            sd_gate_rotate(&s->gate, secret, now);
    }
    struct sd_gate_result r = sd_gate_check(&s->gate, d->data, d->len, &d->peer, &d->local, reply);
    if (r.verdict == SD_GATE_REPLY && (s->cfg.flags & SDTLS_F_NO_COOKIE))
        r.verdict = SD_GATE_ADMIT;
    return r;
}

static int begin_serving(struct sdtls_conn *c, const struct sd_received *d,
                         const struct sd_gate_result *r, sd_time now, struct sd_err *err)
{
    int rc = sd_conn_session(c, err);
    if (rc)
        return rc;
    memcpy(c->random, r->random, sizeof c->random);
    c->owes_accepted = true;
    c->ep->conn_count[SD_COUNT_ACCEPTED]++;
    sd_conn_tap(c, 0, d->data, d->len);
    rc = sd_session_accept(c->session, d->data, d->len - r->trailing, r->record_seq,
                           r->reason == SD_GATE_GOOD_COOKIE, now);
    if (rc)
        sd_conn_end(c, sd_session_error(c->session));
    sd_conn_rearm(c, now);
    sd_conn_wake(c);
    return SDTLS_OK;
}

/* A client whose datagrams carry more than records: a line each, as it has proved its address. */
static void log_trailing(struct sdtls *s, const struct sd_received *d,
                         const struct sd_gate_result *r)
{
    char text[SD_ADDR_TEXT];
    if (r->trailing)
        sd_endpoint_log(s, 2, "%s: %zu bytes after the last record of the ClientHello are ignored",
                        sd_addr_text(&d->peer, text), r->trailing);
}

/* A client out of an admitted datagram; `peer` is its existing one or NULL. */
static void admit_client(struct sdtls *s, const struct sd_received *d,
                         const struct sd_gate_result *r, struct sd_peer *peer, sd_time now)
{
    struct sd_err err = {.text = "out of memory"};
    struct sdtls_conn *c = sd_conn_new(s, true, now);
    log_trailing(s, d, r);
    if (c && !peer)
        peer = sd_demux_accept(s->demux, d, c);
    if (c && peer)
        sd_conn_set_peer(c, peer);
    if (c && peer && sd_limit_add(c) && begin_serving(c, d, r, now, &err) == SDTLS_OK)
        return;
    char text[SD_ADDR_TEXT];
    sd_endpoint_log(s, 0, "client %s refused: %s", sd_addr_text(&d->peer, text), err.text);
    if (c)
        sd_conn_free(c);
    else if (peer)
        sd_demux_close(s->demux, peer);
}

static void log_verdict(struct sdtls *s, const struct sd_received *d,
                        const struct sd_gate_result *r)
{
    static const char *const verdicts[] = {
        [SD_GATE_DROP] = "dropped",
        [SD_GATE_REPLY] = "HelloVerifyRequest sent",
        [SD_GATE_ADMIT] = "admitted",
    };
    char text[SD_ADDR_TEXT];
    if (s->cfg.log_level < 3) /* a flood must not pay for lines that nobody reads */
        return;
    sd_endpoint_log(s, 3, "%s: datagram of %zu bytes: %s (%s)", sd_addr_text(&d->peer, text),
                    d->len, verdicts[r->verdict], sd_gate_reason_name(r->reason));
}

void sd_accept_unknown(struct sdtls *s, const struct sd_received *d, sd_time now)
{
    uint8_t reply[SD_GATE_REPLY_MAX];
    struct sd_gate_result r = ask_gate(s, d, now, reply);
    enum sd_count hit;
    s->gate_count[r.reason]++;
    s->gate_trailing += r.trailing != 0;
    log_verdict(s, d, &r);
    if (r.verdict == SD_GATE_REPLY)
        sd_demux_reply(s->demux, d, reply, r.reply_len);
    else if (r.verdict == SD_GATE_ADMIT && sd_limit_admits(s, &d->peer, &hit))
        admit_client(s, d, &r, NULL, now);
    else if (r.verdict == SD_GATE_ADMIT)
        s->conn_count[hit]++;
}

/* RFC 6347 section 4.2.8: a client that lost its state starts again from the same address. The
 * cookie has proved the address, so the old connection ends; the socket stays. */
static void restart_client(struct sdtls_conn *old, const struct sd_received *d,
                           const struct sd_gate_result *r, sd_time now)
{
    struct sdtls *s = old->ep;
    struct sd_peer *peer = old->peer;
    enum sd_count hit;
    if (!sd_limit_admits_restart(old, &hit)) {
        s->conn_count[hit]++; /* it will ask again; what it had stays */
        return;
    }
    old->peer = NULL;
    s->conn_count[SD_COUNT_RESTARTED]++;
    sd_conn_fail(old, SDTLS_RESTARTED, "the client started again from the same address and port");
    admit_client(s, d, r, peer, now);
}

bool sd_accept_hello(struct sdtls_conn *c, const struct sd_received *d, sd_time now)
{
    uint8_t reply[SD_GATE_REPLY_MAX];
    if (d->error)
        return false;
    struct sd_gate_result r = ask_gate(c->ep, d, now, reply);
    if (r.verdict == SD_GATE_DROP)
        return false;
    /* The same random is the same ClientHello, late or twice. Answering it with
     * a HelloVerifyRequest would make OpenSSL's clients begin again even after
     * a ServerHello (openssl#15488). */
    if (!memcmp(r.random, c->random, sizeof c->random))
        return r.verdict == SD_GATE_REPLY;
    c->ep->gate_count[r.reason]++;
    if (r.verdict == SD_GATE_REPLY)
        sd_peer_send(c->peer, reply, r.reply_len);
    else
        restart_client(c, d, &r, now);
    return true;
}
