/* SPDX-License-Identifier: MIT */
/* The server's side of a datagram: the gate, and who gets past it. */
#include <string.h>

#include "base/random.h"
#include "endpoint/internal.h"
#include "wire/alert.h"

static void renew_secret(struct sdtls *s, sd_time now)
{
    uint8_t secret[SD_GATE_SECRET_LEN];
    if (s->group)
        sd_group_secrets(s, now);
    else if (sd_random(secret, sizeof secret))
        sd_gate_rotate(&s->gate, secret, now);
}

/* `standing`: the random of the connection that the sender's address has, or NULL. */
static struct sd_gate_result ask_gate(struct sdtls *s, const struct sd_received *d,
                                      const uint8_t *standing, sd_time now,
                                      uint8_t reply[static SD_GATE_REPLY_MAX])
{
    if (sd_gate_wants_secret(&s->gate, now))
        renew_secret(s, now);
    struct sd_gate_result r =
        sd_gate_check_beside(&s->gate, standing, d->data, d->len, &d->peer, &d->local, reply);
    if (r.verdict == SD_GATE_REPLY && (d->verified || s->cfg.flags & SDTLS_F_NO_COOKIE))
        r.verdict = SD_GATE_ADMIT;
    return r;
}

/* For a client that is refused as long as others stay: otherwise it could only guess. The cookie
 * has proved its address, and the alert is smaller than the hello. */
static void tell_refused(struct sdtls *s, const struct sd_received *d,
                         const struct sd_gate_result *r)
{
    uint8_t alert[SD_RECORD_HEADER_LEN + 2];
    struct sd_wr w = sd_wr_init(alert, sizeof alert);
    size_t record = sd_record_open(&w, SD_CT_ALERT, SD_DTLS_1_2, 0, r->record_seq);
    sd_wr_u8(&w, SD_ALERT_FATAL);
    sd_wr_u8(&w, SD_ALERT_INTERNAL_ERROR);
    sd_record_close(&w, record);
    sd_demux_reply(s->demux, d, alert, sd_wr_len(&w));
}

/* Whether there is a place for it. */
static bool may_enter(struct sdtls *s, const struct sd_received *d, const struct sd_gate_result *r,
                      sd_time now)
{
    struct sdtls_conn *leaves;
    bool tell;
    if (sd_spent_has(s, &d->peer, r->random, now)) {
        s->conn_count[SD_COUNT_REPLAYED]++;
        return false;
    }
    if (!sd_limit_admits(s, &d->peer, now, &leaves, &tell)) {
        if (tell)
            tell_refused(s, d, r);
        return false;
    }
    if (leaves)
        sd_conn_evict(leaves, now);
    return true;
}

static void admit_unknown(struct sdtls *s, const struct sd_received *d,
                          const struct sd_gate_result *r, sd_time now)
{
    if (may_enter(s, d, r, now))
        sd_admit_client(s, d, r, NULL, NULL, now);
    else
        sd_demux_disclaim(s->demux, d);
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
    if (s->group && sd_endpoint_tls(s, SD_ROLE_SERVER)) /* another endpoint called sdtls_listen() */
        return;
    struct sd_gate_result r = ask_gate(s, d, NULL, now, reply);
    if (r.verdict == SD_GATE_ADMIT && !sd_demux_claim(s->demux, d))
        return; /* another endpoint of the group has the client, or takes it, and looks again */
    s->gate_count[r.reason]++;
    s->gate_trailing += r.trailing != 0;
    log_verdict(s, d, &r);
    if (r.verdict == SD_GATE_REPLY)
        sd_demux_reply(s->demux, d, reply, r.reply_len);
    else if (r.verdict == SD_GATE_ADMIT)
        admit_unknown(s, d, &r, now);
}

bool sd_accept_hello(struct sdtls_conn *c, const struct sd_received *d, sd_time now)
{
    uint8_t reply[SD_GATE_REPLY_MAX];
    if (d->error || !sd_gate_concerns(d->data, d->len))
        return false;
    struct sd_gate_result r = ask_gate(c->ep, d, c->random, now, reply);
    if (r.verdict == SD_GATE_DROP)
        return false;
    /* The same random is the same ClientHello, late or twice. Answering it with
     * a HelloVerifyRequest would make OpenSSL's clients begin again even after
     * a ServerHello (openssl#15488). */
    if (!memcmp(r.random, c->random, sizeof c->random))
        return ask_gate(c->ep, d, NULL, now, reply).verdict == SD_GATE_REPLY;
    if (sd_spent_has(c->ep, &d->peer, r.random, now)) {
        c->ep->conn_count[SD_COUNT_REPLAYED]++;
        return true;
    }
    if (c->successor && !memcmp(r.random, c->successor->random, sizeof r.random))
        return r.verdict == SD_GATE_REPLY;
    c->ep->gate_count[r.reason]++;
    if (r.verdict == SD_GATE_REPLY)
        sd_peer_send(c->peer, reply, r.reply_len);
    else
        sd_restart_begin(c, d, &r, now);
    return true;
}
