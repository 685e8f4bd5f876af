/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/internal.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

/* --- receiving --- */

/* A plaintext alert may be anybody's once there are keys: it is noted, and ends nothing. */
static void take_alert(struct puppet *p, const struct sd_record *rec, struct sd_span body)
{
    struct sd_alert a;
    if (!sd_alert_parse(&a, body))
        return;
    p->alerts++;
    p->alert = a;
    p->alert_sealed = rec->epoch != 0;
    bool final = a.level == SD_ALERT_FATAL || a.description == SD_ALERT_CLOSE_NOTIFY;
    if (final && (p->stage < PUPPET_CONNECTED || p->alert_sealed))
        puppet_end_with(p, PUPPET_END_ALERT);
}

/* True when no fragment in the record is new. */
static bool take_fragments(struct puppet *p, struct sd_span body)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    struct sd_handshake h;
    bool repeated = true, any = false;
    while (sd_handshake_next(&r, &h) == SD_HANDSHAKE_OK) {
        any = true;
        repeated &= puppet_take_fragment(p, &h);
    }
    return any && repeated;
}

static void take_opened(struct puppet *p, struct puppet_heard *h)
{
    if (h->type == SD_CT_HANDSHAKE)
        h->repeated = take_fragments(p, h->body);
    else if (h->type == SD_CT_ALERT)
        take_alert(p, h->rec, h->body);
    else if (h->type == SD_CT_APPDATA)
        p->data += h->rec->epoch != 0;
}

static void hear_record(struct puppet *p, const struct sd_record *rec, size_t datagram)
{
    uint8_t out[SD_RECORD_BODY_MAX];
    struct sd_record plain = *rec;
    struct puppet_heard h = {.at = p->now, .rec = rec, .datagram = datagram, .type = rec->type};
    p->records++;
    h.opened = !rec->unified &&
               (!rec->epoch || (p->keyed && sd_keys12_open(&p->keys, true, rec, out, &plain)));
    if (h.opened) {
        h.type = plain.type;
        h.body = plain.body;
        take_opened(p, &h);
    }
    p->unopened += !h.opened;
    if (p->cfg.heard)
        p->cfg.heard(p->cfg.arg, p, &h);
}

void puppet_input(struct puppet *p, const void *datagram, size_t len, sd_time now)
{
    struct sd_records it = sd_records_init(datagram, len, 0);
    struct sd_record rec;
    p->now = now;
    p->datagrams++;
    p->received_bytes += len;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK)
        hear_record(p, &rec, len);
}

void puppet_timer(struct puppet *p, sd_time now)
{
    p->now = now;
    if (p->stage == PUPPET_ENDED || now < p->deadline)
        return;
    if (p->still) {
        p->deadline = SD_NEVER;
        return;
    }
    if (p->tries >= p->cfg.retransmissions) {
        puppet_end_with(p, PUPPET_END_TIMEOUT);
        return;
    }
    p->tries++;
    if (!p->cfg.longest_timeout || p->timeout < p->cfg.longest_timeout)
        p->timeout *= 2;
    p->deadline = now + p->timeout;
    p->retransmitted++;
    puppet_send_again(p);
}

/* --- a life --- */

static void fill_defaults(struct puppet_config *c)
{
    c->mtu = c->mtu ? c->mtu : PUPPET_MTU;
    c->first_timeout = c->first_timeout ? c->first_timeout : PUPPET_FIRST_TIMEOUT;
    c->retransmissions = c->retransmissions ? c->retransmissions : PUPPET_RETRANSMISSIONS;
}

bool puppet_begin(struct puppet *p, const struct puppet_config *cfg, sd_time now)
{
    memset(p, 0, sizeof *p);
    p->cfg = *cfg;
    p->now = now;
    p->deadline = SD_NEVER;
    p->next_message = cfg->first_message;
    fill_defaults(&p->cfg);
    if (!sd_random(p->client_random, sizeof p->client_random) || !puppet_make_hello(p)) {
        puppet_end_with(p, PUPPET_END_LOCAL);
        return false;
    }
    puppet_send_flight(p);
    return true;
}

void puppet_fini(struct puppet *p)
{
    if (p->keyed)
        sd_keys12_fini(&p->keys);
    puppet_inbox_clear(&p->inbox);
    puppet_transcript_clear(&p->transcript);
    free(p->certificate);
    free(p->server_key);
    free(p->request);
    OPENSSL_cleanse(p, sizeof *p);
}
