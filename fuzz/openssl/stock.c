/* SPDX-License-Identifier: MIT */
#include "openssl/stock.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "openssl/habits.h"

static int stock_transmit(void *arg, const void *data, size_t len)
{
    return sim_transmit(arg, data, len);
}

/* Reads the one datagram that stock_input() left in the inbox. */
static int stock_receive(void *arg, void *data, size_t cap)
{
    struct sim_side *e = arg;
    struct sim_packet *p = e->inbox;
    if (!p)
        return -EAGAIN;
    e->inbox = NULL;
    const size_t len = p->len < cap ? p->len : cap;
    memcpy(data, p->data, len);
    fuzz_heap_free(p);
    return (int)len;
}

static int cookie_make(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
    (void)ssl;
    *len = 16;
    memset(cookie, 'c', *len);
    return 1;
}

static int cookie_check(SSL *ssl, const unsigned char *cookie, unsigned int len)
{
    (void)ssl;
    return len == 16 && cookie[0] == 'c' && !memcmp(cookie, cookie + 1, 15);
}

/* A side that only waits has not failed. */
static bool failed(const struct sim_side *e, int rc)
{
    const int error = SSL_get_error(e->ssl, rc);
    return error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL || error == SSL_ERROR_ZERO_RETURN;
}

/* Reads until nothing is left. */
static void read_all(struct sim_side *e)
{
    uint8_t buf[2048];
    for (;;) {
        ERR_clear_error();
        int n = SSL_read(e->ssl, buf, sizeof buf);
        if (n <= 0) {
            e->over |= failed(e, n);
            return;
        }
        sim_got(e, buf, (size_t)n);
    }
}

static bool taken(struct sim_side *e)
{
    const unsigned scarce = ossl_env_scarce(0);
    BIO_ADDR *from = BIO_ADDR_new();
    fuzz_check(from, "no memory");
    ossl_env_scarce(scarce);
    ERR_clear_error();
    e->listening = DTLSv1_listen(e->ssl, from) != 1;
    BIO_ADDR_free(from);
    ERR_clear_error();
    return !e->listening;
}

/* A retransmitted flight uses the session of its time, but OpenSSL (3.0) holds no reference to it
 * and may have freed it since. So the last sessions are kept here. */
static void keep_session(struct sim_side *e)
{
    SSL_SESSION *now = SSL_get_session(e->ssl);
    if (!now || (e->sessions && e->had[(e->sessions - 1) % SIM_SESSIONS] == now))
        return;
    SSL_SESSION **slot = &e->had[e->sessions++ % SIM_SESSIONS];
    SSL_SESSION_free(*slot);
    *slot = SSL_get1_session(e->ssl);
}

static void stock_go_on(struct sim_side *e)
{
    keep_session(e);
    if (e->over || (e->listening && !taken(e)))
        return;
    ERR_clear_error();
    if (!e->ready) {
        int rc = SSL_do_handshake(e->ssl);
        e->ready = rc == 1;
        if (e->ready)
            agree_ready(&e->agree, e->ssl);
        e->over |= rc != 1 && failed(e, rc);
    }
    if (e->ready && !e->over)
        read_all(e);
    ERR_clear_error();
}

/* A handshake that begins with a session of short records (max_fragment_length) and agrees on
 * another session: OpenSSL before 3.2 then writes past the end of its buffer, and fuzzing would end
 * there; see docs/fuzzing.md. */
static bool is_short(const SSL_SESSION *session)
{
    return SSL_SESSION_get_max_fragment_length(session) != TLSEXT_max_fragment_length_DISABLED;
}

static void resume(struct sim_side *e)
{
    SSL_SESSION *earlier = e->sim->session;
    if (earlier && is_short(earlier))
        return;
    if (earlier)
        SSL_set_session(e->ssl, earlier);
    if (earlier || e->sim->config.kind != PAIR_RESUMED)
        return;
    SSL_SESSION *session = pair_session();
    fuzz_check(session && SSL_set_session(e->ssl, session) == 1, "no session to resume");
    SSL_SESSION_free(session);
}

static void stock_begin(struct sim_side *e)
{
    const struct sim_config *c = &e->sim->config;
    SSL_CTX *ctx = pair_context(e->id, c->kind, c->deployed);
    e->bio = (struct ossl_bio){.send = stock_transmit,
                               .receive = stock_receive,
                               .arg = e,
                               .mtu = c->mtu ? c->mtu : SIM_ROUTE};
    BIO *bio = ossl_bio_new(&e->bio);
    e->ssl = SSL_new(ctx);
    fuzz_check(e->ssl && bio, "no memory");
    SSL_set_bio(e->ssl, bio, bio);
    agree_watch(&e->agree, e->ssl);
    if (c->deployed)
        habits_begin(e);
    if (e->id == OSSL_CLIENT) {
        SSL_set_connect_state(e->ssl);
        resume(e);
        return;
    }
    SSL_set_accept_state(e->ssl);
    if (!c->cookie)
        return;
    SSL_CTX_set_cookie_generate_cb(ctx, cookie_make);
    SSL_CTX_set_cookie_verify_cb(ctx, cookie_check);
    e->listening = c->listen;
    if (!c->listen)
        SSL_set_options(e->ssl, SSL_OP_COOKIE_EXCHANGE);
}

/* Between a ChangeCipherSpec and the new keys, OpenSSL from 3.2 on frees a record layer twice, see
 * docs/fuzzing.md. SSL_clear() drops what would be sent again and so avoids it. */
static void ssl_free(SSL *ssl)
{
    if (SSL_in_init(ssl))
        SSL_clear(ssl);
    SSL_free(ssl);
}

static void stock_input(struct sim_side *e, const uint8_t *data, size_t len, bool more)
{
    (void)more;
    if (e->over)
        return;
    fuzz_heap_free(e->inbox);
    e->inbox = sim_packet(data, len);
    stock_go_on(e);
}

static void stock_timer(struct sim_side *e)
{
    if (e->over || e->listening)
        return;
    if (ossl_env_spares("CVE-2026-84782") && SSL_want_write(e->ssl)) {
        stock_go_on(e);
        return;
    }
    ERR_clear_error();
    int rc = (int)DTLSv1_handle_timeout(e->ssl);
    e->timeouts += rc > 0;
    e->over |= rc < 0 && !SSL_want_write(e->ssl) && e->timeouts > 11;
    ERR_clear_error();
    stock_go_on(e);
}

static bool stock_wait(struct sim_side *e, uint64_t *us)
{
    struct timeval left;
    if (e->over || DTLSv1_get_timeout(e->ssl, &left) != 1)
        return false;
    *us = (uint64_t)left.tv_sec * OSSL_SECOND_US + (uint64_t)left.tv_usec;
    return true;
}

static void stock_send(struct sim_side *e, const uint8_t *data, size_t len)
{
    ERR_clear_error();
    SSL_write(e->ssl, data, (int)len);
    stock_go_on(e);
}

static void stock_close(struct sim_side *e)
{
    if (!e->ready)
        return;
    ERR_clear_error();
    SSL_shutdown(e->ssl);
    ERR_clear_error();
}

static void stock_prepare(enum ossl_side side, const struct sim_config *c)
{
    pair_context(side, c->kind, c->deployed);
    if (c->kind == PAIR_RESUMED)
        SSL_SESSION_free(pair_session());
}

static void stock_forget(struct sim_side *e)
{
    if (e->sim->config.deployed)
        habits_end(e);
    if (e->id == OSSL_CLIENT) {
        SSL_SESSION_free(e->sim->session);
        e->sim->session = NULL;
    }
}

static void stock_end(struct sim_side *e)
{
    ssl_free(e->ssl);
    fuzz_heap_free(e->inbox);
    for (unsigned i = 0; i < SIM_SESSIONS; i++)
        SSL_SESSION_free(e->had[i]);
}

const struct sim_stack stock_stack = {.prepare = stock_prepare,
                                      .begin = stock_begin,
                                      .connect = stock_go_on,
                                      .input = stock_input,
                                      .timer = stock_timer,
                                      .wait = stock_wait,
                                      .go_on = stock_go_on,
                                      .send = stock_send,
                                      .close = stock_close,
                                      .forget = stock_forget,
                                      .end = stock_end};

/* --- what only stock OpenSSL does --- */

void stock_renegotiate(struct sim_side *e, bool abbreviated)
{
    if (e->stack != &stock_stack || !e->ready || e->over || is_short(SSL_get_session(e->ssl)))
        return;
    ossl_env_random(e->id);
    ERR_clear_error();
    if ((abbreviated ? SSL_renegotiate_abbreviated(e->ssl) : SSL_renegotiate(e->ssl)) == 1)
        SSL_do_handshake(e->ssl);
    ERR_clear_error();
}

void stock_begin_again(struct sim *s, bool resume, uint32_t other_habits)
{
    SSL_SESSION_free(s->session);
    s->session = resume ? SSL_get1_session(s->side[OSSL_CLIENT].ssl) : NULL;
    s->config.habits[OSSL_CLIENT] ^= other_habits;
    sim_restart(s);
}

void stock_scarce(struct sim *s, unsigned n)
{
    if (ossl_env_spares("memory") ||
        (s->config.habits[OSSL_CLIENT] | s->config.habits[OSSL_SERVER]) & HABIT_CACHE)
        return;
    s->scarce = true;
    ossl_env_scarce(n);
}
