/* SPDX-License-Identifier: MIT */
/* The listening endpoint over a virtual kernel: gate, demultiplexer, limits and the life of
 * connections, with sessions that do what a byte says.
 *
 * A sender that has not shown its own cookie costs nothing: no heap, no descriptor, no timer. It
 * gets at most one reply, never larger than its datagram. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake_tls.h"
#include "harness/common.h"
#include "harness/make.h"
#include "harness/senders.h"
#include "kernel/vk.h"
#include "targets/listen.h"

#include "endpoint/internal.h"
#include "wire/handshake.h"
#include "wire/hello.h"

enum { CONNS = 64, DATAGRAM = 2048, EVENTS_MAX = 4096 };

static const sd_time time_unit = 100 * SD_MS; /* of CODE_TIME */

/* A connection, as its events describe it. */
struct known {
    const sdtls_conn *conn;
    bool ready;
};

struct world {
    sdtls *s;
    struct make_hello hello[SENDERS];
    uint8_t cookie[SENDERS][SD_GATE_COOKIE_LEN];
    bool has_hello[SENDERS], has_cookie[SENDERS];
    struct known known[CONNS];
    sdtls_conn *client;
    unsigned replies, given; /* since the last reading; from senders that were unknown then */
    size_t reply_bytes, given_bytes;
    unsigned closed;
    unsigned traits; /* of the next datagram */
    bool faulty, no_cookie, deaf;
};

static struct world w;

/* --- watching --- */

static unsigned sender_of(const struct sd_addr *a)
{
    for (unsigned i = 0; i < SENDERS; i++) {
        struct sd_addr b = sender(i);
        if (sd_addr_eq(a, &b))
            return i;
    }
    return SENDERS;
}

/* A HelloVerifyRequest: its receiver may come back with the cookie. */
static void note_verify(const struct sd_addr *from, const struct sd_addr *to,
                        const struct sd_handshake *h)
{
    struct sd_hello_verify hv;
    fuzz_check(sd_hello_verify_parse(&hv, h->body) && hv.cookie.len == SD_GATE_COOKIE_LEN,
               "a HelloVerifyRequest does not parse");
    listen_cookie_given(to, from, hv.cookie.p);
    unsigned who = sender_of(to);
    if (who == SENDERS)
        return;
    memcpy(w.cookie[who], hv.cookie.p, sizeof w.cookie[who]);
    w.has_cookie[who] = true;
}

static void on_send(void *arg, const struct sd_addr *from, const struct sd_addr *to,
                    struct sd_span data)
{
    (void)arg;
    struct sd_records it = sd_records_init(data.p, data.len, 0);
    struct sd_record rec;
    struct sd_handshake h;
    fuzz_note_bytes(data.p, data.len);
    if (sd_record_next(&it, &rec) != SD_RECORD_OK)
        return; /* of a session */
    struct sd_rd r = sd_rd_init(rec.body.p, rec.body.len);
    fuzz_check(rec.type == SD_CT_HANDSHAKE && sd_handshake_next(&r, &h) == SD_HANDSHAKE_OK &&
                   sd_rd_done(&r) && h.type == SD_HS_HELLO_VERIFY_REQUEST,
               "a reply is not a HelloVerifyRequest");
    w.replies++;
    w.reply_bytes += data.len;
    note_verify(from, to, &h);
}

static void on_accept(void *arg, const uint8_t *data, size_t len, bool cookie)
{
    const struct sdtls_conn *c = arg;
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    struct sd_handshake h;
    struct sd_client_hello ch;
    bool hello = sd_record_next(&it, &rec) == SD_RECORD_OK;
    struct sd_rd r = sd_rd_init(rec.body.p, rec.body.len);
    hello = hello && sd_handshake_next(&r, &h) == SD_HANDSHAKE_OK;
    fuzz_check(hello && sd_client_hello_parse(&ch, h.body, h.length) != SD_HELLO_BAD,
               "something else than a ClientHello was admitted");
    fuzz_check(w.no_cookie || (cookie && listen_may_enter(&c->remote, &c->local, &ch,
                                                          listen_standing(w.s, c), w.faulty)),
               "a client was admitted without a cookie of its own");
}

/* --- events --- */

static struct known *known_of(const sdtls_conn *c)
{
    for (unsigned i = 0; i < CONNS; i++)
        if (w.known[i].conn == c)
            return &w.known[i];
    return NULL;
}

static void check_event(const sdtls_event *ev)
{
    struct known *k = known_of(ev->conn);
    fuzz_check(ev->type == SDTLS_EV_ACCEPTED || k, "an event of an unknown connection");
    switch (ev->type) {
    case SDTLS_EV_ACCEPTED:
        fuzz_check(!k, "a connection is accepted twice");
        k = known_of(NULL);
        fuzz_check(k, "more connections than possible");
        *k = (struct known){.conn = ev->conn};
        break;
    case SDTLS_EV_READY:
        fuzz_check(!k->ready, "a connection is ready twice");
        k->ready = true;
        break;
    case SDTLS_EV_DATA:
        fuzz_check(k->ready, "data arrive before the handshake");
        fuzz_note_bytes(ev->data, ev->len);
        break;
    case SDTLS_EV_CLOSED:
        fuzz_check(!ev->err || (ev->text && *ev->text), "an error without a text");
        fuzz_check(ev->err != SDTLS_RESTARTED || !k->ready || listen_replaced(w.s, ev->conn),
                   "a hello ends an established connection");
        listen_ask_over(w.s, ev->conn);
        if (ev->conn == w.client)
            w.client = NULL;
        k->conn = NULL;
        w.closed++;
        break;
    default:
        break;
    }
    fuzz_note((uint64_t)ev->type << 32 | (unsigned)ev->err);
}

static void wait(unsigned ms)
{
    sdtls_event ev;
    if (sdtls_next(w.s, &ev, (int)ms) > 0)
        check_event(&ev);
}

static void read_events(void)
{
    sdtls_event ev;
    unsigned idle = 0;
    for (unsigned i = 0; i < EVENTS_MAX; i++) {
        int rc = sdtls_next(w.s, &ev, 0);
        if (rc < 0)
            fuzz_check(w.faulty, "the endpoint fails: %s", sdtls_errmsg(w.s));
        if (rc > 0)
            check_event(&ev);
        else if (!vk_queued() || ++idle > VK_QUEUE)
            return;
    }
    fuzz_check(false, "sdtls_next() always has another event");
}

/* --- what must hold at any time --- */

struct state {
    struct fuzz_heap heap;
    unsigned files, closed;
    size_t timers, conns;
    uint64_t admitted;
};

static struct state state_now(void)
{
    return (struct state){.heap = fuzz_heap_now(),
                          .files = vk_open(),
                          .closed = w.closed,
                          .timers = w.s->timers.count,
                          .conns = w.s->conn_total,
                          .admitted = w.s->gate_count[SD_GATE_GOOD_COOKIE]};
}

/* Only unknown senders sent since, and none of them was admitted. */
static void check_stateless(const struct state *before)
{
    struct state now = state_now();
    fuzz_check(w.replies <= w.given, "%u replies to %u datagrams", w.replies, w.given);
    fuzz_check(w.reply_bytes <= w.given_bytes, "%zu bytes are answered with %zu", w.given_bytes,
               w.reply_bytes);
    bool admitted = now.admitted != before->admitted || w.no_cookie;
    if (admitted || now.closed != before->closed || w.faulty)
        return;
    /* Connections that ended earlier may be freed only now. */
    fuzz_check(now.heap.blocks <= before->heap.blocks && now.heap.bytes <= before->heap.bytes,
               "%zd blocks of the heap for an unknown sender",
               (ssize_t)(now.heap.blocks - before->heap.blocks));
    fuzz_check(now.files <= before->files, "a descriptor for an unknown sender");
    fuzz_check(now.timers <= before->timers && now.conns <= before->conns,
               "a timer or a connection for an unknown sender");
}

/* --- what happens --- */

static struct sdtls_conn *between(unsigned f, unsigned t)
{
    struct sd_addr from = sender(f), to = local(t);
    struct sdtls_conn *c;
    TAILQ_FOREACH(c, &w.s->conns, all)
    {
        if (sd_addr_eq(&c->remote, &from) && sd_addr_eq(&c->local, &to))
            return c;
    }
    return NULL;
}

/* The sender decides what the data may cause. */
static void give(uint8_t who, struct sd_span data, bool wait)
{
    unsigned f, t;
    pair(who, &f, &t);
    struct sd_addr from = sender(f), to = local(t);
    struct state before = state_now();
    bool unknown = !between(f, t);
    if (vk_deliver(&from, &to, data, w.traits)) {
        w.given++;
        w.given_bytes += data.len;
    }
    w.traits = VK_PLAIN;
    if (wait)
        return;
    bool alone = w.given == 1;
    read_events();
    if (unknown && alone)
        check_stateless(&before);
    if (vk_queued())
        return; /* nobody could read it yet */
    w.replies = w.given = 0;
    w.reply_bytes = w.given_bytes = 0;
}

static void put_hello(unsigned f, struct make_hello *h, enum twist twist, struct sd_wr *out)
{
    uint8_t cookie[SD_GATE_COOKIE_LEN];
    memcpy(cookie, w.cookie[twist == TWIST_OTHERS ? (f + 1) % SENDERS : f], sizeof cookie);
    cookie[0] ^= twist == TWIST_BIT;
    h->random ^= twist == TWIST_RANDOM;
    h->message_seq = twist != TWIST_MESSAGE_0;
    h->cookie = make_span(cookie, sizeof cookie - (twist == TWIST_SHORT));
    make_client_hello(out, h);
    if (twist == TWIST_RECORD_BEHIND)
        make_record(out, SD_CT_APPDATA, 0, h->seq + 1, make_span("padding", 7));
}

static void overwrite(uint8_t *datagram, size_t len, struct sd_rd *pairs)
{
    while (len && sd_rd_left(pairs) >= 2) {
        uint8_t at = sd_rd_u8(pairs);
        datagram[at % len] = sd_rd_u8(pairs);
    }
}

static void hello(const struct fuzz_op *op)
{
    uint8_t bytes[DATAGRAM];
    unsigned f = op->arg & 7;
    struct sd_rd r = sd_rd_init(op->data.p, op->data.len);
    struct sd_wr out = sd_wr_init(bytes, sizeof bytes);
    struct make_hello h = {.random = sd_rd_u8(&r)};
    h.session_id = sd_rd_u8(&r) % 33;
    h.fragment = sd_rd_u8(&r);
    w.hello[f] = h;
    w.has_hello[f] = true;
    make_client_hello(&out, &h);
    overwrite(bytes, sd_wr_len(&out), &r);
    give(op->arg, make_span(bytes, sd_wr_len(&out)), op->arg & 128);
}

static void answer(const struct fuzz_op *op)
{
    uint8_t bytes[DATAGRAM];
    unsigned f = op->arg & 7;
    struct sd_wr out = sd_wr_init(bytes, sizeof bytes);
    struct make_hello h = w.hello[f];
    struct sd_rd r = sd_rd_init(op->data.p, op->data.len);
    enum twist twist = sd_rd_u8(&r) % TWISTS;
    if (!w.has_hello[f] || !w.has_cookie[f])
        return;
    h.seq = 1;
    put_hello(f, &h, twist, &out);
    overwrite(bytes, sd_wr_len(&out), &r);
    give(op->arg, make_span(bytes, sd_wr_len(&out)), op->arg & 128);
}

static struct sdtls_conn *conn_of(uint8_t who)
{
    unsigned f, t;
    pair(who, &f, &t);
    struct sdtls_conn *c = who & 128 ? w.client : between(f, t);
    return c && known_of(c) ? c : NULL;
}

/* After three bytes nothing more is wanted of this peer, until something else is sent. */
static void pause_or_resume(sdtls_conn *c, size_t len)
{
    fuzz_note(sdtls_unsent(c));
    if (len != 3)
        sdtls_resume(c);
    else if (sdtls_pause(c))
        fuzz_check(*sdtls_errmsg(w.s) != 0, "an error without a text");
}

static void send_to(const struct fuzz_op *op)
{
    sdtls_conn *c = conn_of(op->arg);
    sdtls_info info;
    if (!c)
        return;
    int rc = op->arg & 64 ? sdtls_send_padded(c, op->data.p, op->data.len, 20)
                          : sdtls_send(c, op->data.p, op->data.len);
    fuzz_check(!rc || *sdtls_errmsg(w.s), "an error without a text");
    pause_or_resume(c, op->data.len);
    listen_ask(w.s, c);
    sdtls_conn_info(c, &info);
    fuzz_note((uint64_t)rc << 32 | sdtls_max_payload(c) << 1 | (info.server != 0));
    fuzz_note((uint64_t)(sdtls_conn_fd(c) >= 0) << 1 | (sdtls_conn_endpoint(c) == w.s));
}

static void connect_out(uint8_t arg)
{
    if (w.client)
        return;
    const char *host = arg & 2 ? "both" : arg & 1 ? "2001:db8::32" : "192.0.2.50";
    fuzz_check(sdtls_connect(w.s, host, NULL, NULL) < 0, "connected to no port");
    int rc = sdtls_connect(w.s, host, "5000", &w.client);
    fuzz_check(!rc == (w.client != NULL), "connected without a connection");
    struct known *k = known_of(NULL);
    if (w.client && k)
        *k = (struct known){.conn = w.client};
}

static void from_server(struct sd_span data)
{
    if (!w.client || !w.client->peer)
        return;
    vk_deliver(&w.client->remote, &w.client->local, data, VK_PLAIN);
    read_events();
}

static void icmp(const struct fuzz_op *op)
{
    const struct sdtls_conn *c = conn_of(op->arg);
    if (c)
        vk_icmp(&c->local, &c->remote, op->data);
    read_events();
}

static void fault(const struct fuzz_op *op)
{
    w.faulty = true;
    vk_fault(op->arg, op->data);
}

static void pass_time(uint8_t arg)
{
    vk_pass(arg * time_unit);
    read_events();
}

static void apply(const struct fuzz_op *op)
{
    switch (op->code % CODES) {
    case CODE_DATAGRAM:
        give(op->arg, op->data, op->arg & 128);
        break;
    case CODE_HELLO:
        hello(op);
        break;
    case CODE_ANSWER:
        answer(op);
        break;
    case CODE_TIME:
        pass_time(op->arg);
        break;
    case CODE_FAULT:
        fault(op);
        break;
    case CODE_NO_MEMORY:
        w.faulty = true;
        fuzz_heap_fail(1U + op->arg % 16);
        break;
    case CODE_CLOSE:
        if (conn_of(op->arg))
            sdtls_close(conn_of(op->arg));
        break;
    case CODE_SEND:
        send_to(op);
        break;
    case CODE_CONNECT:
        connect_out(op->arg);
        break;
    case CODE_SERVER:
        from_server(op->data);
        break;
    case CODE_ICMP:
        icmp(op);
        break;
    case CODE_WAIT:
        wait(op->arg * 10U);
        break;
    case CODE_SESSION:
        *(op->arg & 1 ? &fake_tls.fail_new : &fake_tls.fail_accept) = 1;
        vk_no_random(op->arg == 255);
        w.faulty |= op->arg == 255;
        if (op->arg == 255)
            listen_secret_stays();
        break;
    case CODE_LISTEN:
        listen_at(w.s, op->arg);
        break;
    case CODE_TRAITS:
        w.traits = op->arg & (VK_PIECES | VK_EARLY | VK_SILENT | VK_NAMELESS);
        break;
    }
}

/* --- beginning and end --- */

static void tap(void *arg, sdtls_conn *conn, int sent, const void *datagram, size_t len)
{
    (void)arg, (void)conn;
    fuzz_note((uint64_t)sent << 32 | len);
    fuzz_note_bytes(datagram, len);
}

static void log_line(void *arg, int level, const char *line)
{
    (void)arg, (void)level;
    fuzz_note_bytes(line, strlen(line));
}

static void set_common(sdtls_config *c, uint8_t arg)
{
    c->flags = (arg & 1 ? SDTLS_F_SHARED : 0U) | (arg & 2 ? SDTLS_F_NO_COOKIE : 0U) |
               (arg & 4 ? SDTLS_F_PROBE : 0U);
    c->idle_ms = arg & 8 ? 5000 : 0;
    c->source = arg & 16 ? "192.0.2.200" : NULL;
    c->source_port = arg & 32 ? 7777 : 0;
    w.faulty = arg & 64;
    w.no_cookie = arg & 2;
}

static int listen_on(uint8_t rare, uint8_t more)
{
    if (w.deaf)
        return SDTLS_OK;
    if (more & MORE_FEW_FILES)
        return listen_with_few_files(w.s);
    if (rare & RARE_ADOPT)
        return listen_adopt_any(w.s);
    if (rare & RARE_ANY_PORT)
        return sdtls_listen(w.s, NULL, NULL);
    int rc = sdtls_listen(w.s, "0.0.0.0", "4433");
    return rc ? rc : sdtls_listen(w.s, "::", "4433");
}

static bool begin(struct sd_rd *in)
{
    struct sd_rd peek = *in;
    struct fuzz_op op = {0};
    struct newer n = {.config = {SDTLS_CONFIG_INIT, .handshake_ms = LISTEN_HANDSHAKE_S * 1000,
                                 .max_clients = 6, .max_half_open = 4, .max_half_open_per_host = 2,
                                 .max_clients_per_host = 4, .max_half_open_bytes = 10 * FAKE_MEMORY,
                                 .max_connected = 3, .log_level = 3, .log = log_line, .tap = tap}};
    uint8_t rare = 0, more = 0;
    unsigned fail = 0;
    if (fuzz_op_next(&peek, &op) && op.code == CODE_CONFIG) {
        *in = peek;
        struct sd_rd r = sd_rd_init(op.data.p, op.data.len);
        fail = 1 + sd_rd_u8(&r) % 24U;
        rare = sd_rd_u8(&r);
        more = sd_rd_u8(&r);
        set_common(&n.config, op.arg);
        listen_rare(&n, rare, more);
        w.deaf = more & MORE_DEAF;
        struct sd_span rest = sd_rd_rest(&r);
        w.faulty |= rest.len > 0;
        if (rest.len)
            vk_fault(rest.p[0], make_span(rest.p + 1, rest.len - 1));
    }
    fuzz_heap_fail(w.faulty ? fail : 0);
    w.s = sdtls_new(op.arg == 255 ? NULL : &n.config);
    if (!w.s)
        return false;
    if (listen_on(rare, more) || w.s->unusable) {
        listen_check_useless(w.s);
        return false;
    }
    return !(rare & RARE_POLLED) || sdtls_fd(w.s) >= 0;
}

static void end(void)
{
    const char *name = "";
    fuzz_heap_fail(0);
    listen_ask_names();
    for (unsigned i = 0; w.s && name; i++)
        fuzz_note(sdtls_counter(w.s, i, &name));
    vk_on_send(NULL, NULL);
    sdtls_free(w.s);
    fuzz_check(!fake_tls.live, "%u sessions are left", fake_tls.live);
    fuzz_check(!vk_open(), "%u descriptors are left", vk_open());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    struct fuzz_heap before = fuzz_heap_now();
    struct fuzz_op op;
    memset(&w, 0, sizeof w);
    fake_tls = (struct fake_tls){.on_accept = on_accept};
    vk_reset();
    vk_on_send(on_send, NULL);
    listen_cookies_begin();
    if (begin(&in)) {
        while (fuzz_op_next(&in, &op)) {
            uint8_t *copy = fuzz_copy(op.data);
            op.data.p = copy;
            apply(&op);
            listen_check_limits(w.s, w.faulty);
            free(copy);
        }
    }
    end();
    struct fuzz_heap after = fuzz_heap_now();
    fuzz_check(after.blocks == before.blocks && after.bytes == before.bytes,
               "%zd blocks of the heap are left", (ssize_t)(after.blocks - before.blocks));
    return 0;
}
