#include "dtls_mtu/handshake.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "common/output.h"
#include "flow/rules/diagnose.h"
#include "flow/tracker.h"

enum { PACE_MS = 100 };

static void note_flight(struct handshake *h, int sent, size_t len)
{
    h->run_bytes = sent ? 0 : h->run_bytes + len;
    h->run_datagrams = sent ? 0 : h->run_datagrams + 1;
    if (h->run_bytes > h->flight) {
        h->flight = h->run_bytes;
        h->datagrams = h->run_datagrams;
    }
}

static void on_tap(void *arg, sdtls_conn *c, int sent, const void *datagram, size_t len)
{
    struct handshake *h = arg;
    struct sd_addr here;
    socklen_t here_len;
    const struct sockaddr *local = sdtls_conn_local(c, &here_len);
    if (!h->tracker || !local || !sd_addr_from(&here, local, here_len))
        return;
    struct sd_datagram d = {.number = ++h->number,
                            .time = tool_wall_clock(),
                            .src = sent ? here : h->setup.to,
                            .dst = sent ? h->setup.to : here,
                            .payload = {datagram, len},
                            .length = (uint32_t)len,
                            .ip_length = (uint32_t)len + h->setup.headers,
                            .kind = SD_PAYLOAD_DTLS,
                            .df = true};
    sd_tracker_datagram(h->tracker, &d);
    note_flight(h, sent, len);
    if (!sent && d.ip_length > h->above)
        h->above = d.ip_length;
}

static void keep(struct handshake *h, const struct sd_finding *f)
{
    if (h->finding_count < HANDSHAKE_FINDINGS)
        h->findings[h->finding_count++] = *f;
    if (f->mtu_below && (!h->below || f->mtu_below < h->below) && f->mtu_below > h->above)
        h->below = f->mtu_below;
}

static void on_done(void *arg, const struct sd_result *r)
{
    for (size_t i = 0; i < r->count; i++)
        keep(arg, &r->findings[i]);
}

static struct sd_tracker *new_tracker(struct handshake *h)
{
    struct sd_tracker_config config = {.alloc = sd_alloc_libc(),
                                       .max_flows = 4,
                                       .diagnose = sd_diagnose,
                                       .arg = h,
                                       .done = on_done};
    if (!sd_random(&config.key, sizeof config.key))
        return NULL;
    return sd_tracker_new(&config);
}

static void conclude(struct handshake *h, const sdtls_event *ev)
{
    sdtls_info info;
    h->established = ev->type == SDTLS_EV_READY;
    if (!h->established) {
        h->err = ev->err;
        snprintf(h->text, sizeof h->text, "%s", ev->text ? ev->text : sdtls_strerror(ev->err));
        return;
    }
    sdtls_conn_info(ev->conn, &info);
    h->ms = (double)info.handshake_us / 1000;
    snprintf(h->cipher, sizeof h->cipher, "%s", info.cipher ? info.cipher : "");
}

/* Until READY or CLOSED, a signal, or the end of the time. */
static bool wait_ready(struct handshake *h, sdtls *s)
{
    struct pollfd stop = {.fd = h->setup.signals, .events = POLLIN};
    while (sd_clock_now() < h->setup.deadline && poll(&stop, 1, 0) <= 0) {
        sdtls_event ev;
        int rc = sdtls_next(s, &ev, PACE_MS);
        if (rc < 0) {
            h->err = rc;
            snprintf(h->text, sizeof h->text, "%s", sdtls_errmsg(s));
            return false;
        }
        if (rc && (ev.type == SDTLS_EV_READY || ev.type == SDTLS_EV_CLOSED)) {
            conclude(h, &ev);
            return h->established;
        }
    }
    h->err = SDTLS_TIMEOUT;
    snprintf(h->text, sizeof h->text, "%s", sdtls_strerror(SDTLS_TIMEOUT));
    return false;
}

static sdtls *start(struct handshake *h, sdtls_conn **conn)
{
    const struct handshake_setup *u = &h->setup;
    sdtls_config config = {SDTLS_CONFIG_INIT,
                           .verify = SDTLS_VERIFY_NONE,
                           .family = u->family,
                           .source = u->source,
                           .cert_file = u->cert_file,
                           .key_file = u->key_file,
                           .tap = on_tap,
                           .cb_arg = h};
    sdtls *s = sdtls_new(&config);
    if (!s)
        return NULL;
    h->err = sdtls_connect(s, u->host, u->port, conn);
    if (!h->err)
        return s;
    snprintf(h->text, sizeof h->text, "%s", sdtls_errmsg(s));
    sdtls_free(s);
    return NULL;
}

sdtls *handshake_run(struct handshake *h, const struct handshake_setup *setup, sdtls_conn **conn)
{
    *h = (struct handshake){.done = true, .setup = *setup};
    h->tracker = new_tracker(h);
    sdtls *s = h->tracker ? start(h, conn) : NULL;
    bool ready = s && wait_ready(h, s);
    if (h->tracker)
        sd_tracker_finish(h->tracker);
    sd_tracker_free(h->tracker);
    h->tracker = NULL;
    if (ready)
        return s;
    sdtls_free(s);
    return NULL;
}
