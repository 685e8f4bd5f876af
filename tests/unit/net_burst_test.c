/* SPDX-License-Identifier: MIT */
/* lib/net: how many datagrams one call reads, and what becomes of a batch under way. */
#include "net_tools.h"

#include <sys/epoll.h>

#include "net/internal.h"

static unsigned waits, reads;

int __real_epoll_wait(int epoll, struct epoll_event *ev, int max, int timeout);
int __real_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout);

int __wrap_epoll_wait(int epoll, struct epoll_event *ev, int max, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *ev, int max, int timeout)
{
    waits++;
    return __real_epoll_wait(epoll, ev, max, timeout);
}

int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
    reads++;
    return __real_recvmmsg(fd, m, n, flags, timeout);
}

/* A server's demux with one peer. */
struct scene {
    struct sd_demux *d;
    struct sd_addr at;
    int fd;
    struct sd_peer *p;
};

static struct scene open_scene(size_t max_connected)
{
    struct scene s = {.d = new_demux(&(struct sd_demux_config){.max_connected = max_connected}),
                      .fd = sender("127.0.0.1")};
    struct sd_received got;
    s.at = listen_on(s.d, "127.0.0.1");
    send_text(s.fd, &s.at, "hello");
    got = next_datagram(s.d);
    s.p = sd_demux_accept(s.d, &got, NULL);
    assert_int_equal(sd_demux_next(s.d, &got, 0), 0);
    return s;
}

static void close_scene(struct scene *s)
{
    if (s->p)
        sd_demux_close(s->d, s->p);
    sd_demux_free(s->d);
    close(s->fd);
}

/* Numbered ones; of each the first bytes are its number. */
static void send_numbered(const struct scene *s, unsigned from, unsigned n, size_t size)
{
    static uint8_t data[SD_SLOT];
    for (unsigned i = from; i < from + n; i++) {
        memcpy(data, &i, sizeof i);
        send_bytes(s->fd, &s->at, data, size);
    }
}

static void expect_numbered(const struct scene *s, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++) {
        struct sd_received got = next_datagram(s->d);
        assert_ptr_equal(got.to, s->p);
        assert_memory_equal(got.data, &i, sizeof i);
    }
}

/* The calls for many that wait, after the first few. */
static void few_calls_read_many(size_t max_connected)
{
    enum { FIRST = 64, N = 192 };
    struct scene s = open_scene(max_connected);
    send_numbered(&s, 0, FIRST + N, 200);
    expect_numbered(&s, 0, FIRST);
    waits = reads = 0;
    expect_numbered(&s, FIRST, N);
    assert_in_range(waits, 0, N / SD_BATCH + 1);
    assert_in_range(reads, N / SD_BATCH, N / SD_BATCH + 1);
    close_scene(&s);
}

static void a_busy_peers_socket_is_read_in_batches(void **state)
{
    (void)state;
    few_calls_read_many(8);
}

static void so_is_a_listener_with_a_peer(void **state)
{
    (void)state;
    few_calls_read_many(0);
}

/* Then one call finds it, and looks for no second one at least every other time. */
static void who_sends_one_at_a_time_is_asked_for_few(void **state)
{
    (void)state;
    enum { N = 20 };
    struct scene s = open_scene(8);
    waits = reads = 0;
    for (unsigned i = 0; i < N; i++) {
        send_numbered(&s, i, 1, 200);
        expect_numbered(&s, i, 1);
        assert_in_range(s.p->own->burst, 1, 2);
    }
    assert_int_equal(reads, N);
    assert_int_equal(waits, N);
    close_scene(&s);
}

/* What comes out although the peer is held has to be kept by somebody. */
static void large_datagrams_make_small_batches(void **state)
{
    (void)state;
    enum { N = 60, SIZE = 7000 };
    struct scene s = open_scene(8);
    send_numbered(&s, 0, N, SIZE);
    for (unsigned i = 0; i < N; i++) {
        expect_numbered(&s, i, 1);
        assert_in_range(sd_peer_batch(s.p), 0, SD_PEER_BYTES - SIZE);
    }
    close_scene(&s);
}

static void nobody_waits_for_the_end_of_a_flood_of_another_peer(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct scene s = open_scene(8);
    int fd = sender("127.0.0.1");
    send_text(fd, &s.at, "hello");
    struct sd_received got = next_datagram(s.d);
    struct sd_peer *other = sd_demux_accept(s.d, &got, NULL);
    send_numbered(&s, 0, N, 200);
    expect_numbered(&s, 0, 200); /* the batches are large now */
    send_text(fd, &s.at, "quiet");
    unsigned before = 0;
    while (got = next_datagram(s.d), got.to != other)
        before++;
    assert_in_range(before, 0, 3 * SD_BATCH);
    sd_demux_close(s.d, other);
    close(fd);
    close_scene(&s);
}

static void what_was_read_comes_out_although_the_peer_is_held(void **state)
{
    (void)state;
    enum { N = 40, SIZE = 300 };
    struct scene s = open_scene(8);
    struct sd_received got;
    send_numbered(&s, 0, N, SIZE);
    unsigned n = 4;
    expect_numbered(&s, 0, n);
    size_t left = sd_peer_batch(s.p);
    assert_true(left >= SIZE);
    sd_peer_hold(s.p, true);
    expect_numbered(&s, n, (unsigned)(left / SIZE));
    assert_int_equal(sd_peer_batch(s.p), 0);
    assert_int_equal(sd_demux_next(s.d, &got, 20), 0);
    n += (unsigned)(left / SIZE);
    sd_peer_hold(s.p, false);
    expect_numbered(&s, n, N - n);
    close_scene(&s);
}

/* A client's socket: what it read is of nobody then, and no stranger's either. */
static void a_closed_clients_batch_is_dropped(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_addr at, source = addr_of("127.0.0.1", 0);
    struct sd_peer *p = NULL;
    struct sd_received got;
    socklen_t len = sizeof at;
    int server = sender("127.0.0.1");
    assert_int_equal(getsockname(server, &at.sa, &len), 0);
    assert_int_equal(sd_demux_connect(d, &at, &source, NULL, &p), 0);
    for (int i = 0; i < 8; i++)
        send_text(server, sd_peer_local(p), "data");
    while (!sd_peer_batch(p))
        next_datagram(d);
    sd_demux_close(d, p);
    assert_true(sd_demux_pending(d));
    assert_int_equal(sd_demux_next(d, &got, 0), 0);
    assert_true(sd_demux_counter(d, SD_NET_FOREIGN) > 0);
    sd_demux_free(d);
    close(server);
}

static void a_roused_descriptor_is_readable_until_nothing_is_found(void **state)
{
    (void)state;
    struct scene s = open_scene(8);
    struct sd_received got;
    assert_false(readable(s.d, 0));
    sd_demux_rouse(s.d);
    assert_true(readable(s.d, 0));
    send_numbered(&s, 0, 1, 200);
    assert_int_equal(sd_demux_next(s.d, &got, 0), 1);
    assert_true(readable(s.d, 0)); /* it may have been roused for something else */
    assert_int_equal(sd_demux_next(s.d, &got, 0), 0);
    assert_false(readable(s.d, 0));
    close_scene(&s);
}

static void who_waits_is_not_kept_from_it(void **state)
{
    (void)state;
    struct scene s = open_scene(8);
    struct sd_received got;
    sd_demux_rouse(s.d);
    waits = 0;
    assert_int_equal(sd_demux_next(s.d, &got, 20), 0);
    assert_in_range(waits, 1, 2);
    assert_false(readable(s.d, 0));
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_peers_socket_is_read_in_batches),
        cmocka_unit_test(so_is_a_listener_with_a_peer),
        cmocka_unit_test(who_sends_one_at_a_time_is_asked_for_few),
        cmocka_unit_test(large_datagrams_make_small_batches),
        cmocka_unit_test(nobody_waits_for_the_end_of_a_flood_of_another_peer),
        cmocka_unit_test(what_was_read_comes_out_although_the_peer_is_held),
        cmocka_unit_test(a_closed_clients_batch_is_dropped),
        cmocka_unit_test(a_roused_descriptor_is_readable_until_nothing_is_found),
        cmocka_unit_test(who_waits_is_not_kept_from_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
