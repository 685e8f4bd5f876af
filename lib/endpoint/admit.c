/* SPDX-License-Identifier: MIT */
/* A client out of a hello that the gate admitted. */
#include <string.h>

#include "endpoint/internal.h"

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

static bool place_client(struct sdtls_conn *c, struct sd_peer *peer, struct sdtls_conn *old)
{
    sd_conn_set_peer(c, peer);
    if (old)
        sd_pair_link(old, c);
    return sd_limit_add(c);
}

void sd_admit_client(struct sdtls *s, const struct sd_received *d, const struct sd_gate_result *r,
                     struct sd_peer *peer, struct sdtls_conn *old, sd_time now)
{
    struct sd_err err = {.text = "out of memory"};
    struct sdtls_conn *c = sd_conn_new(s, true, now);
    log_trailing(s, d, r);
    if (c && !peer)
        peer = sd_demux_admit(s->demux, d, c);
    if (c && peer && place_client(c, peer, old) && begin_serving(c, d, r, now, &err) == SDTLS_OK)
        return;
    char text[SD_ADDR_TEXT];
    sd_endpoint_log(s, 0, "client %s refused: %s", sd_addr_text(&d->peer, text), err.text);
    if (!peer)
        sd_demux_disclaim(s->demux, d);
    if (c)
        sd_conn_free(c);
    else if (peer && !old)
        sd_demux_close(s->demux, peer);
}
