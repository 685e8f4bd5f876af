/* SPDX-License-Identifier: MIT */
/* lib/net under load: every datagram that is sent is accounted for, once, by
 * the peer it belongs to, while peers come and go all the time. */
#include "net_tools.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    SENDERS = 48,
    STRANGERS = 16, /* of those: never accepted */
    EACH = 700,     /* datagrams of each sender */
    LIFE = 20,      /* datagrams until a peer is closed, to be accepted anew */
    WINDOW = 200,   /* sent but not received yet, so that the kernel drops none */
    HOOKED = 40000, /* most datagrams sent from within the hook */
    QUIET_MS = 2000
};

struct mark {
    uint32_t sender, seq;
};

struct flood {
    int fd[SENDERS + 1]; /* the last one sends from the hook */
    struct sd_addr to;
    atomic_uint sent, received;
    atomic_bool done;

    struct sd_demux *demux[2]; /* the second one takes over in the restart test */
    struct sd_peer *peer[SENDERS];
    unsigned life[SENDERS];
    unsigned hooked;
    uint8_t seen[SENDERS][EACH], seen_hooked[HOOKED];
    unsigned wrong, twice;
    bool refuse; /* peers whose connect() fails */
    unsigned refused;
};

struct verdict {
    unsigned lost, wrong, twice;
    uint64_t redispatched, connected, shared, failed, overflow;
};

static void send_mark(struct flood *f, uint32_t sender, uint32_t seq)
{
    const struct mark m = {sender, seq};
    ssize_t n = sendto(f->fd[sender], &m, sizeof m, 0, &f->to.sa, sd_addr_len(&f->to));
    if (n == (ssize_t)sizeof m)
        atomic_fetch_add(&f->sent, 1);
}

static void *send_all(void *arg)
{
    struct flood *f = arg;
    for (uint32_t seq = 0; seq < EACH; seq++) {
        for (uint32_t i = 0; i < SENDERS; i++) {
            while (atomic_load(&f->sent) - atomic_load(&f->received) > WINDOW)
                sched_yield();
            send_mark(f, i, seq);
        }
    }
    atomic_store(&f->done, true);
    return NULL;
}

/* In the critical moment somebody unknown sends, from a new port each time so
 * that the kernel's hash does not always choose the listener. */
static void send_in_the_window(void *arg, const struct sd_addr *bound)
{
    struct flood *f = arg;
    struct sd_addr any = *bound;
    sd_addr_set_port(&any, 0);
    if (f->hooked == HOOKED)
        return;
    int fd = socket(any.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !bind(fd, &any.sa, sd_addr_len(&any))) {
        f->fd[SENDERS] = fd;
        send_mark(f, SENDERS, f->hooked++);
    }
    if (fd >= 0)
        close(fd);
}

static void note(struct flood *f, const struct mark *m)
{
    uint8_t *seen = m->sender == SENDERS ? &f->seen_hooked[m->seq] : &f->seen[m->sender][m->seq];
    f->twice += *seen;
    *seen = 1;
    atomic_fetch_add(&f->received, 1);
}

/* A peer that no socket can be connected to: broadcast is refused to sockets
 * that did not ask for it, and a mapped address to an IPv6-only one. */
static void accept_unconnectable(struct flood *f, struct sd_demux *d, struct sd_received got)
{
    got.peer = got.peer.sa.sa_family == AF_INET ? addr_of("255.255.255.255", 9)
                                                : addr_of("::ffff:127.0.0.1", 9);
    struct sd_peer *p = sd_demux_accept(d, &got, NULL);
    assert_non_null(p);
    assert_int_equal(sd_peer_fd(p), -1);
    sd_demux_close(d, p);
    f->refused++;
}

static void handle(struct flood *f, struct sd_demux *d, const struct sd_received *got)
{
    struct mark m;
    assert_int_equal(got->error, 0);
    assert_int_equal(got->len, sizeof m);
    memcpy(&m, got->data, sizeof m);
    note(f, &m);
    struct sd_peer *mine = m.sender < SENDERS ? f->peer[m.sender] : NULL;
    if (got->to != mine) {
        f->wrong++;
        return;
    }
    if (m.sender >= SENDERS - STRANGERS)
        return;
    if (f->refuse && m.seq % LIFE == 0) {
        accept_unconnectable(f, d, *got);
    } else if (!f->refuse && !mine) {
        f->peer[m.sender] = sd_demux_accept(d, got, NULL);
        f->life[m.sender] = LIFE + m.sender % 7;
    } else if (mine && !--f->life[m.sender]) {
        sd_demux_close(d, mine);
        f->peer[m.sender] = NULL;
    }
}

static void start(struct flood *f, const char *ip, const struct sd_demux_config *config)
{
    memset(f, 0, sizeof *f);
    struct sd_demux_config c = *config;
    c.test_between_bind_and_connect = send_in_the_window;
    c.test_arg = f;
    f->demux[0] = new_demux(&c);
    f->to = listen_on(f->demux[0], ip);
    for (unsigned i = 0; i < SENDERS; i++)
        f->fd[i] = sender(ip);
}

static void stop(struct flood *f)
{
    for (unsigned i = 0; i < SENDERS; i++) {
        if (f->peer[i])
            sd_demux_close(f->demux[0], f->peer[i]);
        close(f->fd[i]);
    }
    sd_demux_free(f->demux[0]);
    sd_demux_free(f->demux[1]);
}

static bool all_is_there(struct flood *f)
{
    return atomic_load(&f->done) && atomic_load(&f->received) == atomic_load(&f->sent);
}

/* Until all has come, or nothing came for so long that it is lost. What is lost
 * would also close the window: it is forgiven, to be counted at the end. */
static unsigned receive_all(struct flood *f, int quiet_ms)
{
    unsigned lost = 0;
    struct sd_received got;
    while (!all_is_there(f)) {
        if (sd_demux_next(f->demux[0], &got, quiet_ms) > 0) {
            handle(f, f->demux[0], &got);
            continue;
        }
        unsigned missing = atomic_load(&f->sent) - atomic_load(&f->received);
        lost += missing;
        atomic_fetch_add(&f->received, missing);
    }
    return lost;
}

static struct verdict run(const char *ip, const struct sd_demux_config *config, bool refuse,
                          int quiet_ms)
{
    struct flood *f = malloc(sizeof *f);
    assert_non_null(f);
    start(f, ip, config);
    f->refuse = refuse;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_all, f), 0);
    struct verdict v = {.lost = receive_all(f, quiet_ms)};
    pthread_join(thread, NULL);
    const struct sd_demux *d = f->demux[0];
    v.wrong = f->wrong;
    v.twice = f->twice;
    v.redispatched = sd_demux_counter(d, SD_NET_REDISPATCHED);
    v.connected = sd_demux_counter(d, SD_NET_CONNECTED);
    v.shared = sd_demux_counter(d, SD_NET_SHARED);
    v.failed = sd_demux_counter(d, SD_NET_SOCKET_FAILED);
    v.overflow = sd_demux_counter(d, SD_NET_OVERFLOW);
    print_message("%-9s max_connected %zu: lost %u wrong %u twice %u redispatched %llu "
                  "connected %llu shared %llu failed %llu\n",
                  ip, config->max_connected, v.lost, v.wrong, v.twice,
                  (unsigned long long)v.redispatched, (unsigned long long)v.connected,
                  (unsigned long long)v.shared, (unsigned long long)v.failed);
    stop(f);
    free(f);
    return v;
}

static void expect_exact(const struct verdict *v)
{
    assert_int_equal(v->overflow, 0);
    assert_int_equal(v->lost, 0);
    assert_int_equal(v->wrong, 0);
    assert_int_equal(v->twice, 0);
}

static const char *const families[] = {"127.0.0.1", "::1"};

static void all_arrives_when_each_peer_has_a_socket(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct verdict v =
            run(families[i], &(struct sd_demux_config){.max_connected = 1000}, false, QUIET_MS);
        expect_exact(&v);
        assert_int_equal(v.shared, 0);
        assert_true(v.redispatched > 0); /* the race did happen */
    }
}

static void all_arrives_when_some_peers_share_the_listener(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct verdict v =
            run(families[i], &(struct sd_demux_config){.max_connected = 10}, false, QUIET_MS);
        expect_exact(&v);
        assert_true(v.shared > 0 && v.connected > 0);
        assert_int_equal(v.failed, 0);
    }
}

static void all_arrives_when_all_peers_share_the_listener(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct verdict v = run(families[i], &(struct sd_demux_config){0}, false, QUIET_MS);
        expect_exact(&v);
        assert_int_equal(v.connected, 0);
        assert_int_equal(v.redispatched, 0);
    }
}

static void nothing_is_lost_with_a_socket_that_cannot_be_connected(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct verdict v =
            run(families[i], &(struct sd_demux_config){.max_connected = 1000}, true, QUIET_MS);
        expect_exact(&v);
        assert_true(v.failed > 100);
        assert_int_equal(v.failed, v.shared);
        assert_true(v.redispatched > 0);
    }
}

/* The negative controls: without the safeguards the same runs must fail. */
static void without_the_source_check_datagrams_reach_the_wrong_peer(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct verdict v =
            run(families[i],
                &(struct sd_demux_config){.max_connected = 1000, .test_trust_kernel = true}, false,
                QUIET_MS);
        assert_true(v.wrong > 0);
    }
}

static void without_the_drain_a_closed_socket_takes_datagrams_with_it(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct verdict v = run(
            families[i], &(struct sd_demux_config){.max_connected = 1000, .test_plain_close = true},
            true, 100);
        assert_true(v.lost > 0);
        assert_int_equal(v.overflow, 0);
    }
}

/* A restart: peers 0..15 are with the old server; a new one listens on the same
 * port after a third of the datagrams, the old one retires after two thirds. */
struct restart {
    unsigned received[2];
    unsigned old_after_handover;
    bool listening, retired;
};

static void step(struct flood *f, struct restart *r)
{
    unsigned third = SENDERS * EACH / 3, n = atomic_load(&f->received);
    if (!r->listening && n > third) {
        r->listening = true;
        assert_int_equal(sd_demux_listen(f->demux[1], &f->to), 0);
    } else if (!r->retired && n > 2 * third) {
        r->retired = true;
        sd_demux_retire(f->demux[0], 0);
    }
}

static bool pump(struct flood *f, struct restart *r, unsigned which)
{
    struct sd_received got;
    struct mark m;
    bool any = false;
    while (sd_demux_next(f->demux[which], &got, 0) > 0) {
        any = true;
        assert_int_equal(got.len, sizeof m);
        memcpy(&m, got.data, sizeof m);
        note(f, &m);
        r->received[which]++;
        bool old_peer = m.sender < 16;
        if (old_peer && !f->peer[m.sender] && which == 0)
            f->peer[m.sender] = sd_demux_accept(f->demux[0], &got, NULL);
        else if (got.to != (old_peer ? f->peer[m.sender] : NULL) || (old_peer && which))
            f->wrong++;
        step(f, r);
    }
    return any;
}

static void a_restart_loses_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct flood *f = malloc(sizeof *f);
        struct restart r = {0};
        assert_non_null(f);
        start(f, families[i], &(struct sd_demux_config){.max_connected = 1000});
        f->demux[1] =
            new_demux(&(struct sd_demux_config){.max_connected = 1000, .take_over = true});
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, send_all, f), 0);
        sd_time quiet = sd_clock_now() + QUIET_MS * SD_MS;
        while (!all_is_there(f) && sd_clock_now() < quiet) {
            bool any = pump(f, &r, 0);
            if (pump(f, &r, 1) || any)
                quiet = sd_clock_now() + QUIET_MS * SD_MS;
            else
                sched_yield();
        }
        unsigned missing = atomic_load(&f->sent) - atomic_load(&f->received);
        atomic_store(&f->received, atomic_load(&f->sent));
        print_message("%-9s restart: missing %u wrong %u old %u new %u\n", families[i], missing,
                      f->wrong, r.received[0], r.received[1]);
        assert_int_equal(missing, 0);
        pthread_join(thread, NULL);
        assert_int_equal(f->wrong, 0);
        assert_int_equal(f->twice, 0);
        assert_true(r.received[1] > 0);
        assert_null(sd_demux_local(f->demux[0], 0));
        stop(f);
        free(f);
    }
}

/* Nine datagrams wait in the listener's queue when it retires. */
static unsigned left_after_retiring(bool plain_close)
{
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.test_plain_close = plain_close});
    struct sd_addr at = listen_on(d, "0.0.0.0"), to = addr_of("127.0.0.1", sd_addr_port(&at));
    int fd = sender("127.0.0.1");
    for (int i = 0; i < 9; i++)
        send_text(fd, &to, "waiting");
    sd_demux_retire(d, 0);
    assert_null(sd_demux_local(d, 0));
    struct sd_received got = {.peer = to, .local = to};
    unsigned n = 0;
    while (sd_demux_next(d, &got, 50) > 0)
        n++;
    assert_int_equal(sd_demux_reply(d, &got, "gone", 4), -ENOTCONN);
    sd_demux_free(d);
    close(fd);
    return n;
}

static void a_retired_listener_delivers_its_queue_and_closes(void **state)
{
    (void)state;
    assert_int_equal(left_after_retiring(false), 9);
    assert_int_equal(left_after_retiring(true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_arrives_when_each_peer_has_a_socket),
        cmocka_unit_test(all_arrives_when_some_peers_share_the_listener),
        cmocka_unit_test(all_arrives_when_all_peers_share_the_listener),
        cmocka_unit_test(nothing_is_lost_with_a_socket_that_cannot_be_connected),
        cmocka_unit_test(without_the_source_check_datagrams_reach_the_wrong_peer),
        cmocka_unit_test(without_the_drain_a_closed_socket_takes_datagrams_with_it),
        cmocka_unit_test(a_restart_loses_nothing),
        cmocka_unit_test(a_retired_listener_delivers_its_queue_and_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
