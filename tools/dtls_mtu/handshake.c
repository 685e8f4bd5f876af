/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/handshake.h"

#include <poll.h>
#include <stdio.h>

#include "base/random.h"
#include "common/fields.h"
#include "common/output.h"
#include "flow/rules/diagnose.h"
#include "flow/tracker.h"

enum { SIGNAL_CHECK_MS = 100, FLOWS_MAX = 4 };

static void note_flight(struct mtu_client *c, bool sent, size_t len)
{
    struct mtu_handshake *h = c->shown;
    c->run_bytes = sent ? 0 : c->run_bytes + len;
    c->run_datagrams = sent ? 0 : c->run_datagrams + 1;
    if (c->run_bytes > h->flight) {
        h->flight = c->run_bytes;
        h->datagrams = c->run_datagrams;
    }
}

static void tap_datagram(void *arg, sdtls_conn *conn, int sent, const void *datagram, size_t len)
{
    struct mtu_client *c = arg;
    struct sd_addr here;
    socklen_t here_len;
    const struct sockaddr *local = sdtls_conn_local(conn, &here_len);
    if (!c->tracker || !local || !sd_addr_from(&here, local, here_len))
        return;
    struct sd_datagram d = {.number = ++c->number,
                            .time = tool_wall_clock(),
                            .src = sent ? here : c->setup->to,
                            .dst = sent ? c->setup->to : here,
                            .payload = {datagram, len},
                            .length = (uint32_t)len,
                            .ip_length = (uint32_t)len + c->setup->headers,
                            .kind = SD_PAYLOAD_DTLS,
                            .df = true};
    sd_tracker_datagram(c->tracker, &d);
    note_flight(c, sent, len);
    if (!sent && d.ip_length > c->shown->above)
        c->shown->above = d.ip_length;
}

static void add_diagnosis(struct mtu_handshake *h, const struct sd_finding *f)
{
    if (h->finding_count < MTU_HANDSHAKE_FINDINGS)
        h->findings[h->finding_count++] = *f;
    if (f->mtu_below && (!h->below || f->mtu_below < h->below) && f->mtu_below > h->above)
        h->below = f->mtu_below;
}

static void on_diagnosis(void *arg, const struct sd_result *r)
{
    struct mtu_client *c = arg;
    for (size_t i = 0; i < r->count; i++)
        add_diagnosis(c->shown, &r->findings[i]);
}

static struct sd_tracker *new_tracker(struct mtu_client *c)
{
    struct sd_tracker_config config = {.alloc = sd_alloc_libc(),
                                       .max_flows = FLOWS_MAX,
                                       .diagnose = sd_diagnose,
                                       .arg = c,
                                       .done = on_diagnosis};
    if (!sd_random(&config.key, sizeof config.key))
        return NULL;
    return sd_tracker_new(&config);
}

static bool handshake_failed(struct mtu_handshake *h, const char *why)
{
    tool_library_text(why, h->text, sizeof h->text);
    return false;
}

/* The handshake ended, by READY or CLOSED. */
static bool note_outcome(struct mtu_handshake *h, const sdtls_event *ev)
{
    sdtls_info info;
    if (ev->type != SDTLS_EV_READY)
        return handshake_failed(h, ev->text ? ev->text : sdtls_strerror(ev->err));
    sdtls_conn_info(ev->conn, &info);
    h->established = true;
    h->ms = (double)info.handshake_us / 1000;
    snprintf(h->cipher, sizeof h->cipher, "%s", info.cipher ? info.cipher : "");
    return true;
}

/* Until READY or CLOSED, a signal, or the deadline. */
static bool wait_ready(struct mtu_client *c)
{
    struct pollfd stop = {.fd = c->setup->signals, .events = POLLIN};
    while (sd_clock_now() < c->setup->deadline && poll(&stop, 1, 0) <= 0) {
        sdtls_event ev;
        int rc = sdtls_next(c->s, &ev, SIGNAL_CHECK_MS);
        if (rc < 0)
            return handshake_failed(c->shown, sdtls_errmsg(c->s));
        if (rc && (ev.type == SDTLS_EV_READY || ev.type == SDTLS_EV_CLOSED))
            return note_outcome(c->shown, &ev);
    }
    return handshake_failed(c->shown, sdtls_strerror(SDTLS_TIMEOUT));
}

static bool open_client(struct mtu_client *c)
{
    const struct mtu_handshake_setup *u = c->setup;
    sdtls_config config = {SDTLS_CONFIG_INIT,         .verify = SDTLS_VERIFY_NONE,
                           .family = u->family,       .source = u->source,
                           .cert_file = u->cert_file, .key_file = u->key_file,
                           .tap = tap_datagram,       .cb_arg = c};
    c->tracker = new_tracker(c);
    c->s = c->tracker ? sdtls_new(&config) : NULL;
    if (!c->s)
        return handshake_failed(c->shown, sdtls_strerror(SDTLS_NOMEM));
    if (sdtls_connect(c->s, u->host, u->port, &c->conn))
        return handshake_failed(c->shown, sdtls_errmsg(c->s));
    return true;
}

void mtu_client_close(struct mtu_client *c)
{
    sdtls_free(c->s);
    c->s = NULL;
}

bool mtu_handshake_run(struct mtu_handshake *h, const struct mtu_handshake_setup *setup,
                       struct mtu_client *client)
{
    *h = (struct mtu_handshake){.done = true};
    *client = (struct mtu_client){.shown = h, .setup = setup};
    bool ready = open_client(client) && wait_ready(client);
    if (client->tracker)
        sd_tracker_finish(client->tracker);
    sd_tracker_free(client->tracker);
    client->tracker = NULL; /* the tap stays, and looks no more */
    if (!ready)
        mtu_client_close(client);
    return ready;
}
