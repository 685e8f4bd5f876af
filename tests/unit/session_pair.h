/* SPDX-License-Identifier: MIT */
/* A client and a server session in one process, with queues for a network
 * between them, and a stand-in for the gate that asks for a fixed cookie.
 * Time passes only where a test waits: nothing depends on how busy the machine is. */
#ifndef SESSION_PAIR_H
#define SESSION_PAIR_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "session/internal.h"
#include "tls/prepare.h"
#include "session/session.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/record.h"

#define MAYBE_UNUSED __attribute__((unused))

enum { CLIENT, SERVER, PACKETS = 256, PATIENCE_S = 20 };

/* OpenSSL takes the time of its timers from gettimeofday(): it gets ours. */
static sd_time virtual_time = 1000 * SD_SEC;

MAYBE_UNUSED static sd_time test_clock(void)
{
    return virtual_time;
}

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv,
                                                        void *restrict zone)
{
    const time_t year_2023 = 1700000000;
    (void)zone;
    tv->tv_sec = year_2023 + (time_t)(virtual_time / SD_SEC);
    tv->tv_usec = (suseconds_t)(virtual_time % SD_SEC / SD_US);
    return 0;
}

struct packet {
    size_t len;
    uint8_t data[17000];
};

struct pair;

struct side {
    struct pair *pair;
    struct sd_tls *tls;
    struct sd_session *session;
    struct sd_session_config config;
    /* Datagrams on their way to this side, a ring. */
    struct packet *ring;
    size_t head, tail;
    size_t sent, largest; /* by this side */
    bool ready, closed, failed, mute;
    unsigned retransmits, mtu_events, data_events;
    /* What a router has to say of a datagram of this side, on its way. */
    struct sd_session_report report;
    uint8_t quote[548];
    bool report_pending;
    uint8_t data[16384];
    size_t data_len;
};

struct pair {
    struct side side[2];
    uint64_t counters[SD_GUARD_COUNTER_COUNT];
    bool no_cookie;
    /* What the network does with the n-th datagram of a side; the datagram may
     * be changed. Returns how many copies arrive, or -errno. */
    int (*network)(struct pair *p, int from, size_t n, uint8_t *data, size_t *len);
    /* Called before a datagram is handed to side `to`. */
    void (*before)(struct pair *p, int to, const uint8_t *data, size_t len);
    size_t arg, arg2, fired;
    uint64_t server_seq; /* record number that the admitted hello had */
    struct sd_err err;
};

MAYBE_UNUSED static void put(struct side *to, const void *data, size_t len)
{
    if (to->tail - to->head >= PACKETS)
        return;
    struct packet *k = &to->ring[to->tail++ % PACKETS];
    assert_true(len <= sizeof k->data);
    memcpy(k->data, data, len);
    k->len = len;
}

MAYBE_UNUSED static int on_send(void *arg, const void *data, size_t len)
{
    struct side *from = arg;
    struct pair *p = from->pair;
    int me = from == &p->side[SERVER] ? SERVER : CLIENT;
    uint8_t copy[17000];
    assert_true(len <= sizeof copy);
    memcpy(copy, data, len);
    if (len > from->largest)
        from->largest = len;
    int copies = p->network ? p->network(p, me, from->sent, copy, &len) : 1;
    from->sent++;
    for (int i = 0; i < copies && !from->mute; i++)
        put(&p->side[!me], copy, len);
    return copies < 0 ? copies : 0;
}

MAYBE_UNUSED static void session_new(struct pair *p, int who)
{
    struct side *s = &p->side[who];
    s->config.send = on_send;
    s->config.arg = s;
    s->config.counters = p->counters;
    int rc = sd_session_new(&s->session, s->tls, &s->config, &p->err);
    if (rc)
        fail_msg("session: %s", p->err.text);
}

static const uint8_t the_cookie[20] = "a cookie for testing";

MAYBE_UNUSED static void verify_request(struct pair *p, const struct sd_record *rec)
{
    uint8_t buf[128];
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    const struct sd_hello_verify hv = {SD_DTLS_1_0, {the_cookie, sizeof the_cookie}};
    size_t r = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_0, 0, rec->seq);
    size_t h = sd_handshake_open(&w, SD_HS_HELLO_VERIFY_REQUEST, 0);
    sd_hello_verify_build(&w, &hv);
    sd_handshake_close(&w, h);
    sd_record_close(&w, r);
    on_send(&p->side[SERVER], buf, sd_wr_len(&w));
}

/* What the gate does with a datagram of a client it does not know. */
MAYBE_UNUSED static void gate(struct pair *p, const uint8_t *data, size_t len)
{
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    struct sd_handshake h;
    struct sd_client_hello ch;
    if (sd_record_next(&it, &rec) != SD_RECORD_OK || rec.type != SD_CT_HANDSHAKE || rec.epoch)
        return;
    struct sd_rd body = sd_rd_init(rec.body.p, rec.body.len);
    if (sd_handshake_next(&body, &h) != SD_HANDSHAKE_OK || h.type != SD_HS_CLIENT_HELLO ||
        h.frag_off)
        return;
    if (sd_client_hello_parse(&ch, h.body, h.length) == SD_HELLO_BAD)
        return;
    bool good =
        ch.cookie.len == sizeof the_cookie && !memcmp(ch.cookie.p, the_cookie, ch.cookie.len);
    if (!good && !p->no_cookie) {
        verify_request(p, &rec);
        return;
    }
    session_new(p, SERVER);
    p->server_seq = rec.seq;
    int rc =
        sd_session_accept(p->side[SERVER].session, data, len, rec.seq, !p->no_cookie, test_clock());
    assert_int_equal(rc, SDTLS_OK);
}

/* Hands out what the session has to say. */
MAYBE_UNUSED static void pump(struct side *s)
{
    size_t len;
    bool more = true; /* a session that says it has no more keeps its word */
    for (;;) {
        enum sd_session_event e =
            sd_session_next(s->session, s->data, sizeof s->data, &len, test_clock());
        assert_true(more || e == SD_SESSION_IDLE);
        more = e != SD_SESSION_DATA || sd_session_has_more(s->session);
        switch (e) {
        case SD_SESSION_IDLE:
            if (!s->failed && !s->closed)
                assert_int_equal(s->session->guard.queued, 0);
            return;
        case SD_SESSION_READY:
            assert_false(s->ready);
            s->ready = true;
            break;
        case SD_SESSION_DATA:
            s->data_events++;
            s->data_len = len;
            break;
        case SD_SESSION_RETRANSMIT:
            s->retransmits++;
            break;
        case SD_SESSION_MTU:
            s->mtu_events++;
            break;
        case SD_SESSION_CLOSED:
            s->closed = true;
            break;
        case SD_SESSION_FAILED:
            assert_false(s->failed);
            s->failed = true;
            break;
        }
    }
}

MAYBE_UNUSED static void input(struct pair *p, int to, const uint8_t *data, size_t len)
{
    struct side *s = &p->side[to];
    if (p->before)
        p->before(p, to, data, len);
    if (to == SERVER && !s->session)
        gate(p, data, len);
    else if (s->session)
        sd_session_input(s->session, data, len, test_clock());
    if (s->session)
        pump(s);
}

/* A router's word on a datagram: `limit` bytes fit. One at a time is under way. */
MAYBE_UNUSED static void tell_limit(struct side *s, size_t limit, const uint8_t *data, size_t len)
{
    if (s->report_pending)
        return;
    len = len < sizeof s->quote ? len : sizeof s->quote;
    memcpy(s->quote, data, len);
    s->report = (struct sd_session_report){
        .error = EMSGSIZE, .limit = limit, .quote = s->quote, .quoted = len};
    s->report_pending = true;
}

MAYBE_UNUSED static bool deliver_word(struct side *s)
{
    if (!s->report_pending)
        return false;
    s->report_pending = false;
    if (!s->session)
        return false; /* it was about what the gate sent */
    sd_session_net_error(s->session, &s->report, test_clock());
    pump(s);
    return true;
}

/* Delivers until nothing is under way. */
MAYBE_UNUSED static void deliver(struct pair *p)
{
    bool any = true;
    while (any) {
        any = false;
        for (int to = CLIENT; to <= SERVER; to++) {
            struct side *s = &p->side[to];
            any |= deliver_word(s);
            if (s->head == s->tail)
                continue;
            any = true;
            struct packet k = s->ring[s->head++ % PACKETS];
            input(p, to, k.data, k.len);
        }
    }
}

MAYBE_UNUSED static void run_timer(struct side *s)
{
    sd_time now = test_clock();
    if (!s->session || sd_session_deadline(s->session, now) > now)
        return;
    sd_session_timer(s->session, now);
    pump(s);
}

/* Waits for the next deadline of a session; false when it has none. */
MAYBE_UNUSED static bool wait_timer(struct pair *p)
{
    sd_time now = test_clock(), when = SD_NEVER;
    for (int i = CLIENT; i <= SERVER; i++) {
        struct sd_session *s = p->side[i].session;
        sd_time d = s ? sd_session_deadline(s, now) : SD_NEVER;
        when = d < when ? d : when;
    }
    if (when == SD_NEVER)
        return false;
    virtual_time = when > now ? when : now;
    run_timer(&p->side[CLIENT]);
    run_timer(&p->side[SERVER]);
    return true;
}

/* Runs until both are ready, one has failed, or nothing more will happen. */
MAYBE_UNUSED static void drive(struct pair *p)
{
    sd_time end = test_clock() + PATIENCE_S * SD_SEC;
    struct side *c = &p->side[CLIENT], *s = &p->side[SERVER];
    do {
        deliver(p);
        if (c->failed || s->failed)
            return;
    } while (test_clock() < end && !(c->ready && s->ready) && wait_timer(p));
}

MAYBE_UNUSED static void connect_client(struct pair *p)
{
    session_new(p, CLIENT);
    assert_int_equal(sd_session_connect(p->side[CLIENT].session, test_clock()), SDTLS_OK);
}

MAYBE_UNUSED static void handshake(struct pair *p)
{
    connect_client(p);
    drive(p);
}

MAYBE_UNUSED static const char *why(const struct side *s)
{
    return s->session ? sd_session_error(s->session)->text : "no session";
}

MAYBE_UNUSED static void assert_ready(struct pair *p)
{
    for (int i = CLIENT; i <= SERVER; i++) {
        struct side *s = &p->side[i];
        if (!s->ready || s->failed)
            fail_msg("%s not ready; client: \"%s\", server: \"%s\"", i ? "server" : "client",
                     why(&p->side[CLIENT]), why(&p->side[SERVER]));
    }
}

/* A message each way arrives unharmed. */
MAYBE_UNUSED static void assert_alive(struct pair *p)
{
    assert_ready(p);
    for (int from = CLIENT; from <= SERVER; from++) {
        struct side *to = &p->side[!from];
        unsigned before = to->data_events;
        assert_int_equal(sd_session_send(p->side[from].session, "are you there?", 14), SDTLS_OK);
        deliver(p);
        if (to->failed)
            fail_msg("%s: %s", from ? "client" : "server", sd_session_error(to->session)->text);
        assert_int_equal(to->data_events, before + 1);
        assert_int_equal(to->data_len, 14);
        assert_memory_equal(to->data, "are you there?", 14);
    }
}

MAYBE_UNUSED static void tls_new(struct pair *p, int who, const sdtls_config *c)
{
    sd_tls_free(p->side[who].tls);
    p->side[who].tls = NULL;
    if (sd_tls_new(&p->side[who].tls, who == SERVER ? SD_ROLE_SERVER : SD_ROLE_CLIENT, c, &p->err))
        fail_msg("context: %s", p->err.text);
}

MAYBE_UNUSED static struct pair *pair_new(const sdtls_config *client, const sdtls_config *server)
{
    const sdtls_config self_signed = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};
    const sdtls_config plain = {SDTLS_CONFIG_INIT};
    struct pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    for (int i = CLIENT; i <= SERVER; i++) {
        struct side *s = &p->side[i];
        s->pair = p;
        s->ring = calloc(PACKETS, sizeof *s->ring);
        assert_non_null(s->ring);
        s->config.timer_ms = 40;
    }
    tls_new(p, CLIENT, client ? client : &plain);
    tls_new(p, SERVER, server ? server : &self_signed);
    return p;
}

/* Both sides as before the first datagram; contexts and settings stay. */
MAYBE_UNUSED static void pair_again(struct pair *p)
{
    for (int i = CLIENT; i <= SERVER; i++) {
        struct side *s = &p->side[i];
        sd_session_free(s->session);
        struct side fresh = {.pair = p, .tls = s->tls, .config = s->config, .ring = s->ring};
        *s = fresh;
    }
    memset(p->counters, 0, sizeof p->counters);
    p->fired = 0;
}

MAYBE_UNUSED static void pair_free(struct pair *p)
{
    for (int i = CLIENT; i <= SERVER; i++) {
        sd_session_free(p->side[i].session);
        sd_tls_free(p->side[i].tls);
        free(p->side[i].ring);
    }
    free(p);
}

#endif
