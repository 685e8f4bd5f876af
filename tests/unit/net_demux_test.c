/* SPDX-License-Identifier: MIT */
/* lib/net: accept, reply, connect, close over loopback. */
#include "net_tools.h"

#include <fcntl.h>

#include "net/internal.h"

static void a_first_datagram_is_unknown_and_a_second_belongs_to_its_peer(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1");
    send_text(fd, &at, "hello");
    struct sd_received got = next_datagram(d);
    assert_null(got.to);
    assert_int_equal(got.len, 5);
    assert_memory_equal(got.data, "hello", 5);
    assert_true(sd_addr_eq(&got.local, &at));
    assert_int_equal(sd_demux_reply(d, &got, "who?", 4), 0);
    expect_text(fd, "who?");
    struct sd_peer *p = sd_demux_accept(d, &got, &at);
    assert_non_null(p);
    assert_true(sd_peer_fd(p) >= 0);
    assert_ptr_equal(sd_peer_user(p), &at);
    assert_int_equal(sd_peer_send(p, "welcome", 7), 0);
    expect_text(fd, "welcome");
    send_text(fd, &at, "again");
    got = next_datagram(d);
    assert_ptr_equal(got.to, p);
    assert_memory_equal(got.data, "again", 5);
    assert_true(sd_peer_route_payload(p) > 1200);
    sd_demux_close(d, p);
    send_text(fd, &at, "after");
    got = next_datagram(d);
    assert_null(got.to);
    sd_demux_free(d);
    close(fd);
}

static void a_duplicate_first_datagram_makes_no_second_peer(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at = listen_on(d, "::1");
    int fd = sender("::1");
    send_text(fd, &at, "hello");
    send_text(fd, &at, "hello");
    struct sd_received first = next_datagram(d);
    struct sd_peer *p = sd_demux_accept(d, &first, NULL);
    struct sd_received second = next_datagram(d);
    assert_ptr_equal(second.to, p);
    assert_ptr_equal(sd_demux_accept(d, &first, &at), p);
    assert_null(sd_peer_user(p));
    assert_int_equal(sd_demux_counter(d, SD_NET_CONNECTED), 1);
    sd_demux_close(d, p);
    sd_demux_free(d);
    close(fd);
}

/* What was read before the close, and what was not read yet. */
static void a_closed_peers_datagrams_come_out_as_unknown(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1");
    for (int i = 0; i < 3; i++)
        send_text(fd, &at, "early");
    struct sd_received got = next_datagram(d);
    struct sd_peer *p = sd_demux_accept(d, &got, NULL);
    for (int i = 0; i < 3; i++)
        send_text(fd, &at, "later");
    sd_demux_close(d, p);
    for (int i = 0; i < 5; i++) {
        got = next_datagram(d);
        assert_null(got.to);
        assert_true(sd_addr_eq(&got.local, &at));
        assert_int_equal(got.listener, 0);
        assert_memory_equal(got.data, i < 2 ? "early" : "later", 5);
    }
    sd_demux_free(d);
    close(fd);
}

static void send_numbers(int fd, const struct sd_addr *to, uint32_t from, uint32_t until)
{
    for (uint32_t i = from; i < until; i++)
        send_bytes(fd, to, &i, sizeof i);
}

/* The first 100 are on the listener, the others on the peer's socket. */
static void a_peers_datagrams_keep_their_order_across_the_accept(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1");
    send_numbers(fd, &at, 0, 100);
    struct sd_received got = next_datagram(d);
    struct sd_peer *p = sd_demux_accept(d, &got, NULL);
    send_numbers(fd, &at, 100, 200);
    for (uint32_t i = 1; i < 200; i++) {
        got = next_datagram(d);
        assert_ptr_equal(got.to, p);
        assert_memory_equal(got.data, &i, sizeof i);
    }
    assert_int_equal(sd_demux_counter(d, SD_NET_REDISPATCHED), 0);
    sd_demux_close(d, p);
    sd_demux_free(d);
    close(fd);
}

/* How many datagrams of `busy` are delivered before the one of `quiet`. */
static int turns_until(struct sd_demux *d, const char *quiet)
{
    for (int i = 0;; i++) {
        struct sd_received got = next_datagram(d);
        if (got.len == strlen(quiet) && !memcmp(got.data, quiet, got.len))
            return i;
    }
}

static void nobody_is_starved_by_a_full_queue(void **state)
{
    (void)state;
    enum { MANY = 500, A_FEW = 70 };
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1"), other = sender("127.0.0.1");
    send_text(fd, &at, "hello");
    struct sd_received got = next_datagram(d);
    struct sd_peer *p = sd_demux_accept(d, &got, NULL);
    send_numbers(fd, &at, 0, MANY);
    send_text(other, &at, "stranger");
    assert_true(turns_until(d, "stranger") < A_FEW);
    while (sd_demux_next(d, &got, 0) > 0)
        ;
    send_numbers(other, &at, 0, MANY);
    send_text(fd, &at, "the peer");
    assert_true(turns_until(d, "the peer") < A_FEW);
    sd_demux_close(d, p);
    sd_demux_free(d);
    close(fd);
    close(other);
}

static unsigned open_fds(void)
{
    unsigned n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void unknown_datagrams_cost_no_descriptor(void **state)
{
    (void)state;
    enum { BURST = 100, BURSTS = 1000 };
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1");
    unsigned before = open_fds();
    for (int i = 0; i < BURSTS; i++) {
        for (int k = 0; k < BURST; k++)
            send_text(fd, &at, "spoofed");
        for (int k = 0; k < BURST; k++)
            assert_null(next_datagram(d).to);
    }
    assert_int_equal(open_fds(), before);
    assert_int_equal(sd_demux_counter(d, SD_NET_RECEIVED), BURST * BURSTS);
    assert_int_equal(sd_demux_counter(d, SD_NET_OVERFLOW), 0);
    sd_demux_free(d);
    close(fd);
}

struct crowd {
    int fd[16];
    struct sd_peer *peer[16];
};

static void expect_echo(struct sd_demux *d, struct crowd *c, const struct sd_addr *at, int i)
{
    char text[16];
    snprintf(text, sizeof text, "from %d", i);
    send_text(c->fd[i], at, text);
    struct sd_received got = next_datagram(d);
    assert_ptr_equal(got.to, c->peer[i]);
    assert_int_equal(sd_peer_send(got.to, got.data, got.len), 0);
    struct sd_addr from = expect_text(c->fd[i], text);
    assert_true(sd_addr_eq(&from, at));
}

static void peers_above_the_limit_are_served_from_the_listener(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    struct crowd c;
    for (int i = 0; i < 16; i++) {
        c.fd[i] = sender("127.0.0.1");
        send_text(c.fd[i], &at, "hello");
        struct sd_received got = next_datagram(d);
        c.peer[i] = sd_demux_accept(d, &got, NULL);
        assert_int_equal(sd_peer_fd(c.peer[i]) >= 0, i < 8);
        assert_true(sd_peer_route_payload(c.peer[i]) > 0);
    }
    for (int i = 0; i < 16; i++)
        expect_echo(d, &c, &at, i);
    assert_int_equal(sd_demux_counter(d, SD_NET_CONNECTED), 8);
    assert_int_equal(sd_demux_counter(d, SD_NET_SHARED), 8);
    assert_int_equal(sd_demux_counter(d, SD_NET_SOCKET_FAILED), 0);
    /* A place that became free is taken again. */
    sd_demux_close(d, c.peer[3]);
    sd_demux_close(d, c.peer[15]);
    send_text(c.fd[15], &at, "hello");
    struct sd_received got = next_datagram(d);
    assert_null(got.to);
    c.peer[15] = sd_demux_accept(d, &got, NULL);
    assert_true(sd_peer_fd(c.peer[15]) >= 0);
    expect_echo(d, &c, &at, 15);
    for (int i = 0; i < 16; i++) {
        if (i != 3)
            sd_demux_close(d, c.peer[i]);
        close(c.fd[i]);
    }
    sd_demux_free(d);
}

static void an_armed_deadline_wakes_the_call_and_the_descriptor(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_received got;
    assert_false(readable(d, 0));
    sd_demux_arm(d, sd_clock_now() + 5 * SD_MS);
    assert_int_equal(sd_demux_next(d, &got, -1), 0);
    assert_true(readable(d, 0)); /* until another deadline is set */
    assert_int_equal(sd_demux_next(d, &got, -1), 0);
    sd_demux_arm(d, SD_NEVER);
    assert_false(readable(d, 0));
    assert_int_equal(sd_demux_next(d, &got, 0), 0);
    assert_int_equal(sd_demux_next(d, &got, 1), 0);
    sd_demux_arm(d, 1);
    assert_true(readable(d, DEADLINE_MS));
    /* Moved away: at most one wake-up too early, then silence. */
    sd_demux_arm(d, sd_clock_now() + 3600 * SD_SEC);
    assert_int_equal(sd_demux_next(d, &got, 0), 0);
    assert_false(readable(d, 0));
    sd_demux_free(d);
}

static void datagrams_are_delivered_although_a_deadline_has_passed(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1");
    send_text(fd, &at, "one");
    send_text(fd, &at, "two");
    sd_demux_arm(d, 1);
    assert_true(readable(d, DEADLINE_MS));
    assert_memory_equal(next_datagram(d).data, "one", 3);
    assert_memory_equal(next_datagram(d).data, "two", 3);
    sd_demux_free(d);
    close(fd);
}

static void a_client_talks_to_its_server_only(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    int server = sender("127.0.0.1");
    struct sd_addr at, source = addr_of("127.0.0.1", 0);
    socklen_t len = sizeof at;
    assert_int_equal(getsockname(server, &at.sa, &len), 0);
    struct sd_peer *p = NULL;
    assert_int_equal(sd_demux_connect(d, &at, &source, d, &p), 0);
    assert_ptr_equal(sd_peer_user(p), d);
    assert_true(sd_addr_eq(sd_peer_remote(p), &at));
    assert_true(sd_addr_port(sd_peer_local(p)) != 0);
    assert_int_equal(sd_peer_send(p, "hello", 5), 0);
    struct sd_addr from = expect_text(server, "hello");
    assert_true(sd_addr_eq(&from, sd_peer_local(p)));
    send_text(server, &from, "answer");
    struct sd_received got = next_datagram(d);
    assert_ptr_equal(got.to, p);
    assert_memory_equal(got.data, "answer", 6);
    sd_demux_close(d, p);
    sd_demux_free(d);
    close(server);
}

static void send_foreign(void *arg, const struct sd_addr *bound)
{
    send_text(*(int *)arg, bound, "forged");
}

/* connect() does not empty the queue: what a stranger sent before is readable. */
static void a_client_drops_what_a_stranger_sent_before_the_connect(void **state)
{
    (void)state;
    int server = sender("127.0.0.1"), stranger = sender("127.0.0.1");
    struct sd_addr at, source = addr_of("127.0.0.1", 0);
    socklen_t len = sizeof at;
    assert_int_equal(getsockname(server, &at.sa, &len), 0);
    for (int trust = 0; trust < 2; trust++) {
        struct sd_demux *d =
            new_demux(&(struct sd_demux_config){.test_between_bind_and_connect = send_foreign,
                                                .test_arg = &stranger,
                                                .test_trust_kernel = trust});
        struct sd_peer *p = NULL;
        assert_int_equal(sd_demux_connect(d, &at, &source, NULL, &p), 0);
        send_text(server, sd_peer_local(p), "answer");
        struct sd_received got = next_datagram(d);
        assert_memory_equal(got.data, trust ? "forged" : "answer", 6);
        assert_int_equal(sd_demux_counter(d, SD_NET_FOREIGN), !trust);
        sd_demux_close(d, p);
        sd_demux_free(d);
    }
    close(server);
    close(stranger);
}

static void a_datagram_too_large_to_send_is_refused_at_once(void **state)
{
    (void)state;
    static const uint8_t big[70000];
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 1});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd[2];
    for (int i = 0; i < 2; i++) { /* one connected, one shared */
        fd[i] = sender("127.0.0.1");
        send_text(fd[i], &at, "hello");
        struct sd_received got = next_datagram(d);
        struct sd_peer *p = sd_demux_accept(d, &got, NULL);
        assert_int_equal(sd_peer_send(p, big, sizeof big), -EMSGSIZE);
        assert_int_equal(sd_peer_send(p, "small", 5), 0);
        expect_text(fd[i], "small");
        send_text(fd[i], &at, "again");
        got = next_datagram(d);
        assert_int_equal(got.error, 0);
        assert_ptr_equal(got.to, p);
    }
    assert_int_equal(sd_demux_counter(d, SD_NET_SEND_FAILED), 2);
    for (int i = 0; i < 2; i++) {
        struct sd_received from = {.local = at};
        socklen_t len = sizeof from.peer;
        assert_int_equal(getsockname(fd[i], &from.peer.sa, &len), 0);
        sd_demux_close(d, sd_demux_accept(d, &from, NULL));
        close(fd[i]);
    }
    sd_demux_free(d);
}

static void the_largest_record_fits_and_more_is_counted(void **state)
{
    (void)state;
    static const uint8_t big[30000];
    enum { LARGEST_RECORD = 13 + 16384 + 2048 };
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1");
    send_bytes(fd, &at, big, sizeof big);
    send_bytes(fd, &at, big, LARGEST_RECORD);
    assert_int_equal(next_datagram(d).len, LARGEST_RECORD);
    assert_int_equal(sd_demux_counter(d, SD_NET_TRUNCATED), 1);
    sd_demux_free(d);
    close(fd);
}

static void a_full_queue_is_counted(void **state)
{
    (void)state;
    enum { SENT = 2000 };
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.rcvbuf = 20000});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1");
    struct sd_received got;
    for (int i = 0; i < SENT; i++)
        send_text(fd, &at, "drop me");
    while (sd_demux_next(d, &got, 0) > 0)
        ;
    send_text(fd, &at, "the count comes with the next one");
    next_datagram(d);
    uint64_t lost = sd_demux_counter(d, SD_NET_OVERFLOW);
    assert_true(lost > 0);
    assert_int_equal(sd_demux_counter(d, SD_NET_RECEIVED) + lost, SENT + 1);
    sd_demux_free(d);
    close(fd);
}

/* Else the answers of a client in its handshake would be dropped with a flood. */
static void a_listener_that_drops_datagrams_gives_sockets_at_once(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.rcvbuf = 20000, .max_connected = 8});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1"), flood = sender("127.0.0.1");
    send_text(fd, &at, "before");
    struct sd_received got = next_datagram(d);
    struct sd_peer *p = sd_demux_admit(d, &got, NULL);
    assert_int_equal(sd_peer_fd(p), -1);
    sd_demux_close(d, p);
    for (int i = 0; i < 2000; i++)
        send_text(flood, &at, "drop me");
    while (sd_demux_next(d, &got, 0) > 0)
        ;
    send_text(fd, &at, "after");
    got = next_datagram(d);
    p = sd_demux_admit(d, &got, NULL);
    assert_true(sd_peer_fd(p) >= 0);
    sd_demux_close(d, p);
    sd_demux_free(d);
    close(flood);
    close(fd);
}

/* Thousands of sockets may ask for more than an int holds. */
static void buffers_of_many_sockets_are_summed_up(void **state)
{
    (void)state;
    enum { CLIENTS = 3, EACH = 1 << 30, SMALLEST = 104 << 10 };
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.rcvbuf = EACH});
    struct sd_addr at = addr_of("127.0.0.1", 9);
    struct sd_peer *p[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(sd_demux_connect(d, &at, NULL, NULL, &p[i]), 0);
    assert_true(d->own_sums.rcvbuf_given == (int64_t)CLIENTS * EACH);
    d->config.rcvbuf = 0;
    assert_int_equal(sd_rcvbuf_share(d), SMALLEST);
    for (int i = 0; i < CLIENTS; i++)
        sd_demux_close(d, p[i]);
    assert_true(d->own_sums.rcvbuf_given == 0);
    sd_demux_free(d);
}

static void a_bound_socket_is_adopted(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "0.0.0.0", "::"};
    static const char *const from[] = {"127.0.0.1", "127.0.0.1", "::ffff:127.0.0.1"};
    for (int i = 0; i < 3; i++) {
        struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
        assert_int_equal(sd_demux_adopt(d, sender(hosts[i])), 0);
        struct sd_addr at = addr_of(from[i], sd_addr_port(sd_demux_local(d, 0)));
        int fd = sender(from[i]);
        send_text(fd, &at, "hello");
        struct sd_received got = next_datagram(d);
        assert_true(sd_addr_eq(&got.local, &at));
        assert_int_equal(sd_demux_reply(d, &got, "who?", 4), 0);
        expect_text(fd, "who?");
        struct sd_peer *p = sd_demux_accept(d, &got, NULL);
        assert_true(sd_peer_fd(p) >= 0);
        assert_true(sd_peer_route_payload(p) > 1200);
        send_text(fd, &at, "again");
        assert_ptr_equal(next_datagram(d).to, p);
        sd_demux_close(d, p);
        sd_demux_free(d);
        close(fd);
    }
}

static void what_is_not_a_bound_udp_socket_is_refused_and_kept(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(sd_demux_adopt(d, udp), -EINVAL);
    assert_int_equal(sd_demux_adopt(d, tcp), -EPROTOTYPE);
    assert_int_equal(sd_demux_adopt(d, pair[0]), -EPROTOTYPE);
    assert_int_equal(sd_demux_adopt(d, sd_demux_fd(d)), -ENOTSOCK);
    assert_int_equal(sd_demux_adopt(d, -1), -EBADF);
    struct sd_addr there = addr_of("127.0.0.1", 9);
    assert_int_equal(connect(udp, &there.sa, sd_addr_len(&there)), 0);
    assert_int_equal(sd_demux_adopt(d, udp), -EISCONN);
    assert_int_equal(sd_demux_listeners(d), 0);
    const int ours[] = {udp, tcp, pair[0], pair[1]};
    for (int i = 0; i < 4; i++)
        assert_int_equal(close(ours[i]), 0);
    sd_demux_free(d);
}

static void a_port_that_is_taken_is_refused(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at;
    socklen_t len = sizeof at;
    int fd = sender("127.0.0.1");
    assert_int_equal(getsockname(fd, &at.sa, &len), 0);
    assert_int_equal(sd_demux_listen(d, &at), -EADDRINUSE);
    struct sd_addr nowhere = addr_of("192.0.2.1", 0);
    assert_int_equal(sd_demux_listen(d, &nowhere), -EADDRNOTAVAIL);
    sd_demux_free(d);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_datagram_is_unknown_and_a_second_belongs_to_its_peer),
        cmocka_unit_test(a_duplicate_first_datagram_makes_no_second_peer),
        cmocka_unit_test(a_closed_peers_datagrams_come_out_as_unknown),
        cmocka_unit_test(a_peers_datagrams_keep_their_order_across_the_accept),
        cmocka_unit_test(nobody_is_starved_by_a_full_queue),
        cmocka_unit_test(unknown_datagrams_cost_no_descriptor),
        cmocka_unit_test(peers_above_the_limit_are_served_from_the_listener),
        cmocka_unit_test(an_armed_deadline_wakes_the_call_and_the_descriptor),
        cmocka_unit_test(datagrams_are_delivered_although_a_deadline_has_passed),
        cmocka_unit_test(a_client_talks_to_its_server_only),
        cmocka_unit_test(a_client_drops_what_a_stranger_sent_before_the_connect),
        cmocka_unit_test(a_datagram_too_large_to_send_is_refused_at_once),
        cmocka_unit_test(the_largest_record_fits_and_more_is_counted),
        cmocka_unit_test(a_full_queue_is_counted),
        cmocka_unit_test(a_listener_that_drops_datagrams_gives_sockets_at_once),
        cmocka_unit_test(buffers_of_many_sockets_are_summed_up),
        cmocka_unit_test(a_bound_socket_is_adopted),
        cmocka_unit_test(what_is_not_a_bound_udp_socket_is_refused_and_kept),
        cmocka_unit_test(a_port_that_is_taken_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
