/* Stock OpenSSL over a BIO that does what a UDP socket does. */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "openssl/ossl_env.h"
#include "peers/sim.h"
#include "openssl/simhabits.h"

static int bio_write(BIO *bio, const char *data, int len)
{
    BIO_clear_retry_flags(bio);
    struct sim_side *e = BIO_get_data(bio);
    int rc = sim_transmit(e, data, (size_t)len);
    errno = e->refused = -rc;
    if (!rc)
        return len;
    if (rc == -EAGAIN)
        BIO_set_retry_write(bio);
    return -1;
}

/* What has arrived lies in the BIO's own queue, which is that of the side: only what `input` was
 * given is there to read. */
static int bio_read(BIO *bio, char *data, int cap)
{
    struct sim_side *e = BIO_get_data(bio);
    struct sim_packet *p = e->inbox;
    BIO_clear_retry_flags(bio);
    if (!p) {
        errno = EAGAIN;
        BIO_set_retry_read(bio);
        return -1;
    }
    e->inbox = NULL;
    int len = (int)p->len < cap ? (int)p->len : cap;
    memcpy(data, p->data, (size_t)len);
    fuzz_heap_free(p);
    return len;
}

static long bio_ctrl(BIO *bio, int what, long number, void *arg)
{
    (void)number;
    (void)arg;
    const struct sim_side *e = BIO_get_data(bio);
    switch (what) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        return 1;
    case BIO_CTRL_DGRAM_MTU_EXCEEDED:
        return e->refused == EMSGSIZE;
    case BIO_CTRL_DGRAM_QUERY_MTU:
        return e->sim->config.mtu ? (long)e->sim->config.mtu : SIM_ROUTE;
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return 548;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return 28;
    default:
        return 0;
    }
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *method(void)
{
    static BIO_METHOD *m;
    if (m)
        return m;
    m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sim");
    fuzz_check(m && BIO_meth_set_write(m, bio_write) && BIO_meth_set_read(m, bio_read) &&
                   BIO_meth_set_ctrl(m, bio_ctrl) && BIO_meth_set_create(m, bio_create),
               "no BIO method");
    return m;
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

/* Whatever it waits for, it may come. */
static bool failed(const struct sim_side *e, int rc)
{
    const int error = SSL_get_error(e->ssl, rc);
    return error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL || error == SSL_ERROR_ZERO_RETURN;
}

/* Reads until there is nothing more. */
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

/* A flight that is sent again goes back to the session of its time, of which OpenSSL (3.0) holds no
 * reference: where there is another one since, it has been freed. So somebody keeps the last. */
static void keep_session(struct sim_side *e)
{
    SSL_SESSION *now = SSL_get_session(e->ssl);
    if (!now || (e->sessions && e->had[(e->sessions - 1) % SIM_SESSIONS] == now))
        return;
    SSL_SESSION **slot = &e->had[e->sessions++ % SIM_SESSIONS];
    SSL_SESSION_free(*slot);
    *slot = SSL_get1_session(e->ssl);
}

void sim_stock_go_on(struct sim_side *e)
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
 * another: OpenSSL before 3.2 then writes behind its buffer, and fuzzing would end there; see
 * docs/fuzzing.md. */
bool sim_stock_is_short(const SSL_SESSION *session)
{
    return SSL_SESSION_get_max_fragment_length(session) != TLSEXT_max_fragment_length_DISABLED;
}

static void resume(struct sim_side *e)
{
    SSL_SESSION *earlier = e->sim->session;
    if (earlier && sim_stock_is_short(earlier))
        return;
    if (earlier)
        SSL_set_session(e->ssl, earlier);
    if (earlier || e->sim->config.kind != SIM_RESUMED)
        return;
    SSL_SESSION *session = sim_session();
    fuzz_check(session && SSL_set_session(e->ssl, session) == 1, "no session to resume");
    SSL_SESSION_free(session);
}

void sim_stock_begin(struct sim_side *e)
{
    const struct sim_config *c = &e->sim->config;
    SSL_CTX *ctx = sim_stock(e->id, c->kind, c->deployed);
    BIO *bio = BIO_new(method());
    e->ssl = SSL_new(ctx);
    fuzz_check(e->ssl && bio, "no memory");
    BIO_set_data(bio, e);
    SSL_set_bio(e->ssl, bio, bio);
    agree_watch(&e->agree, e->ssl);
    if (c->deployed)
        sim_habits_begin(e);
    if (e->id == SIM_CLIENT) {
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

/* Between a ChangeCipherSpec and new keys OpenSSL from 3.2 on frees a record layer twice, see
 * docs/fuzzing.md; with nothing left to be sent again it does not. */
void sim_stock_free(SSL *ssl)
{
    if (SSL_in_init(ssl))
        SSL_clear(ssl);
    SSL_free(ssl);
}

void sim_stock_input(struct sim_side *e, const uint8_t *data, size_t len)
{
    if (e->over)
        return;
    fuzz_heap_free(e->inbox);
    e->inbox = fuzz_heap_alloc(sizeof *e->inbox + len);
    fuzz_check(e->inbox, "no memory");
    e->inbox->len = len;
    memcpy(e->inbox->data, data, len);
    sim_stock_go_on(e);
}

void sim_stock_timer(struct sim_side *e)
{
    if (e->over || e->listening)
        return;
    if (ossl_env_spares("CVE-2026-84782") && SSL_want_write(e->ssl)) {
        sim_stock_go_on(e);
        return;
    }
    ERR_clear_error();
    int rc = (int)DTLSv1_handle_timeout(e->ssl);
    e->timeouts += rc > 0;
    e->over |= rc < 0 && !SSL_want_write(e->ssl) && e->timeouts > 11;
    ERR_clear_error();
    sim_stock_go_on(e);
}
