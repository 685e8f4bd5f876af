/* SPDX-License-Identifier: MIT */
#include "peers/ours.h"

#include <openssl/err.h>
#include <string.h>

#include "gate/gate.h"
#include "harness/common.h"
#include "harness/gate_kit.h"
#include "session/session.h"

enum { NARROW_ROUTE = 200, TURNS = 1000, LARGEST_RECORD = 16384 };

static struct sd_gate gate;                       /* of the one server */
static uint64_t counters[SD_GUARD_COUNTER_COUNT]; /* nobody reads them */

/* --- contexts --- */

/* True once for each SSL. */
static bool first_time(SSL *ssl, int slot)
{
    static char mark;
    return !SSL_get_ex_data(ssl, slot) && SSL_set_ex_data(ssl, slot, &mark);
}

static int cert_later(SSL *ssl, void *slot)
{
    return first_time(ssl, *(int *)slot) ? -1 : 1;
}

static int hello_later(SSL *ssl, int *alert, void *slot)
{
    (void)alert;
    return first_time(ssl, *(int *)slot) ? SSL_CLIENT_HELLO_RETRY : SSL_CLIENT_HELLO_SUCCESS;
}

static void make_odd(SSL_CTX *ctx, enum ossl_side side, unsigned odd)
{
    static int slots[2];
    if (odd & OURS_STRICT)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (!(odd & OURS_WAITING))
        return;
    for (int i = 0; i < 2; i++)
        if (!slots[i])
            slots[i] = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    SSL_CTX_set_cert_cb(ctx, cert_later, &slots[0]);
    if (side == OSSL_SERVER)
        SSL_CTX_set_client_hello_cb(ctx, hello_later, &slots[1]);
}

/* The last of each list is one that DTLS 1.0 has. */
static void choose_suite(SSL_CTX *ctx, unsigned suite)
{
    static const char *const suites[OURS_SUITES] = {
        NULL, "ECDHE-ECDSA-AES128-CCM8:PSK-AES128-CCM8:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0",
        "ECDHE-ECDSA-AES128-SHA256:PSK-AES128-CBC-SHA256:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0",
        "ECDHE-ECDSA-AES256-SHA384:PSK-AES256-CBC-SHA384:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0",
        "ECDHE-ECDSA-NULL-SHA:PSK-NULL-SHA256:@SECLEVEL=0"};
    fuzz_check(!suites[suite] || SSL_CTX_set_cipher_list(ctx, suites[suite]) == 1,
               "OpenSSL refuses %s", suites[suite]);
}

/* Made once. It has an SSL_CTX of its own, because our defaults are set on it. */
static struct sd_tls *ours_context(enum ossl_side side, const struct sim_config *c)
{
    static struct sd_tls *made[2][PAIR_OURS][OURS_NARROW][OURS_SUITES];
    struct sd_tls **one = &made[side][c->kind][c->odd % OURS_NARROW][c->suite];
    struct sd_err err = {0};
    if (*one)
        return *one;
    SSL_CTX *ctx = pair_context_new(side, c->kind);
    SSL_CTX_set_options(ctx, SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_NO_RENEGOTIATION);
    make_odd(ctx, side, c->odd);
    choose_suite(ctx, c->suite);
    const sdtls_config config = {SDTLS_CONFIG_INIT, .ssl_ctx = ctx,
                                 .flags = c->odd & OURS_RAW ? SDTLS_F_RAW : 0};
    int rc = sd_tls_new(one, side == OSSL_CLIENT ? SD_ROLE_CLIENT : SD_ROLE_SERVER, &config, &err);
    fuzz_check(!rc, "no context: %s", err.text);
    SSL_CTX_free(ctx);
    return *one;
}

static void ours_prepare(enum ossl_side side, const struct sim_config *c)
{
    ours_context(side, c);
}

/* --- the session --- */

static int on_send(void *arg, const void *data, size_t len)
{
    return sim_transmit(arg, data, len);
}

static void session_begin(struct sim_side *e)
{
    const struct sim_config *c = &e->sim->config;
    const size_t route = c->odd & OURS_NARROW ? NARROW_ROUTE : c->mtu ? 0 : SIM_ROUTE;
    const struct sd_session_config config = {.send = on_send,
                                             .arg = e,
                                             .counters = counters,
                                             .host = e->id == OSSL_CLIENT ? "host.example" : NULL,
                                             .mtu = c->mtu,
                                             .route_payload = route,
                                             .ipv6 = c->ipv6,
                                             .timer_ms = c->timer_ms};
    struct sd_err err = {0};
    int rc = sd_session_new(&e->session, ours_context(e->id, c), &config, &err);
    fuzz_check(!rc, "no session: %s", err.text);
    agree_watch(&e->agree, sd_session_native(e->session));
}

/* Other code in the thread would mistake a left error for its own (openssl#11889). */
static void check_queue(void)
{
    const unsigned long e = ERR_peek_error();
    fuzz_check(!e, "an error is left in the queue: %s", ERR_reason_error_string(e));
}

static bool established(const struct sim_side *e)
{
    return e->ready && !e->over;
}

/* What a program may ask at any time. */
static void ask(const struct sim_side *e)
{
    uint8_t keys[32];
    sdtls_info info;
    sd_session_info(e->session, &info);
    const int rc = sd_session_export(e->session, "EXTRACTOR-dtls_srtp", keys, sizeof keys);
    fuzz_check(rc == SDTLS_OK || (rc == SDTLS_STATE && !(established(e) && !e->asked_to_close)),
               "an established association exports no keys");
    fuzz_check(rc || info.cipher, "an association without a suite exports keys");
    check_queue();
}

/* Everything that our session has to say. */
static void pump(struct sim_side *e)
{
    uint8_t buf[LARGEST_RECORD];
    size_t len;
    enum sd_session_event ev;
    unsigned turns = 0;
    while ((ev = sd_session_next(e->session, buf, sizeof buf, &len, sim_now())) !=
           SD_SESSION_IDLE) {
        fuzz_check(++turns < TURNS, "the session never becomes idle");
        check_queue();
        fuzz_note(100U + ev);
        if (ev == SD_SESSION_DATA)
            sim_got(e, buf, len);
        fuzz_check(ev != SD_SESSION_READY || !e->ready, "ready twice");
        if (ev == SD_SESSION_READY)
            agree_ready(&e->agree, sd_session_native(e->session));
        e->ready |= ev == SD_SESSION_READY;
        e->over |= ev == SD_SESSION_CLOSED || ev == SD_SESSION_FAILED;
        e->timeouts += ev == SD_SESSION_RETRANSMIT;
        ask(e);
    }
    check_queue();
}

static void ours_begin(struct sim_side *e)
{
    static const uint8_t secret[SD_GATE_SECRET_LEN] = {1, 2, 3};
    const struct sim_config *c = &e->sim->config;
    e->strict = !(c->odd & OURS_RAW);
    e->witness.mtu = c->odd & OURS_NARROW ? 0 : c->mtu ? c->mtu : SIM_ROUTE;
    if (e->id == OSSL_CLIENT)
        session_begin(e);
    else
        sd_gate_init(&gate, kit_mac, NULL, secret, sim_now());
}

static void ours_connect(struct sim_side *e)
{
    sd_session_connect(e->session, sim_now());
    pump(e);
}

/* A server of ours has no session before the gate admits a hello. */
static void at_gate(struct sim_side *e, const uint8_t *data, size_t len)
{
    const struct sd_addr peer = kit_addr(KIT_FOUR, 1, 1000), local = kit_addr(KIT_FOUR, 2, 4433);
    uint8_t reply[SD_GATE_REPLY_MAX];
    struct sd_gate_result r = sd_gate_check(&gate, data, len, &peer, &local, reply);
    /* SDTLS_F_NO_COOKIE */
    const bool anyway = r.verdict == SD_GATE_REPLY && e->sim->config.cookie;
    if (r.verdict == SD_GATE_REPLY && !anyway)
        sim_transmit(e, reply, r.reply_len);
    if (r.verdict != SD_GATE_ADMIT && !anyway)
        return;
    session_begin(e);
    sd_session_accept(e->session, data, len, r.record_seq, !anyway, sim_now());
}

static void ours_input(struct sim_side *e, const uint8_t *data, size_t len, bool more)
{
    if (!e->session)
        at_gate(e, data, len);
    else
        sd_session_input(e->session, data, len, sim_now());
    if (e->session && !more)
        pump(e);
}

static void ours_timer(struct sim_side *e)
{
    if (!e->session)
        return;
    if (sd_session_deadline(e->session, sim_now()) <= sim_now())
        sd_session_timer(e->session, sim_now());
    pump(e);
}

static bool ours_wait(struct sim_side *e, uint64_t *us)
{
    const sd_time at = e->session ? sd_session_deadline(e->session, sim_now()) : SD_NEVER;
    *us = at == SD_NEVER || at < sim_now() ? 0 : (at - sim_now() + SD_US - 1) / SD_US;
    return at != SD_NEVER;
}

static void ours_report(struct sim_side *e, const struct sim_report *r)
{
    const struct sd_session_report report = {.error = r->error,
                                             .here = r->here,
                                             .limit = r->limit,
                                             .quote = r->quote->data,
                                             .quoted = r->quote->len};
    if (e->session)
        sd_session_net_error(e->session, &report, sim_now());
}

/* Before the handshake completes, after the end, and when there is nothing to send. */
static void ours_send_in_vain(struct sim_side *e)
{
    if (e->session && !established(e))
        fuzz_check(sd_session_send(e->session, "x", 1) == SDTLS_STATE &&
                       sd_session_send_padded(e->session, "x", 1, 100) == SDTLS_STATE &&
                       !sd_session_max_payload(e->session),
                   "data is sent without an association");
    else if (e->session && !e->asked_to_close)
        fuzz_check(sd_session_send(e->session, "", 0) == SDTLS_OK &&
                       sd_session_send_padded(e->session, "x", 1, 0) == SDTLS_ARG &&
                       sd_session_send_padded(e->session, "x", 0, 100) == SDTLS_ARG,
                   "an empty message is not ignored, or a size that cannot be is accepted");
}

static void ours_send(struct sim_side *e, const uint8_t *data, size_t len)
{
    sd_session_send(e->session, data, len);
    pump(e);
}

static void ours_send_padded(struct sim_side *e, const uint8_t *data, size_t len, size_t size)
{
    sd_session_send_padded(e->session, data, len, size);
    pump(e);
}

static void ours_close(struct sim_side *e)
{
    if (!e->session)
        return;
    sd_session_shutdown(e->session);
    pump(e);
}

static void ours_end(struct sim_side *e)
{
    sd_session_free(e->session);
}

const struct sim_stack ours_stack = {.ours = true,
                                     .prepare = ours_prepare,
                                     .begin = ours_begin,
                                     .connect = ours_connect,
                                     .input = ours_input,
                                     .timer = ours_timer,
                                     .wait = ours_wait,
                                     .report = ours_report,
                                     .send_in_vain = ours_send_in_vain,
                                     .send = ours_send,
                                     .send_padded = ours_send_padded,
                                     .close = ours_close,
                                     .end = ours_end};
