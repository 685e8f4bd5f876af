/* SPDX-License-Identifier: MIT */
/* The demultiplexer over a virtual kernel: datagrams of eight senders and of a crowd, peers that
 * come and go, sockets that cannot be opened, and the moment between bind() and connect() in which
 * a new socket gets its neighbours' datagrams. A map of the peers says what must come out: every
 * datagram, once, unchanged. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "kernel/vk.h"
#include "targets/demux.h"

#include "net/demux.h"

struct client {
    struct sd_peer *peer;
    struct sd_addr remote, local;
};

struct world {
    struct sd_demux *d;
    struct sd_peer *peers[EVERYBODY];
    struct client clients[CLIENTS];
    uint32_t count; /* of what was sent */
    size_t max_connected, read;
    unsigned own; /* peers with a socket of their own */
    unsigned listeners, traits;
    sd_time deadline;
    bool lossy; /* memory ran out: what could not be kept is gone */
    uint8_t window[WINDOW];
    size_t window_count;
    struct sd_addr last_from, last_to; /* of what was sent last */
    struct sd_span last;
    unsigned sends;
};

enum { OWN_FDS = 3 }; /* epoll, timerfd, eventfd */
static struct sent sent[SENT_MAX];
/* Between the datagrams of a siege; and when everything is read to its end. */
static const sd_time siege_pause = 10 * SD_MS, settle_pause = 20 * SD_MS;

static uint64_t hash(const void *data, size_t len)
{
    return sd_hash((struct sd_hash_key){1, 2}, data, len);
}

static unsigned who_of(uint8_t arg, struct sd_addr *from, struct sd_addr *to)
{
    unsigned f, t;
    pair(arg, &f, &t);
    *from = sender(f);
    *to = local(t);
    return f * LOCALS + t;
}

static unsigned one_of_crowd(unsigned i, struct sd_addr *from, struct sd_addr *to)
{
    *from = kit_addr(KIT_FOUR, (uint8_t)(150 + i), 6000);
    *to = local(i & 1);
    return PAIRS + i;
}

/* --- what goes in --- */

static struct sent *inject(struct world *w, const struct sd_addr *from, const struct sd_addr *to,
                           struct sd_span body, unsigned traits)
{
    uint8_t bytes[VK_BYTES];
    struct sd_wr out = sd_wr_init(bytes, sizeof bytes);
    if (w->count == SENT_MAX)
        return NULL;
    sd_wr_u32(&out, w->count);
    sd_wr_bytes(&out, body.p, body.len < 2048 ? body.len : 2048);
    if (!vk_deliver(from, to, (struct sd_span){bytes, sd_wr_len(&out)}, traits))
        return NULL;
    struct sent *s = &sent[w->count++];
    *s = (struct sent){.from = *from,
                       .to = *to,
                       .len = sd_wr_len(&out),
                       .hash = hash(bytes, sd_wr_len(&out)),
                       .who = NOBODY,
                       .traits = traits,
                       .may_get_lost = traits & (VK_HUGE | VK_NAMELESS)};
    return s;
}

static void deliver(struct world *w, const struct fuzz_op *op)
{
    struct sd_addr from, to;
    unsigned who = who_of(op->arg, &from, &to);
    unsigned traits = (op->arg & 32 ? VK_HUGE : 0U) | (op->arg & 64 ? VK_PIECES : 0U) | w->traits;
    const struct client *c = &w->clients[op->arg % CLIENTS];
    if (op->arg & 128 && c->peer) {
        from = c->remote;
        to = c->local;
        who = NOBODY;
    }
    struct sent *s = inject(w, &from, &to, op->data, traits);
    if (s)
        s->who = who;
    w->traits = 0;
}

static void crowd(struct world *w, uint8_t arg)
{
    struct sd_addr from, to;
    for (unsigned i = 0; i < CROWD && i < arg; i++) {
        unsigned who = one_of_crowd(i, &from, &to);
        struct sent *s = inject(w, &from, &to, (struct sd_span){0}, VK_PLAIN);
        if (s)
            s->who = who;
    }
}

/* Called with each socket between bind() and connect(). */
static void in_the_window(void *arg, const struct sd_addr *bound)
{
    struct world *w = arg;
    for (size_t i = 0; i < w->window_count; i++) {
        struct sd_addr from, to;
        unsigned who = who_of(w->window[i] & 15, &from, &to);
        if (from.sa.sa_family != bound->sa.sa_family)
            continue;
        struct sent *s = inject(w, &from, bound, (struct sd_span){0}, VK_NEWEST);
        if (!s)
            continue;
        s->who = sd_addr_eq(&to, bound) ? who : NOBODY;
        s->may_get_lost = sd_addr_port(bound) != LOCAL_PORT;
    }
    w->window_count = 0;
}

/* --- what comes out --- */

static struct sd_peer *expected_peer(const struct world *w, const struct sent *s)
{
    if (s->who != NOBODY)
        return w->peers[s->who];
    for (unsigned i = 0; i < CLIENTS; i++)
        if (w->clients[i].peer && sd_addr_eq(&w->clients[i].remote, &s->from) &&
            sd_addr_eq(&w->clients[i].local, &s->to))
            return w->clients[i].peer;
    for (unsigned i = 0; i < 16; i++) {
        struct sd_addr from, to;
        unsigned who = who_of((uint8_t)i, &from, &to);
        if (sd_addr_eq(&from, &s->from) && sd_addr_eq(&to, &s->to))
            return w->peers[who];
    }
    return NULL;
}

static void check_addresses(const struct world *w, const struct sent *s,
                            const struct sd_received *got)
{
    bool nameless = s->traits & VK_NAMELESS, silent = s->traits & (VK_SILENT | VK_NAMELESS);
    if (nameless)
        fuzz_check(got->peer.sa.sa_family == AF_UNSPEC && !got->to,
                   "a datagram of an unknown sender has a peer");
    else
        fuzz_check(sd_addr_eq(&got->peer, &s->from), "a datagram has another sender");
    if (silent && sd_addr_is_any(&got->local))
        return; /* the kernel did not report the local address */
    fuzz_check(sd_addr_eq(&got->local, &s->to), "a datagram has another local address");
    fuzz_check(nameless || got->to == expected_peer(w, s), "a datagram is given to another peer");
}

static struct sent *check_datagram(struct world *w, const struct sd_received *got)
{
    struct sd_rd r = sd_rd_init(got->data, got->len);
    uint32_t id = sd_rd_u32(&r);
    fuzz_check(!r.bad && id < w->count, "a datagram that nobody sent");
    struct sent *s = &sent[id];
    fuzz_check(!s->seen, "a datagram comes out twice");
    fuzz_check(got->len == s->len && hash(got->data, got->len) == s->hash,
               "a datagram comes out with other bytes");
    check_addresses(w, s, got);
    fuzz_check(got->listener < w->listeners || got->to, "listener %u of %u", got->listener,
               w->listeners);
    s->seen = true;
    w->read++;
    fuzz_note(id);
    return s;
}

static void accept_sender(struct world *w, const struct sent *s, const struct sd_received *from)
{
    if (s->who == NOBODY || !sd_addr_eq(&from->local, &s->to) || !sd_addr_eq(&from->peer, &s->from))
        return;
    struct sd_peer **to = &w->peers[s->who];
    struct sd_peer *p = sd_demux_accept(w->d, from, to);
    fuzz_check(p || w->lossy, "no peer is made, although memory is left");
    if (!p)
        return;
    fuzz_check(sd_addr_eq(sd_peer_remote(p), &from->peer) &&
                   sd_addr_eq(sd_peer_local(p), &from->local) && sd_peer_user(p) == to,
               "a peer with other addresses");
    fuzz_check(sd_demux_accept(w->d, from, NULL) == p, "the same peer is accepted as two");
    *to = p;
    w->own += sd_peer_fd(p) >= 0;
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

static void reply(struct world *w, const struct sd_received *to)
{
    w->sends = 0;
    if (sd_demux_reply(w->d, to, "reply", 5) || !w->sends)
        return;
    fuzz_check(w->sends == 1 && w->last.len == 5, "one reply is sent %u times", w->sends);
    fuzz_check(sd_addr_eq(&w->last_to, &to->peer) && sd_addr_eq(&w->last_from, &to->local),
               "a reply goes to another sender, or leaves from another address");
}

static void take(struct world *w, const struct sd_received *got, bool accepts)
{
    if (got->error) {
        fuzz_check(got->to && !got->data, "an error without a peer, or with data");
        fuzz_note((uint64_t)got->error << 32 | (unsigned)got->limit);
        return;
    }
    const struct sent *s = check_datagram(w, got);
    if (!got->to && accepts)
        accept_sender(w, s, got);
    else if (!got->to)
        reply(w, got);
}

static void next(struct world *w, unsigned max, bool accepts)
{
    struct sd_received got;
    for (unsigned i = 0; i < (max ? max : NEXT_MAX); i++) {
        if (sd_demux_next(w->d, &got, 0) <= 0)
            return;
        take(w, &got, accepts);
    }
    fuzz_check(max, "the reading never ends");
}

static void wait_for_one(struct world *w, uint8_t arg)
{
    struct sd_received got;
    bool armed = w->deadline != SD_NEVER;
    sd_time begin = vk_now();
    int timeout = arg == 255 && armed ? -1 : arg * 2;
    if (timeout < 0)
        vk_mend(); /* a timer that could not be set ends nothing */
    if (sd_demux_next(w->d, &got, timeout) > 0)
        take(w, &got, false);
    sd_time last = timeout < 0 ? w->deadline : begin + (sd_time)timeout * SD_MS;
    fuzz_check(vk_now() <= last + SD_MS || vk_now() == begin, "the demultiplexer waits too long");
}

/* --- what is done to it --- */

static void drop(struct world *w, unsigned who)
{
    if (!w->peers[who])
        return;
    w->own -= sd_peer_fd(w->peers[who]) >= 0;
    sd_demux_close(w->d, w->peers[who]);
    w->peers[who] = NULL;
}

static void close_peer(struct world *w, uint8_t arg)
{
    struct sd_addr from, to;
    unsigned who = who_of(arg, &from, &to);
    struct client *c = &w->clients[arg % CLIENTS];
    if (!(arg & 128) || !c->peer) {
        drop(w, who);
        return;
    }
    for (uint32_t i = 0; i < w->count; i++)
        if (sd_addr_eq(&sent[i].to, &c->local))
            sent[i].may_get_lost = true;
    sd_demux_close(w->d, c->peer);
    c->peer = NULL;
}

static void leave(struct world *w, uint8_t arg)
{
    for (unsigned i = 0; i < CROWD && i < arg; i++)
        drop(w, PAIRS + i);
}

/* A socket that never falls silent is closed all the same, with whatever it still holds. */
static void siege(struct world *w, const struct fuzz_op *op)
{
    unsigned times = op->data.len ? op->data.p[0] % SIEGE_MAX : 0;
    const struct fuzz_op one = {.arg = op->arg & 15};
    w->lossy = true;
    for (unsigned i = 0; i < times; i++) {
        deliver(w, &one);
        deliver(w, &one);
        vk_pass(siege_pause);
        next(w, 1, false);
    }
}

static void note_listeners(struct world *w, unsigned before, int rc)
{
    w->listeners = sd_demux_listeners(w->d);
    fuzz_check(w->listeners == before + !rc, "%u listeners after %u", w->listeners, before);
    fuzz_check(!sd_demux_local(w->d, w->listeners), "a listener after the last one");
}

static void listen_again(struct world *w, uint8_t arg)
{
    static const uint16_t ports[] = {LOCAL_PORT, LOCAL_PORT, LOCAL_PORT + 1, 0};
    struct sd_addr a =
        arg & 2 ? local(arg & 1 ? 2 : 0) : sd_addr_any(arg & 1 ? AF_INET6 : AF_INET, 0);
    unsigned before = sd_demux_listeners(w->d);
    sd_addr_set_port(&a, ports[arg >> 2 & 3]);
    note_listeners(w, before, sd_demux_listen(w->d, &a));
}

static void adopt(struct world *w, uint8_t arg)
{
    struct sd_addr a = sd_addr_any(arg & 1 ? AF_INET6 : AF_INET, arg & 2 ? LOCAL_PORT + 2 : 0);
    unsigned before = sd_demux_listeners(w->d), open = vk_open();
    int fd = vk_adopted(&a, arg & 4 ? 0x10 : 0);
    if (fd < 0)
        return;
    int rc = sd_demux_adopt(w->d, fd);
    if (rc)
        vk_close(fd);
    fuzz_check(vk_open() == open + !rc, "%u descriptors after %u", vk_open(), open);
    note_listeners(w, before, rc);
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
               "a client has no socket, or another address");
}

static struct sd_peer *peer_of(const struct world *w, uint8_t arg)
{
    struct sd_addr from, to;
    unsigned who = who_of(arg, &from, &to);
    return arg & 128 ? w->clients[arg % CLIENTS].peer : w->peers[who];
}

static void send_to(struct world *w, const struct fuzz_op *op)
{
    struct sd_peer *p = peer_of(w, op->arg);
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
               "a datagram leaves with other bytes or addresses");
}

static void icmp(struct world *w, const struct fuzz_op *op)
{
    const struct sd_peer *p = peer_of(w, op->arg);
    if (p && sd_peer_fd(p) >= 0)
        vk_icmp(sd_peer_local(p), sd_peer_remote(p), op->data);
}

static void arm(struct world *w, uint8_t arg)
{
    w->deadline = arg == 255 ? SD_NEVER : arg ? vk_now() + arg * SD_MS : 0;
    sd_demux_arm(w->d, w->deadline);
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
        vk_fault(op->arg, op->data);
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
    case CODE_TRAITS:
        w->traits = op->arg & (VK_EARLY | VK_SILENT | VK_NAMELESS);
        break;
    case CODE_CROWD:
        crowd(w, op->arg);
        break;
    case CODE_LEAVE:
        leave(w, op->arg);
        break;
    case CODE_SIEGE:
        siege(w, op);
        break;
    case CODE_WAIT:
        wait_for_one(w, op->arg);
        break;
    case CODE_ARM:
        arm(w, op->arg);
        break;
    case CODE_ADOPT:
        adopt(w, op->arg);
        break;
    case CODE_UNUSED:
        break;
    }
}

/* --- what must hold --- */

static unsigned live_clients(const struct world *w)
{
    unsigned n = 0;
    for (unsigned i = 0; i < CLIENTS; i++)
        n += w->clients[i].peer != NULL;
    return n;
}

static unsigned live_listeners(const struct world *w)
{
    unsigned n = 0;
    for (unsigned i = 0; i < w->listeners; i++)
        n += sd_demux_local(w->d, i) != NULL;
    return n;
}

static void check_sockets(const struct world *w)
{
    fuzz_check(w->own <= w->max_connected, "%u sockets of peers, at most %zu", w->own,
               w->max_connected);
    fuzz_check(vk_open() >= OWN_FDS + w->own + live_clients(w) + live_listeners(w),
               "%u descriptors for %u peers, %u clients and %u listeners: one is closed too early",
               vk_open(), w->own, live_clients(w), live_listeners(w));
}

static void check_counters(const struct world *w)
{
    uint64_t dropped =
        sd_demux_counter(w->d, SD_NET_TRUNCATED) + sd_demux_counter(w->d, SD_NET_FOREIGN);
    fuzz_check(sd_demux_counter(w->d, SD_NET_RECEIVED) == w->read + dropped,
               "the counters do not add up");
    for (unsigned c = 0; c < SD_NET_COUNTER_COUNT; c++)
        fuzz_note(sd_demux_counter(w->d, c));
}

/* From now on nothing fails, and time passes: everything that was sent is read, and everything that
 * was closed is gone. */
static void settle(struct world *w)
{
    vk_mend();
    fuzz_heap_fail(0);
    sd_demux_arm(w->d, SD_NEVER);
    for (unsigned i = 0; i < 4 || (vk_queued() && i < SENT_MAX); i++) {
        next(w, 0, false);
        vk_pass(settle_pause);
    }
    next(w, 0, false);
    for (uint32_t i = 0; i < w->count && !w->lossy; i++)
        fuzz_check(sent[i].seen || sent[i].may_get_lost, "datagram %u never came out", i);
    unsigned clients = live_clients(w), listeners = live_listeners(w);
    fuzz_check(vk_open() == OWN_FDS + w->own + clients + listeners,
               "%u descriptors for %u peers, %u clients and %u listeners", vk_open(), w->own,
               clients, listeners);
    check_counters(w);
}

static void close_all(struct world *w)
{
    for (unsigned who = 0; who < EVERYBODY; who++)
        drop(w, who);
    for (unsigned i = 0; i < CLIENTS; i++)
        if (w->clients[i].peer)
            sd_demux_close(w->d, w->clients[i].peer);
    sd_demux_free(w->d);
}

/* The data of a configuration: which allocation fails, a larger max_connected, options, and a fault
 * from the beginning (as for vk_fault()). */
static void configure(struct world *w, struct sd_demux_config *config, const struct fuzz_op *op)
{
    struct sd_rd r = sd_rd_init(op->data.p, op->data.len);
    unsigned fail = sd_rd_u8(&r) % 8U;
    config->max_connected = (op->arg & 7U) + sd_rd_u8(&r);
    config->take_over = op->arg & 8;
    config->interface = op->arg & 16 ? "veth0" : NULL;
    unsigned options = sd_rd_u8(&r);
    config->rcvbuf = options & OPTION_RCVBUF ? 65536 : 0;
    if (options & OPTION_LONG_NAME)
        config->interface = "longer than any can be";
    if (options & OPTION_IN_VAIN)
        vk_connects_in_vain();
    struct sd_span rest = sd_rd_rest(&r);
    if (rest.len)
        vk_fault(rest.p[0], (struct sd_span){rest.p + 1, rest.len - 1});
    w->lossy = op->arg & 32;
    fuzz_heap_fail(w->lossy ? 1 + fail : 0);
}

static bool begin(struct world *w, struct sd_rd *in)
{
    struct sd_rd peek = *in;
    struct fuzz_op op;
    struct sd_demux_config config = {
        .max_connected = 4, .test_between_bind_and_connect = in_the_window, .test_arg = w};
    if (fuzz_op_next(&peek, &op) && op.code == CODE_CONFIG) {
        *in = peek;
        configure(w, &config, &op);
    }
    w->max_connected = config.max_connected;
    w->deadline = SD_NEVER;
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
