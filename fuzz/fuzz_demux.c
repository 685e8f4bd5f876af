/* The demultiplexer over a virtual kernel: datagrams of eight senders to three local addresses,
 * peers that come and go, sockets that cannot be had, and the moment between bind() and connect()
 * in which a new socket gets its neighbours' datagrams. A map of who is whose peer tells what must
 * come out; every datagram must, once, as it went in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "senders.h"
#include "vk.h"

#include "net/demux.h"

enum code {
    CODE_DELIVER, /* who: who sends it to whom, see sender() and local() */
    CODE_NEXT,    /* reads: arg / 4 datagrams (0 = all); bit 0: accepts unknown senders */
    CODE_CLOSE,   /* who */
    CODE_TIME,    /* arg ms */
    CODE_FAULT,   /* bits 0 to 2: the call; bits 3 and 4: how many until then; 5 to 7: errno */
    CODE_NO_MEMORY,
    CODE_RETIRE,  /* listener */
    CODE_LISTEN,  /* another listener on that address */
    CODE_CONNECT, /* as client; bit 3: from a source of its own */
    CODE_SEND,    /* who */
    CODE_ICMP,    /* who; data: errno, MTU (2) */
    CODE_WINDOW,  /* a sender for each byte of the data, when a socket is bound next */
    CODE_CONFIG,  /* first operation: bits 0 to 2 max_connected, bit 3 take_over */
    CODES
};

enum { CLIENTS = 4, SENT_MAX = 512, HEADER = 4, NEXT_MAX = 2048, WINDOW = 8 };

struct sent {
    struct sd_addr from, to;
    size_t len;
    uint64_t hash;
    bool seen, may_get_lost;
};

struct client {
    struct sd_peer *peer;
    struct sd_addr remote, local;
};

struct world {
    struct sd_demux *d;
    struct sd_peer *peers[SENDERS][LOCALS];
    struct client clients[CLIENTS];
    struct sent sent[SENT_MAX];
    uint32_t count;
    size_t max_connected, read;
    unsigned listeners;
    bool lossy; /* memory failed: what could not be kept is gone */
    uint8_t window[WINDOW];
    size_t window_count;
    struct sd_addr last_from, last_to; /* of what was sent last */
    struct sd_span last;
    unsigned sends;
};

static uint64_t hash(const void *data, size_t len)
{
    return sd_hash((struct sd_hash_key){1, 2}, data, len);
}

/* --- what goes in --- */

static bool inject(struct world *w, const struct sd_addr *from, const struct sd_addr *to,
                   struct sd_span body, unsigned traits)
{
    uint8_t bytes[VK_BYTES];
    struct sd_wr out = sd_wr_init(bytes, sizeof bytes);
    if (w->count == SENT_MAX)
        return false;
    sd_wr_u32(&out, w->count);
    sd_wr_bytes(&out, body.p, body.len < 2048 ? body.len : 2048);
    if (!vk_deliver(from, to, (struct sd_span){bytes, sd_wr_len(&out)}, traits))
        return false;
    w->sent[w->count++] = (struct sent){.from = *from,
                                        .to = *to,
                                        .len = sd_wr_len(&out),
                                        .hash = hash(bytes, sd_wr_len(&out)),
                                        .may_get_lost = traits & VK_HUGE};
    return true;
}

static void deliver(struct world *w, const struct fuzz_op *op)
{
    unsigned f, t, traits = (op->arg & 32 ? VK_HUGE : 0U) | (op->arg & 64 ? VK_PIECES : 0U);
    pair(op->arg, &f, &t);
    struct sd_addr from = sender(f), to = local(t);
    const struct client *c = &w->clients[f % CLIENTS];
    if (op->arg & 128 && c->peer) {
        from = c->remote;
        to = c->local;
    }
    inject(w, &from, &to, op->data, traits);
}

/* Called with each socket that is bound and not yet connected. */
static void in_the_window(void *arg, const struct sd_addr *bound)
{
    struct world *w = arg;
    for (size_t i = 0; i < w->window_count; i++) {
        struct sd_addr from = sender(w->window[i] & 7);
        if (from.sa.sa_family == bound->sa.sa_family &&
            inject(w, &from, bound, (struct sd_span){0}, VK_NEWEST))
            w->sent[w->count - 1].may_get_lost = sd_addr_port(bound) != LOCAL_PORT;
    }
    w->window_count = 0;
}

/* --- what comes out --- */

static struct sd_peer *expected_peer(const struct world *w, const struct sent *s)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        if (w->clients[i].peer && sd_addr_eq(&w->clients[i].remote, &s->from) &&
            sd_addr_eq(&w->clients[i].local, &s->to))
            return w->clients[i].peer;
    for (unsigned f = 0; f < SENDERS; f++)
        for (unsigned t = 0; t < LOCALS; t++) {
            struct sd_addr from = sender(f), to = local(t);
            if (sd_addr_eq(&from, &s->from) && sd_addr_eq(&to, &s->to))
                return w->peers[f][t];
        }
    return NULL;
}

static struct sent *check_datagram(struct world *w, const struct sd_datagram *got)
{
    struct sd_rd r = sd_rd_init(got->data, got->len);
    uint32_t id = sd_rd_u32(&r);
    fuzz_check(!r.bad && id < w->count, "a datagram that nobody sent");
    struct sent *s = &w->sent[id];
    fuzz_check(!s->seen, "a datagram comes twice");
    fuzz_check(got->len == s->len && hash(got->data, got->len) == s->hash,
               "a datagram comes with other bytes");
    fuzz_check(sd_addr_eq(&got->peer, &s->from), "a datagram comes from somebody else");
    fuzz_check(sd_addr_eq(&got->local, &s->to), "a datagram comes to another address");
    fuzz_check(got->to == expected_peer(w, s), "a datagram is given to another peer");
    fuzz_check(got->listener < w->listeners || got->to, "listener %u of %u", got->listener,
               w->listeners);
    s->seen = true;
    w->read++;
    fuzz_note(id);
    return s;
}

static struct sd_peer **slot(struct world *w, const struct sd_datagram *from)
{
    for (unsigned f = 0; f < SENDERS; f++)
        for (unsigned t = 0; t < LOCALS; t++) {
            struct sd_addr a = sender(f), b = local(t);
            if (sd_addr_eq(&a, &from->peer) && sd_addr_eq(&b, &from->local))
                return &w->peers[f][t];
        }
    return NULL;
}

static void accept_sender(struct world *w, const struct sd_datagram *from)
{
    struct sd_peer **to = slot(w, from);
    if (!to)
        return;
    struct sd_peer *p = sd_demux_accept(w->d, from, to);
    fuzz_check(p || w->lossy, "no peer, and memory enough");
    if (!p)
        return;
    fuzz_check(sd_addr_eq(sd_peer_remote(p), &from->peer) &&
                   sd_addr_eq(sd_peer_local(p), &from->local) && sd_peer_user(p) == to,
               "a peer with other addresses");
    *to = p;
}

static void on_send(void *arg, const struct sd_addr *from, const struct sd_addr *to,
                    struct sd_span data)
{
    struct world *w = arg;
    w->last_from = *from;
    w->last_to = *to;
    w->last = data;
    w->sends++;
}

static void reply(struct world *w, const struct sd_datagram *to)
{
    w->sends = 0;
    if (sd_demux_reply(w->d, to, "reply", 5) || !w->sends)
        return;
    fuzz_check(w->sends == 1 && w->last.len == 5, "one reply is %u", w->sends);
    fuzz_check(sd_addr_eq(&w->last_to, &to->peer) && sd_addr_eq(&w->last_from, &to->local),
               "a reply to somebody else, or from another address");
}

static void next(struct world *w, unsigned max, bool accepts)
{
    struct sd_datagram got;
    for (unsigned i = 0; i < (max ? max : NEXT_MAX); i++) {
        int rc = sd_demux_next(w->d, &got, 0);
        if (rc <= 0)
            return;
        if (got.error) {
            fuzz_note((uint64_t)got.error << 32 | (unsigned)got.limit);
            continue;
        }
        check_datagram(w, &got);
        if (!got.to && accepts)
            accept_sender(w, &got);
        else if (!got.to)
            reply(w, &got);
    }
    fuzz_check(max, "it never ends");
}

/* --- what is done to it --- */

static void close_peer(struct world *w, uint8_t arg)
{
    unsigned f, t;
    pair(arg, &f, &t);
    struct client *c = &w->clients[arg % CLIENTS];
    if (arg & 128 && c->peer) {
        for (uint32_t i = 0; i < w->count; i++)
            if (sd_addr_eq(&w->sent[i].to, &c->local))
                w->sent[i].may_get_lost = true;
        sd_demux_close(w->d, c->peer);
        c->peer = NULL;
    } else if (w->peers[f][t]) {
        sd_demux_close(w->d, w->peers[f][t]);
        w->peers[f][t] = NULL;
    }
}

static void fault(uint8_t arg)
{
    static const int errors[] = {EMFILE,   EACCES,  EADDRINUSE, ECONNREFUSED,
                                 EMSGSIZE, ENOBUFS, EAGAIN,     EINTR};
    vk_fail(arg & 7, 1U + (arg >> 3 & 3), errors[arg >> 5]);
}

static void listen_again(struct world *w, uint8_t arg)
{
    struct sd_addr a = sd_addr_any(arg & 1 ? AF_INET6 : AF_INET, LOCAL_PORT);
    unsigned before = sd_demux_listeners(w->d);
    int rc = sd_demux_listen(w->d, &a);
    w->listeners = sd_demux_listeners(w->d);
    fuzz_check(w->listeners == before + !rc, "%u listeners after %u", w->listeners, before);
}

static void connect_client(struct world *w, uint8_t arg)
{
    struct client *c = &w->clients[arg % CLIENTS];
    struct sd_addr source = kit_addr(arg & 4 ? KIT_SIX : KIT_FOUR, 200, (uint16_t)(7000 + arg));
    if (c->peer)
        return;
    c->remote = kit_addr(arg & 4 ? KIT_SIX : KIT_FOUR, 50, 5000 + (arg & 3));
    if (sd_demux_connect(w->d, &c->remote, arg & 8 ? &source : NULL, c, &c->peer))
        return;
    c->local = *sd_peer_local(c->peer);
    fuzz_check(sd_addr_eq(&c->remote, sd_peer_remote(c->peer)) && sd_peer_fd(c->peer) >= 0,
               "a client without a socket, or of somebody else");
}

static struct sd_peer *who(const struct world *w, uint8_t arg)
{
    unsigned f, t;
    pair(arg, &f, &t);
    return arg & 128 ? w->clients[arg % CLIENTS].peer : w->peers[f][t];
}

static void send_to(struct world *w, const struct fuzz_op *op)
{
    struct sd_peer *p = who(w, op->arg);
    if (!p)
        return;
    w->sends = 0;
    fuzz_note(sd_peer_route_payload(p) << 1 | sd_peer_ipv6(p));
    int rc = sd_peer_send(p, op->data.p, op->data.len);
    fuzz_check(w->sends <= 1, "one datagram is sent %u times", w->sends);
    if (rc || !w->sends)
        return;
    fuzz_check(w->last.len == op->data.len && sd_addr_eq(&w->last_to, sd_peer_remote(p)) &&
                   sd_addr_eq(&w->last_from, sd_peer_local(p)),
               "other bytes, or to or from somebody else");
}

static void icmp(struct world *w, const struct fuzz_op *op)
{
    static const int errors[] = {ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, EPROTO};
    struct sd_rd r = sd_rd_init(op->data.p, op->data.len);
    uint8_t which = sd_rd_u8(&r);
    uint32_t mtu = sd_rd_u16(&r);
    struct sd_peer *p = who(w, op->arg);
    if (p && sd_peer_fd(p) >= 0)
        vk_icmp(sd_peer_local(p), sd_peer_remote(p), errors[which & 3], mtu, op->data);
}

static void apply(struct world *w, const struct fuzz_op *op)
{
    switch (op->code % CODES) {
    case CODE_DELIVER:
        deliver(w, op);
        break;
    case CODE_NEXT:
        next(w, op->arg / 4, op->arg & 1);
        break;
    case CODE_CLOSE:
        close_peer(w, op->arg);
        break;
    case CODE_TIME:
        vk_pass(op->arg * SD_MS);
        break;
    case CODE_FAULT:
        fault(op->arg);
        break;
    case CODE_NO_MEMORY:
        w->lossy = true;
        fuzz_heap_fail(op->arg % 8U + 1);
        break;
    case CODE_RETIRE:
        sd_demux_retire(w->d, op->arg % 4);
        break;
    case CODE_LISTEN:
        listen_again(w, op->arg);
        break;
    case CODE_CONNECT:
        connect_client(w, op->arg);
        break;
    case CODE_SEND:
        send_to(w, op);
        break;
    case CODE_ICMP:
        icmp(w, op);
        break;
    case CODE_WINDOW:
        w->window_count = op->data.len < WINDOW ? op->data.len : WINDOW;
        if (w->window_count)
            memcpy(w->window, op->data.p, w->window_count);
        break;
    }
}

/* --- what must hold --- */

static unsigned own_sockets(const struct world *w, unsigned *clients)
{
    unsigned n = 0;
    for (unsigned f = 0; f < SENDERS; f++)
        for (unsigned t = 0; t < LOCALS; t++)
            n += w->peers[f][t] && sd_peer_fd(w->peers[f][t]) >= 0;
    for (unsigned i = 0; i < CLIENTS; i++)
        *clients += w->clients[i].peer != NULL;
    return n;
}

static unsigned live_listeners(const struct world *w)
{
    unsigned n = 0;
    for (unsigned i = 0; i < sd_demux_listeners(w->d); i++)
        n += sd_demux_local(w->d, i) != NULL;
    return n;
}

static void check_sockets(const struct world *w)
{
    unsigned clients = 0, own = own_sockets(w, &clients);
    fuzz_check(own <= w->max_connected, "%u sockets of peers, at most %zu", own, w->max_connected);
    fuzz_check(vk_open() >= 2 + own + clients + live_listeners(w), "a socket is closed too early");
}

/* Nothing fails any more, and time passes: everything that was sent is read, and what was closed
 * is gone. */
static void settle(struct world *w)
{
    for (unsigned call = 0; call < VK_CALLS; call++)
        vk_fail(call, 0, 0);
    fuzz_heap_fail(0);
    for (unsigned i = 0; i < 4 || (vk_queued() && i < SENT_MAX); i++) {
        next(w, 0, false);
        vk_pass(20 * SD_MS);
    }
    next(w, 0, false);
    for (uint32_t i = 0; i < w->count && !w->lossy; i++)
        fuzz_check(w->sent[i].seen || w->sent[i].may_get_lost, "datagram %u never came", i);
    unsigned clients = 0, own = own_sockets(w, &clients);
    fuzz_check(vk_open() == 2 + own + clients + live_listeners(w),
               "%u descriptors for %u peers, %u clients and %u listeners", vk_open(), own, clients,
               live_listeners(w));
    uint64_t dropped =
        sd_demux_counter(w->d, SD_NET_TRUNCATED) + sd_demux_counter(w->d, SD_NET_FOREIGN);
    fuzz_check(sd_demux_counter(w->d, SD_NET_RECEIVED) == w->read + dropped,
               "the counters do not add up");
    for (unsigned c = 0; c < SD_NET_COUNTER_COUNT; c++)
        fuzz_note(sd_demux_counter(w->d, c));
}

static void close_all(struct world *w)
{
    for (unsigned f = 0; f < SENDERS; f++)
        for (unsigned t = 0; t < LOCALS; t++)
            if (w->peers[f][t])
                sd_demux_close(w->d, w->peers[f][t]);
    for (unsigned i = 0; i < CLIENTS; i++)
        if (w->clients[i].peer)
            sd_demux_close(w->d, w->clients[i].peer);
    sd_demux_free(w->d);
}

static bool begin(struct world *w, struct sd_rd *in)
{
    struct sd_rd peek = *in;
    struct fuzz_op op;
    struct sd_demux_config config = {
        .max_connected = 4, .test_between_bind_and_connect = in_the_window, .test_arg = w};
    if (fuzz_op_next(&peek, &op) && op.code == CODE_CONFIG) {
        *in = peek;
        config.max_connected = op.arg & 7;
        config.take_over = op.arg & 8;
        config.interface = op.arg & 16 ? "veth0" : NULL;
        w->lossy = op.arg & 32;
        fuzz_heap_fail(w->lossy ? 1 + (op.data.len ? op.data.p[0] % 8U : 0) : 0);
    }
    w->max_connected = config.max_connected;
    vk_on_send(on_send, w);
    if (sd_demux_new(&w->d, &config))
        return false;
    listen_again(w, 0);
    listen_again(w, 1);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct sd_rd in = sd_rd_init(data, size);
    struct fuzz_heap before = fuzz_heap_now();
    struct fuzz_op op = {0};
    memset(&w, 0, sizeof w);
    vk_reset();
    if (begin(&w, &in)) {
        while (fuzz_op_next(&in, &op)) {
            apply(&w, &op);
            check_sockets(&w);
        }
        settle(&w);
        close_all(&w);
    }
    fuzz_heap_fail(0);
    struct fuzz_heap after = fuzz_heap_now();
    fuzz_check(!vk_open(), "%u descriptors are left", vk_open());
    fuzz_check(after.blocks == before.blocks && after.bytes == before.bytes,
               "%zu blocks of the heap are left", after.blocks - before.blocks);
    return 0;
}

/* --- seeds --- */

struct script {
    struct sd_wr w;
    uint8_t bytes[1024];
};

static void add(struct script *s, uint8_t code, uint8_t arg, const char *data)
{
    fuzz_op_put(&s->w, code, arg, data, strlen(data));
}

static void begin_script(struct script *s, uint8_t config)
{
    s->w = sd_wr_init(s->bytes, sizeof s->bytes);
    add(s, CODE_CONFIG, config, "\1");
}

static void everybody(struct script *s)
{
    for (uint8_t who_ = 0; who_ < SENDERS; who_++)
        add(s, CODE_DELIVER, who_, "hello");
    add(s, CODE_NEXT, 1, "");
    for (uint8_t who_ = 0; who_ < SENDERS; who_++) {
        add(s, CODE_DELIVER, who_, "more");
        add(s, CODE_SEND, who_, "answer");
    }
}

void fuzz_seeds(struct fuzz_seeder *to)
{
    struct script s;
    for (uint8_t config = 0; config < 16; config = (uint8_t)(config + 5)) {
        begin_script(&s, config);
        add(&s, CODE_WINDOW, 0, "\1\2\3");
        everybody(&s);
        add(&s, CODE_CLOSE, 0, "");
        add(&s, CODE_DELIVER, 0, "late");
        add(&s, CODE_NEXT, 5, "");
        add(&s, CODE_TIME, 15, "");
        add(&s, CODE_NEXT, 0, "");
        fuzz_seed(to, s.bytes, sd_wr_len(&s.w));
    }
    begin_script(&s, 4);
    add(&s, CODE_LISTEN, 0, "");
    for (uint8_t call = 0; call < VK_CALLS; call++) {
        add(&s, CODE_FAULT, (uint8_t)(call | call << 5), "");
        add(&s, CODE_DELIVER, call, "hello");
        add(&s, CODE_NEXT, 1, "");
        add(&s, CODE_ICMP, call, "\2\5\0");
    }
    add(&s, CODE_RETIRE, 0, "");
    fuzz_seed(to, s.bytes, sd_wr_len(&s.w));
    begin_script(&s, 6);
    for (uint8_t c = 0; c < CLIENTS; c++) {
        add(&s, CODE_WINDOW, 0, "\1\4");
        add(&s, CODE_CONNECT, (uint8_t)(c | c << 2), "");
        add(&s, CODE_DELIVER, 128 | c, "from the server");
        add(&s, CODE_SEND, 128 | c, "to the server");
        add(&s, CODE_ICMP, 128 | c, "\1\5\0");
    }
    add(&s, CODE_DELIVER, 32, "huge");
    add(&s, CODE_NEXT, 0, "");
    add(&s, CODE_CLOSE, 129, "");
    fuzz_seed(to, s.bytes, sd_wr_len(&s.w));
}
