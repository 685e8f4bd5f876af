/* SPDX-License-Identifier: MIT */
/* lib/endpoint with a socket that has no room, and a program that wants no data: real sockets, but
 * sendmsg() does what the test says. */
#include "duo.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static const sdtls_config self_signed = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};
static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};

static int send_error; /* errno of every sendmsg(); 0 = the real one */

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    if (!send_error)
        return __real_sendmsg(fd, m, flags);
    errno = send_error;
    return -1;
}

/* Both ends ready; the client's and the server's connection. */
static sdtls_conn *ready_duo(struct duo *d, const sdtls_config *server, sdtls_conn **served)
{
    duo_up(d, server, &trusting);
    sdtls_conn *c = duo_connect(d);
    sdtls_event ev = duo_wait(d, d->server, SDTLS_EV_READY);
    if (served)
        *served = ev.conn;
    duo_wait(d, d->client, SDTLS_EV_READY);
    return c;
}

/* No event of the endpoint within this time. */
static void assert_nothing(sdtls *s, int ms)
{
    sdtls_event ev;
    sd_time until = sd_clock_now() + (sd_time)ms * SD_MS;
    do
        assert_false(duo_step(s, &ev, 1));
    while (sd_clock_now() < until);
}

static void an_event_tells_when_the_socket_has_room(void **state)
{
    (void)state;
    struct duo d;
    sdtls_conn *c = ready_duo(&d, &self_signed, NULL);
    send_error = EAGAIN;
    assert_int_equal(sdtls_send(c, "one", 3), SDTLS_OK);
    assert_true(sdtls_unsent(c) > 0);
    assert_int_equal(sdtls_send(c, "two", 3), SDTLS_AGAIN);
    assert_nothing(d.client, 50);
    send_error = 0;
    sdtls_event ev = duo_wait(&d, d.client, SDTLS_EV_WRITABLE);
    assert_ptr_equal(ev.conn, c);
    assert_int_equal(sdtls_unsent(c), 0);
    ev = duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_memory_equal(ev.data, "one", 3);
    assert_int_equal(sdtls_send(c, "two", 3), SDTLS_OK);
    ev = duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_memory_equal(ev.data, "two", 3);
    assert_int_equal(sdtls_counter_named(d.client, "guard.kept"), 1);
    assert_int_equal(sdtls_counter_named(d.client, "guard.unsent"), 0);
    duo_down(&d);
}

/* The program waits with poll(), and never calls sdtls_send() again. */
static void what_waits_is_sent_without_help(void **state)
{
    (void)state;
    struct duo d;
    sdtls_conn *c = ready_duo(&d, &self_signed, NULL);
    struct pollfd p = {sdtls_fd(d.client), POLLIN, 0};
    sdtls_event ev;
    send_error = ENOBUFS;
    assert_int_equal(sdtls_send(c, "alone", 5), SDTLS_OK);
    while (duo_step(d.client, &ev, 0))
        ;
    send_error = 0;
    while (sdtls_unsent(c)) {
        assert_int_equal(poll(&p, 1, 30000), 1);
        assert_false(duo_step(d.client, &ev, 0)); /* nobody was told to try again */
    }
    duo_wait(&d, d.server, SDTLS_EV_DATA);
    duo_down(&d);
}

static void what_the_host_refuses_is_an_error_and_no_end(void **state)
{
    (void)state;
    struct duo d;
    sdtls_conn *c = ready_duo(&d, &self_signed, NULL);
    send_error = ENETUNREACH;
    assert_int_equal(sdtls_send(c, "lost", 4), SDTLS_IO);
    assert_non_null(strstr(sdtls_errmsg(d.client), strerror(ENETUNREACH)));
    send_error = 0;
    assert_int_equal(sdtls_send(c, "found", 5), SDTLS_OK);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_memory_equal(ev.data, "found", 5);
    duo_down(&d);
}

enum { SMALL = 1000, LARGE = 8000 };

static void send_many(struct duo *d, sdtls_conn *c, unsigned n, size_t size)
{
    static char text[LARGE];
    for (unsigned i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%u", i);
        assert_int_equal(sdtls_send(c, text, size), SDTLS_OK);
        duo_serve(d, d->client);
    }
}

/* Until the server has read this many datagrams more. */
static void await_datagrams(struct duo *d, uint64_t n)
{
    uint64_t all = sdtls_counter_named(d->server, "net.received") + n;
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    while (sdtls_counter_named(d->server, "net.received") < all && sd_clock_now() < until)
        assert_nothing(d->server, 1);
}

static unsigned receive_in_order(struct duo *d, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        sdtls_event ev = duo_wait(d, d->server, SDTLS_EV_DATA);
        assert_int_equal(strtoul(ev.data, NULL, 10), i);
    }
    return n;
}

static void a_paused_peer_waits_in_its_socket(void **state)
{
    (void)state;
    enum { N = 300 };
    struct duo d;
    sdtls_conn *served, *c = ready_duo(&d, &self_signed, &served);
    assert_int_equal(sdtls_pause(served), SDTLS_OK);
    send_many(&d, c, N, SMALL);
    assert_nothing(d.server, 20);
    assert_int_equal(sdtls_send(served, "meanwhile", 9), SDTLS_OK);
    duo_wait(&d, d.client, SDTLS_EV_DATA);
    sdtls_resume(served);
    receive_in_order(&d, N);
    assert_int_equal(sdtls_counter_named(d.server, "net.overflow"), 0);
    duo_down(&d);
}

/* What the library has read already, and what it has not, for as long as nobody wants it. */
static void a_peer_may_be_paused_in_the_middle_of_a_burst(void **state)
{
    (void)state;
    enum { N = 300, PAUSES = 7 };
    struct duo d;
    sdtls_conn *served, *c = ready_duo(&d, &self_signed, &served);
    assert_true(sdtls_conn_fd(served) >= 0);
    send_many(&d, c, N, SMALL);
    for (unsigned i = 0; i < N; i++) {
        sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_DATA);
        assert_int_equal(strtoul((const char *)ev.data, NULL, 10), i);
        if (i % PAUSES)
            continue;
        assert_int_equal(sdtls_pause(served), SDTLS_OK);
        assert_nothing(d.server, 2);
        sdtls_resume(served);
    }
    assert_int_equal(sdtls_counter_named(d.server, "guard.queue-full"), 0);
    duo_down(&d);
}

static void others_go_on_meanwhile(void **state)
{
    (void)state;
    struct duo d;
    sdtls_conn *first, *c = ready_duo(&d, &self_signed, &first);
    sdtls_conn *other = duo_connect(&d);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_READY);
    sdtls_conn *second = ev.conn;
    duo_wait(&d, d.client, SDTLS_EV_READY);
    assert_int_equal(sdtls_pause(first), SDTLS_OK);
    assert_int_equal(sdtls_send(c, "first", 5), SDTLS_OK);
    assert_int_equal(sdtls_send(other, "second", 6), SDTLS_OK);
    ev = duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_ptr_equal(ev.conn, second);
    assert_nothing(d.server, 20);
    sdtls_resume(first);
    ev = duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_ptr_equal(ev.conn, first);
    duo_down(&d);
}

/* Its datagrams come to the listener, which has to be read: a bounded part is kept. */
static void a_paused_peer_without_a_socket_is_kept_within_bounds(void **state)
{
    (void)state;
    enum { N = 50, KEPT = 65536 / (LARGE + 37) };
    sdtls_config shared = self_signed;
    shared.flags |= SDTLS_F_SHARED;
    struct duo d;
    sdtls_conn *served, *c = ready_duo(&d, &shared, &served);
    assert_int_equal(sdtls_pause(served), SDTLS_OK);
    send_many(&d, c, N, LARGE);
    await_datagrams(&d, N);
    assert_int_equal(sdtls_counter_named(d.server, "guard.queue-full"), N - KEPT);
    sdtls_resume(served);
    receive_in_order(&d, KEPT);
    assert_int_equal(sdtls_send(c, "again", 5), SDTLS_OK);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_memory_equal(ev.data, "again", 5);
    duo_down(&d);
}

static void all_of_them_together_are_bounded_too(void **state)
{
    (void)state;
    enum { CLIENTS = 140, EACH = 65536 / (LARGE + 37), ALL = (8 << 20) / (LARGE + 37) };
    sdtls_config shared = self_signed;
    shared.flags |= SDTLS_F_SHARED;
    struct duo d;
    duo_up(&d, &shared, &trusting);
    for (int i = 0; i < CLIENTS; i++) {
        sdtls_conn *c = duo_connect(&d);
        sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_READY);
        assert_int_equal(sdtls_pause(ev.conn), SDTLS_OK);
        duo_wait(&d, d.client, SDTLS_EV_READY);
        send_many(&d, c, EACH, LARGE);
        await_datagrams(&d, EACH);
    }
    uint64_t dropped = sdtls_counter_named(d.server, "guard.queue-full");
    assert_in_range(dropped, CLIENTS * EACH - ALL, CLIENTS * EACH - ALL + EACH);
    duo_down(&d);
}

static void the_goodbye_of_a_paused_peer_comes_after_its_data(void **state)
{
    (void)state;
    struct duo d;
    sdtls_conn *served, *c = ready_duo(&d, &self_signed, &served);
    assert_int_equal(sdtls_pause(served), SDTLS_OK);
    assert_int_equal(sdtls_send(c, "last", 4), SDTLS_OK);
    sdtls_close(c);
    duo_wait(&d, d.client, SDTLS_EV_CLOSED);
    assert_nothing(d.server, 20);
    sdtls_resume(served);
    duo_wait(&d, d.server, SDTLS_EV_DATA);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_OK);
    duo_down(&d);
}

static void a_paused_peer_is_not_idle(void **state)
{
    (void)state;
    sdtls_config impatient = self_signed;
    impatient.idle_ms = 100;
    struct duo d;
    sdtls_conn *served;
    ready_duo(&d, &impatient, &served);
    assert_int_equal(sdtls_pause(served), SDTLS_OK);
    assert_nothing(d.server, 300);
    sdtls_resume(served);
    assert_nothing(d.server, 50);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_IDLE);
    duo_down(&d);
}

static void only_an_established_connection_can_be_paused(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    sdtls_conn *c = duo_connect(&d);
    assert_int_equal(sdtls_pause(c), SDTLS_STATE);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    assert_int_equal(sdtls_pause(c), SDTLS_OK);
    sdtls_close(c); /* paused, and no reason to wait */
    duo_wait(&d, d.client, SDTLS_EV_CLOSED);
    duo_down(&d);
}

/* The last datagrams were dropped, and none came after them to say so. */
static void what_the_kernel_drops_is_counted_at_once(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct duo d;
    sdtls_conn *served, *c = ready_duo(&d, &self_signed, &served);
    assert_int_equal(sdtls_pause(served), SDTLS_OK);
    send_many(&d, c, N, SMALL);
    uint64_t dropped = sdtls_counter_named(d.server, "net.overflow");
    assert_in_range(dropped, 1, N - 1);
    sdtls_resume(served);
    receive_in_order(&d, (unsigned)(N - dropped));
    assert_int_equal(sdtls_counter_named(d.server, "net.overflow"), dropped);
    assert_nothing(d.server, 20);
    duo_down(&d);
}

/* Shares of what all sockets may hold: the first get enough, all together get no more. */
static void many_sockets_get_smaller_queues(void **state)
{
    (void)state;
    enum { N = 70 };
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    int first = 0, last = 0, sum = 0;
    socklen_t len = sizeof last;
    for (int i = 0; i < N; i++) {
        duo_connect(&d);
        sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_READY);
        assert_int_equal(getsockopt(sdtls_conn_fd(ev.conn), SOL_SOCKET, SO_RCVBUF, &last, &len), 0);
        first = first ? first : last;
        sum += last;
    }
    assert_true(last <= 2 * (104 << 10));
    assert_true(first >= last);
    assert_true(sum <= (64 << 20) + N * 2 * (104 << 10));
    duo_down(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_tells_when_the_socket_has_room),
        cmocka_unit_test(what_waits_is_sent_without_help),
        cmocka_unit_test(what_the_host_refuses_is_an_error_and_no_end),
        cmocka_unit_test(a_paused_peer_waits_in_its_socket),
        cmocka_unit_test(a_peer_may_be_paused_in_the_middle_of_a_burst),
        cmocka_unit_test(others_go_on_meanwhile),
        cmocka_unit_test(a_paused_peer_without_a_socket_is_kept_within_bounds),
        cmocka_unit_test(all_of_them_together_are_bounded_too),
        cmocka_unit_test(the_goodbye_of_a_paused_peer_comes_after_its_data),
        cmocka_unit_test(a_paused_peer_is_not_idle),
        cmocka_unit_test(only_an_established_connection_can_be_paused),
        cmocka_unit_test(what_the_kernel_drops_is_counted_at_once),
        cmocka_unit_test(many_sockets_get_smaller_queues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
