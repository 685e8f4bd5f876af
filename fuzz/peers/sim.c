#include "peers/sim.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "harness/gate_kit.h"
#include "openssl/ossl_env.h"
#include "openssl/simhabits.h"

static struct sim_packet *packet(const void *data, size_t len)
{
    struct sim_packet *p = fuzz_heap_alloc(offsetof(struct sim_packet, data) + len);
    fuzz_check(p, "no memory");
    p->len = len;
    memcpy(p->data, data, len);
    return p;
}

void sim_put(struct sim *s, int to, const void *data, size_t len)
{
    struct sim_side *e = &s->side[to];
    if (e->queued < SIM_QUEUE && len <= SIM_DATAGRAM)
        e->queue[e->queued++] = packet(data, len);
}

static void remember(struct sim_side *from, const void *data, size_t len)
{
    struct sim_packet **slot = &from->history[from->remembered++ % SIM_HISTORY];
    fuzz_heap_free(*slot);
    *slot = packet(data, len);
}

struct sim_packet *sim_take(struct sim *s, int to, unsigned index)
{
    struct sim_side *e = &s->side[to];
    if (index >= e->queued)
        return NULL;
    struct sim_packet *p = e->queue[index];
    e->queued--;
    memmove(&e->queue[index], &e->queue[index + 1], (e->queued - index) * sizeof *e->queue);
    return p;
}

int sim_transmit(struct sim_side *from, const void *data, size_t len)
{
    if (from->failing) {
        from->failing--;
        return -from->with;
    }
    witness_datagram(&from->witness, data, len);
    if (from->ours && !(from->sim->config.odd & SIM_RAW))
        fuzz_check(!from->witness.wrong, "our %s sent %s (%zu bytes)",
                   from->id ? "server" : "client", witness_words(from->witness.wrong), len);
    fuzz_note_bytes(data, len);
    remember(from, data, len);
    sim_put(from->sim, !from->id, data, len);
    return 0;
}

static int on_send(void *arg, const void *data, size_t len)
{
    return sim_transmit(arg, data, len);
}

/* Data is a number, then the letter of its sender up to its length. */
void sim_got(struct sim_side *to, const uint8_t *data, size_t len)
{
    const struct sim_side *from = &to->sim->side[!to->id];
    fuzz_check(len && data[0] < from->messages, "data arrived that nobody sent");
    for (size_t i = 1; i < len; i++)
        fuzz_check(data[i] == (from->id ? 's' : 'c'), "data arrived changed");
    fuzz_check(!to->arrived[data[0]], "data arrived twice");
    to->arrived[data[0]] = true;
    fuzz_note(1000U + data[0]);
}

static void session_begin(struct sim_side *e)
{
    struct sim *s = e->sim;
    const struct sd_session_config c = {.send = on_send,
                                        .arg = e,
                                        .counters = s->counters,
                                        .host = e->id == SIM_CLIENT ? "host.example" : NULL,
                                        .mtu = s->config.mtu,
                                        .route_payload = s->config.odd & SIM_NARROW
                                                             ? SIM_NARROW_ROUTE
                                                         : s->config.mtu ? 0
                                                                         : SIM_ROUTE,
                                        .ipv6 = s->config.ipv6,
                                        .timer_ms = s->config.timer_ms};
    int rc = sd_session_new(&e->session, sim_tls(e->id, &s->config), &c, &s->err);
    fuzz_check(!rc, "no session: %s", s->err.text);
    agree_watch(&e->agree, sd_session_native(e->session));
}

/* Whoever shares the thread would take it for his own (openssl#11889). */
static void check_queue(void)
{
    const unsigned long e = ERR_peek_error();
    fuzz_check(!e, "an error is left in the queue: %s", ERR_reason_error_string(e));
}

/* Everything our session has to say. */
static void pump(struct sim_side *e)
{
    uint8_t buf[16384];
    size_t len;
    enum sd_session_event ev;
    unsigned turns = 0;
    while ((ev = sd_session_next(e->session, buf, sizeof buf, &len, sim_now())) !=
           SD_SESSION_IDLE) {
        fuzz_check(++turns < 1000, "the session never has enough");
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
    }
    check_queue();
}

/* A server of ours has no session before the gate admits a hello. */
static void at_gate(struct sim_side *e, const uint8_t *data, size_t len)
{
    struct sim *s = e->sim;
    const struct sd_addr peer = kit_addr(KIT_FOUR, 1, 1000), local = kit_addr(KIT_FOUR, 2, 4433);
    uint8_t reply[SD_GATE_REPLY_MAX];
    struct sd_gate_result r = sd_gate_check(&s->gate, data, len, &peer, &local, reply);
    const bool anyway = r.verdict == SD_GATE_REPLY && s->config.cookie; /* SDTLS_F_NO_COOKIE */
    if (r.verdict == SD_GATE_REPLY && !anyway)
        sim_transmit(e, reply, r.reply_len);
    if (r.verdict != SD_GATE_ADMIT && !anyway)
        return;
    session_begin(e);
    sd_session_accept(e->session, data, len, r.record_seq, !anyway, sim_now());
}

void sim_arrive(struct sim *s, int to, const uint8_t *data, size_t len, bool more)
{
    struct sim_side *e = &s->side[to];
    e->received += len;
    ossl_env_random((enum ossl_side)to);
    if (!e->ours) {
        sim_stock_input(e, data, len);
        return;
    }
    if (!e->session)
        at_gate(e, data, len);
    else
        sd_session_input(e->session, data, len, sim_now());
    if (e->session && !more)
        pump(e);
}

bool sim_deliver(struct sim *s, int to, unsigned count)
{
    struct sim_packet *p = NULL;
    bool any = false;
    for (unsigned i = 0; i < count && (p = sim_take(s, to, 0)); i++) {
        sim_arrive(s, to, p->data, p->len, i + 1 < count && s->side[to].queued);
        fuzz_heap_free(p);
        any = true;
    }
    return any;
}

static void fire(struct sim_side *e)
{
    ossl_env_random((enum ossl_side)e->id);
    if (!e->ours) {
        sim_stock_timer(e);
    } else if (e->session) {
        if (sd_session_deadline(e->session, sim_now()) <= sim_now())
            sd_session_timer(e->session, sim_now());
        pump(e);
    }
}

void sim_later(struct sim *s, uint64_t us)
{
    ossl_env_later(us);
    fire(&s->side[SIM_CLIENT]);
    fire(&s->side[SIM_SERVER]);
}

/* Microseconds to the next timer. */
static bool wait_of(struct sim_side *e, uint64_t *us)
{
    struct timeval left;
    if (!e->ours) {
        if (e->over || DTLSv1_get_timeout(e->ssl, &left) != 1)
            return false;
        *us = (uint64_t)left.tv_sec * 1000000 + (uint64_t)left.tv_usec;
        return true;
    }
    const sd_time at = e->session ? sd_session_deadline(e->session, sim_now()) : SD_NEVER;
    *us = at == SD_NEVER || at < sim_now() ? 0 : (at - sim_now() + SD_US - 1) / SD_US;
    return at != SD_NEVER;
}

bool sim_timeout(struct sim *s, int id)
{
    uint64_t us;
    if (!wait_of(&s->side[id], &us))
        return false;
    sim_later(s, us);
    return true;
}

/* The next message, of `len` bytes; false: there is none to be had. */
static bool message(struct sim_side *e, uint8_t *data, size_t len)
{
    if (!e->ready || e->over || e->messages >= SIM_MESSAGES || len > SIM_DATAGRAM || !len)
        return false;
    memset(data, e->id ? 's' : 'c', len);
    data[0] = (uint8_t)e->messages++;
    ossl_env_random((enum ossl_side)e->id);
    return true;
}

/* Before the handshake, and behind the end, nothing is sent. */
static void send_in_vain(struct sim_side *e)
{
    fuzz_check(sd_session_send(e->session, "x", 1) == SDTLS_STATE &&
                   sd_session_send_padded(e->session, "x", 1, 100) == SDTLS_STATE &&
                   !sd_session_max_payload(e->session),
               "data is sent where there is no association");
}

static void send_nothing(struct sim_side *e)
{
    fuzz_check(sd_session_send(e->session, "", 0) == SDTLS_OK &&
                   sd_session_send_padded(e->session, "x", 1, 0) == SDTLS_ARG &&
                   sd_session_send_padded(e->session, "x", 0, 100) == SDTLS_ARG,
               "nothing is sent, or is an error");
}

void sim_send(struct sim *s, int id, size_t len)
{
    struct sim_side *e = &s->side[id];
    uint8_t data[SIM_DATAGRAM];
    if (e->ours && e->session && (!e->ready || e->over))
        send_in_vain(e);
    else if (e->ours && e->session && !e->asked_to_close)
        send_nothing(e);
    if (!message(e, data, len))
        return;
    if (e->ours) {
        sd_session_send(e->session, data, len);
        pump(e);
    } else {
        ERR_clear_error();
        SSL_write(e->ssl, data, (int)len);
        sim_stock_go_on(e);
    }
}

void sim_send_padded(struct sim *s, int id, size_t len, size_t size)
{
    struct sim_side *e = &s->side[id];
    uint8_t data[SIM_DATAGRAM];
    if (!e->ours || !message(e, data, len))
        return;
    const size_t mtu = e->witness.mtu;
    e->witness.mtu = 0; /* whatever the MTU is: it is a measurement */
    sd_session_send_padded(e->session, data, len, size);
    e->witness.mtu = mtu;
    pump(e);
}

void sim_close(struct sim *s, int id)
{
    struct sim_side *e = &s->side[id];
    ossl_env_random((enum ossl_side)id);
    e->asked_to_close = true;
    if (e->ours && e->session) {
        sd_session_shutdown(e->session);
        pump(e);
    } else if (!e->ours && e->ready) {
        ERR_clear_error();
        SSL_shutdown(e->ssl);
        ERR_clear_error();
    }
}

void sim_renegotiate(struct sim *s, int id, bool abbreviated)
{
    struct sim_side *e = &s->side[id];
    if (e->ours || !e->ready || e->over || sim_stock_is_short(SSL_get_session(e->ssl)))
        return;
    ossl_env_random((enum ossl_side)id);
    ERR_clear_error();
    if ((abbreviated ? SSL_renegotiate_abbreviated(e->ssl) : SSL_renegotiate(e->ssl)) == 1)
        SSL_do_handshake(e->ssl);
    ERR_clear_error();
}

void sim_scarce(struct sim *s, unsigned n)
{
    if (ossl_env_spares("memory") ||
        (s->config.habits[SIM_CLIENT] | s->config.habits[SIM_SERVER]) & HABIT_CACHE)
        return;
    s->scarce = true;
    ossl_env_scarce(n);
}

bool sim_alive(const struct sim *s)
{
    return s->side[SIM_CLIENT].ready && s->side[SIM_SERVER].ready && !s->side[SIM_CLIENT].over &&
           !s->side[SIM_SERVER].over;
}

/* The gate's hash is not a cryptographic one: it need not be. */
static void gate_begin(struct sim *s)
{
    static const uint8_t secret[SD_GATE_SECRET_LEN] = {1, 2, 3};
    sd_gate_init(&s->gate, kit_mac, NULL, secret, sim_now());
}

/* Contexts are made once, before the clock. */
static void contexts(const struct sim_config *c)
{
    for (int id = SIM_CLIENT; id <= SIM_SERVER; id++)
        c->ours[id] ? (void)sim_tls(id, c) : (void)sim_stock(id, c->kind, c->deployed);
    if (c->kind == SIM_RESUMED)
        SSL_SESSION_free(sim_session());
}

static void side_begin(struct sim *s, int id)
{
    struct sim_side *e = &s->side[id];
    const struct sim_config *c = &s->config;
    *e = (struct sim_side){.sim = s, .id = id, .ours = c->ours[id]};
    e->witness.mtu = !e->ours || c->odd & SIM_NARROW ? 0 : c->mtu ? c->mtu : SIM_ROUTE;
    ossl_env_random((enum ossl_side)id);
    const unsigned scarce = ossl_env_scarce(0); /* not what the program needs itself */
    if (!e->ours)
        sim_stock_begin(e);
    else if (id == SIM_CLIENT)
        session_begin(e);
    ossl_env_scarce(scarce);
}

static void side_end(struct sim *s, int id)
{
    struct sim_side *e = &s->side[id];
    sd_session_free(e->session);
    if (e->ssl)
        sim_stock_free(e->ssl);
    fuzz_heap_free(e->inbox);
    witness_end(&e->witness);
    for (unsigned i = 0; i < SIM_SESSIONS; i++)
        SSL_SESSION_free(e->had[i]);
    for (unsigned i = 0; i < SIM_HISTORY; i++)
        fuzz_heap_free(e->history[i]);
    for (struct sim_packet *p; (p = sim_take(s, id, 0));)
        fuzz_heap_free(p);
}

static void connect_sides(struct sim *s)
{
    for (int id = SIM_CLIENT; id <= SIM_SERVER; id++)
        side_begin(s, id);
    struct sim_side *client = &s->side[SIM_CLIENT];
    ossl_env_random(OSSL_CLIENT);
    if (client->ours) {
        sd_session_connect(client->session, sim_now());
        pump(client);
    } else {
        sim_stock_go_on(client);
    }
}

void sim_begin(struct sim *s, const struct sim_config *c)
{
    *s = (struct sim){.config = *c};
    contexts(c);
    ossl_env_begin(1);
    gate_begin(s);
    connect_sides(s);
}

void sim_again(struct sim *s, bool resume, uint32_t otherwise)
{
    SSL_SESSION_free(s->session);
    s->session = resume ? SSL_get1_session(s->side[SIM_CLIENT].ssl) : NULL;
    side_end(s, SIM_CLIENT);
    side_end(s, SIM_SERVER);
    s->config.habits[SIM_CLIENT] ^= otherwise;
    connect_sides(s);
}

void sim_end(struct sim *s)
{
    for (int id = SIM_CLIENT; id <= SIM_SERVER; id++) {
        if (s->config.deployed)
            sim_habits_end(&s->side[id]);
        side_end(s, id);
    }
    SSL_SESSION_free(s->session);
}
