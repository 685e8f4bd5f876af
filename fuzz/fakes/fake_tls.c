/* SPDX-License-Identifier: MIT */
#include "fakes/fake_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "harness/gate_kit.h"
#include "session/session.h"
#include "tls/mac.h"

enum { EVENTS = 16, TIMERS_MAX = 4, MTU = 1200 };

static const sd_time first_timeout = SD_SEC;

struct sd_tls {
    unsigned users;
    enum sd_role role;
};

struct sd_session {
    struct sd_session_config config;
    struct sd_err err;
    enum sd_session_event events[EVENTS];
    unsigned count, timers;
    bool established, over, mute;
    uint64_t heard;
    sd_time deadline;
    size_t data_len;
    uint8_t data[64];
    bool held;
    int refused;
    size_t slot_len;
    uint8_t slot[1 + MTU];
};

struct sd_tls_mac {
    int unused;
};

struct fake_tls fake_tls;

static bool fails(unsigned *n)
{
    return *n && --*n == 0;
}

int sd_tls_new(struct sd_tls **pt, enum sd_role role, const sdtls_config *config,
               struct sd_err *err)
{
    (void)config;
    *pt = calloc(1, sizeof **pt);
    if (!*pt)
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    (*pt)->role = role;
    (*pt)->users = 1;
    return SDTLS_OK;
}

struct sd_tls *sd_tls_share(struct sd_tls *t)
{
    t->users++;
    return t;
}

void sd_tls_free(struct sd_tls *t)
{
    if (t && !--t->users)
        free(t);
}

const char *sd_tls_fingerprint(const struct sd_tls *t)
{
    return t->role == SD_ROLE_SERVER ? "AB:CD" : NULL;
}

void sd_tls_hold(void *ssl_ctx)
{
    (void)ssl_ctx;
}

void sd_tls_release(void *ssl_ctx)
{
    (void)ssl_ctx;
}

const char *sd_tls_library(void)
{
    return "none";
}

struct sd_tls_mac *sd_tls_mac_new(void)
{
    return calloc(1, sizeof(struct sd_tls_mac));
}

void sd_tls_mac_free(struct sd_tls_mac *m)
{
    free(m);
}

void sd_tls_mac_sum(void *mac, const uint8_t key[32], const uint8_t *data, size_t len,
                    uint8_t out[32])
{
    (void)mac;
    kit_mac(NULL, key, data, len, out);
}

/* --- sessions --- */

static void say(struct sd_session *s, enum sd_session_event e)
{
    if (!s->over && s->count < EVENTS)
        s->events[s->count++] = e;
    s->over |= e == SD_SESSION_CLOSED || e == SD_SESSION_FAILED;
    if (e == SD_SESSION_FAILED)
        sd_err_set(&s->err, SDTLS_PROTO, "it failed");
}

static void transmit(struct sd_session *s, const char *what)
{
    s->config.send(s->config.arg, what, strlen(what));
}

int sd_session_new(struct sd_session **ps, struct sd_tls *tls, const struct sd_session_config *c,
                   struct sd_err *err)
{
    fuzz_check(tls, "a session without a context");
    struct sd_session *s = fails(&fake_tls.fail_new) ? NULL : calloc(1, sizeof *s);
    if (!s)
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    s->config = *c;
    s->err.alert = -1;
    s->deadline = SD_NEVER;
    fake_tls.live++;
    fake_tls.made++;
    *ps = s;
    return SDTLS_OK;
}

void sd_session_free(struct sd_session *s)
{
    if (!s)
        return;
    fake_tls.live--;
    free(s);
}

int sd_session_accept(struct sd_session *s, const uint8_t *data, size_t len, uint64_t record_seq,
                      bool cookie, sd_time now)
{
    fuzz_note(record_seq);
    if (fake_tls.on_accept)
        fake_tls.on_accept(s->config.arg, data, len, cookie);
    if (fails(&fake_tls.fail_accept))
        return sd_err_because(&s->err, SDTLS_TLSLIB, "the fake says so", "it does not begin");
    s->heard = 1;
    s->deadline = now + first_timeout;
    transmit(s, "S flight");
    return SDTLS_OK;
}

void sd_session_rebind(struct sd_session *s, void *arg)
{
    s->config.arg = arg;
}

int sd_session_connect(struct sd_session *s, sd_time now)
{
    if (fails(&fake_tls.fail_accept))
        return sd_err_because(&s->err, SDTLS_TLSLIB, "the fake says so", "it does not begin");
    s->deadline = now + first_timeout;
    transmit(s, "C flight");
    return SDTLS_OK;
}

void sd_session_input(struct sd_session *s, const uint8_t *data, size_t len, sd_time now)
{
    struct sd_rd r = sd_rd_init(data, len);
    uint8_t first = sd_rd_u8(&r);
    s->heard += !s->over;
    if (first == FAKE_READY && !s->established) {
        s->established = true;
        s->deadline = SD_NEVER;
        say(s, SD_SESSION_READY);
    } else if (first == FAKE_DATA && s->established) {
        struct sd_span rest = sd_rd_rest(&r);
        s->data_len = rest.len < sizeof s->data ? rest.len : sizeof s->data;
        if (s->data_len)
            memcpy(s->data, rest.p, s->data_len);
        say(s, SD_SESSION_DATA);
    } else if (first == FAKE_CLOSED && s->established) {
        say(s, SD_SESSION_CLOSED);
    } else if (first == FAKE_FAILED) {
        say(s, SD_SESSION_FAILED);
    } else if (first == FAKE_AGAIN && !s->established) {
        transmit(s, "S flight");
        say(s, SD_SESSION_RETRANSMIT);
    } else if (first == FAKE_MTU) {
        say(s, SD_SESSION_MTU);
    } else if (first == FAKE_SOON) {
        s->deadline = now;
    } else if (first == FAKE_END) {
        s->mute = true;
    }
}

void sd_session_route(struct sd_session *s, size_t payload, sd_time now)
{
    fuzz_note(payload);
    (void)s;
    (void)now;
}

void sd_session_lend(struct sd_session *s, const uint8_t *data, size_t len, sd_time now)
{
    sd_session_input(s, data, len, now);
}

void sd_session_keep(struct sd_session *s)
{
    (void)s;
}

void sd_session_net_error(struct sd_session *s, const struct sd_session_report *r, sd_time now)
{
    (void)now;
    for (size_t i = 0; i < r->quoted; i++)
        fuzz_note(r->quote[i]);
    fuzz_note((uint64_t)r->error << 32 | r->limit << 1 | r->here);
    if (r->error == EMSGSIZE)
        say(s, SD_SESSION_MTU);
}

enum sd_session_event sd_session_next(struct sd_session *s, void *buf, size_t cap, size_t *len,
                                      sd_time now)
{
    (void)now;
    if (!s->count)
        return SD_SESSION_IDLE;
    enum sd_session_event e = s->events[0];
    if (s->held && (e == SD_SESSION_DATA || e == SD_SESSION_CLOSED))
        return SD_SESSION_IDLE;
    memmove(s->events, s->events + 1, --s->count * sizeof *s->events);
    *len = 0;
    if (e == SD_SESSION_DATA) {
        *len = s->data_len < cap ? s->data_len : cap;
        memcpy(buf, s->data, *len);
    }
    return e;
}

bool sd_session_has_more(struct sd_session *s)
{
    return s->count;
}

sd_time sd_session_deadline(const struct sd_session *s, sd_time now)
{
    (void)now;
    return s->deadline;
}

void sd_session_timer(struct sd_session *s, sd_time now)
{
    if (now < s->deadline)
        return;
    s->timers++;
    s->deadline = s->timers < TIMERS_MAX ? now + (first_timeout << s->timers) : SD_NEVER;
    transmit(s, "S flight");
    say(s, SD_SESSION_RETRANSMIT);
}

static bool has_no_room(int rc)
{
    return rc == -EAGAIN || rc == -ENOBUFS;
}

bool sd_session_flush(struct sd_session *s)
{
    if (!s->slot_len)
        return true;
    if (has_no_room(s->config.send(s->config.arg, s->slot, s->slot_len)))
        return false;
    s->slot_len = 0;
    return true;
}

size_t sd_session_unsent(const struct sd_session *s)
{
    return s->slot_len;
}

int sd_session_refused(const struct sd_session *s)
{
    return s->refused;
}

size_t sd_session_waiting(const struct sd_session *s)
{
    return s->count * sizeof s->data;
}

void sd_session_hold(struct sd_session *s, bool hold, size_t more)
{
    (void)more;
    s->held = hold;
}

int sd_session_send(struct sd_session *s, const void *data, size_t len)
{
    if (s->over || s->mute)
        return sd_err_set(&s->err, SDTLS_PROTO, "it is over");
    if (len > MTU)
        return SDTLS_TOOBIG;
    if (!sd_session_flush(s))
        return SDTLS_AGAIN;
    /* Not a record, which would look like a reply of the gate. */
    uint8_t datagram[1 + MTU] = {'S'};
    memcpy(datagram + 1, data, len);
    int rc = s->config.send(s->config.arg, datagram, 1 + len);
    if (has_no_room(rc)) {
        s->slot_len = 1 + len;
        memcpy(s->slot, datagram, s->slot_len);
        return SDTLS_OK;
    }
    s->refused = -rc;
    return rc == -EMSGSIZE ? SDTLS_TOOBIG : rc ? SDTLS_IO : SDTLS_OK;
}

int sd_session_send_padded(struct sd_session *s, const void *data, size_t len, size_t size)
{
    return size < len ? SDTLS_ARG : sd_session_send(s, data, len);
}

void sd_session_shutdown(struct sd_session *s)
{
    transmit(s, "S bye");
}

bool sd_session_answered(const struct sd_session *s)
{
    return s->heard > 1;
}

bool sd_session_has_keys(const struct sd_session *s)
{
    return s->heard > 2;
}

size_t sd_session_memory(const struct sd_session *s)
{
    return FAKE_MEMORY * s->heard;
}

uint64_t sd_session_heard(const struct sd_session *s)
{
    return s->heard;
}

size_t sd_session_max_payload(const struct sd_session *s)
{
    return s->config.mtu ? s->config.mtu : MTU;
}

const char *sd_session_mtu_reason(const struct sd_session *s)
{
    (void)s;
    return NULL;
}

size_t sd_session_mtu(const struct sd_session *s)
{
    return sd_session_max_payload(s);
}

const struct sd_err *sd_session_error(const struct sd_session *s)
{
    return &s->err;
}

void sd_session_info(const struct sd_session *s, sdtls_info *info)
{
    (void)s;
    memset(info, 0, sizeof *info);
}

unsigned sd_session_retransmits(const struct sd_session *s)
{
    return s->timers;
}

int sd_session_export(const struct sd_session *s, const char *label, void *out, size_t len)
{
    (void)s, (void)label;
    memset(out, 1, len);
    return SDTLS_OK;
}

void *sd_session_native(const struct sd_session *s)
{
    fuzz_check(s, "a call with no session");
    return NULL;
}
