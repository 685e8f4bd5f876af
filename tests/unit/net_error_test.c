/* SPDX-License-Identifier: MIT */
/* lib/net: errors that the network reports, and sockets that misbehave. */
#include "net_tools.h"

#include "net/internal.h"

/* Errors that the next calls fail with, whatever the socket has; 0: it is asked. */
static int script[2];
static unsigned scripted;

int __real_recvmmsg(int fd, struct mmsghdr *msgs, unsigned len, int flags,
                    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned len, int flags,
                    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned len, int flags, struct timespec *timeout)
{
    if (flags & MSG_ERRQUEUE || scripted == sizeof script / sizeof *script || !script[scripted])
        return __real_recvmmsg(fd, msgs, len, flags, timeout);
    errno = script[scripted++];
    return -1;
}

/* A port that is closed: bound once, so nobody else is likely to have it. */
static struct sd_addr closed_port(void)
{
    struct sd_addr at;
    socklen_t len = sizeof at;
    int fd = sender("127.0.0.1");
    assert_int_equal(getsockname(fd, &at.sa, &len), 0);
    close(fd);
    return at;
}

static void a_refused_datagram_is_told_as_an_error_of_its_peer(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_addr at = closed_port();
    struct sd_peer *p = NULL;
    assert_int_equal(sd_demux_connect(d, &at, NULL, NULL, &p), 0);
    assert_int_equal(sd_peer_send(p, "anyone?", 7), 0);
    struct sd_received got = next_datagram(d);
    assert_int_equal(got.error, ECONNREFUSED);
    assert_ptr_equal(got.to, p);
    assert_int_equal(got.len, 0);
    assert_int_equal(sd_demux_next(d, &got, 0), 0);
    assert_int_equal(sd_demux_counter(d, SD_NET_ICMP), 1);
    sd_demux_close(d, p);
    sd_demux_free(d);
}

/* The error of one datagram makes the next send() fail: it is sent all the
 * same, and the error is not forgotten. */
static void an_error_met_while_sending_is_told_later(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_addr at = closed_port();
    struct sd_peer *p = NULL;
    assert_int_equal(sd_demux_connect(d, &at, NULL, NULL, &p), 0);
    assert_int_equal(sd_peer_send(p, "one", 3), 0);
    struct pollfd refused = {.fd = sd_peer_fd(p), .events = 0};
    assert_int_equal(poll(&refused, 1, DEADLINE_MS), 1);
    int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server, &at.sa, sd_addr_len(&at)), 0);
    assert_int_equal(sd_peer_send(p, "two", 3), 0);
    expect_text(server, "two");
    assert_true(readable(d, DEADLINE_MS));
    struct sd_received got = next_datagram(d);
    assert_int_equal(got.error, ECONNREFUSED);
    assert_ptr_equal(got.to, p);
    assert_int_equal(sd_demux_next(d, &got, 0), 0);
    assert_int_equal(sd_peer_send(p, "three", 5), 0);
    sd_demux_close(d, p);
    sd_demux_free(d);
    close(server);
}

static void a_peer_may_be_closed_with_an_error_to_tell(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_addr at = closed_port();
    struct sd_peer *p = NULL;
    assert_int_equal(sd_demux_connect(d, &at, NULL, NULL, &p), 0);
    for (int i = 0; i < 2; i++) {
        struct pollfd refused = {.fd = sd_peer_fd(p), .events = 0};
        assert_int_equal(sd_peer_send(p, "one", 3), 0);
        assert_int_equal(poll(&refused, 1, DEADLINE_MS), 1);
    }
    sd_demux_close(d, p);
    struct sd_received got;
    assert_int_equal(sd_demux_next(d, &got, 0), 0);
    sd_demux_free(d);
}

/* The kernel queues the report before it sets the error: whoever reads in between gets both, one
 * after the other, of a single ICMP error (met on a loaded machine). */
static void a_report_read_before_its_error_is_told_once(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_addr at = closed_port();
    struct sd_peer *p = NULL;
    struct sd_received got;
    assert_int_equal(sd_demux_connect(d, &at, NULL, NULL, &p), 0);
    struct pollfd refused = {.fd = sd_peer_fd(p), .events = 0};
    assert_int_equal(sd_peer_send(p, "anyone?", 7), 0);
    assert_int_equal(poll(&refused, 1, DEADLINE_MS), 1);
    script[0] = EAGAIN;
    script[1] = ECONNREFUSED;
    got = next_datagram(d);
    assert_int_equal(got.error, ECONNREFUSED);
    assert_non_null(got.report);
    assert_int_equal(shutdown(sd_peer_fd(p), SHUT_RD), 0); /* there is something to read again */
    while (scripted < 2)
        assert_int_equal(sd_demux_next(d, &got, 10), 0);
    assert_int_equal(sd_demux_counter(d, SD_NET_ICMP), 1);
    sd_demux_close(d, p);
    sd_demux_free(d);
}

/* A client of a port that is closed: each send brings an error. */
struct refused {
    struct sd_demux *d;
    struct sd_peer *p;
    struct sd_addr at;
};

static struct refused refused_client(int rcvbuf)
{
    struct refused r = {.d = new_demux(&(struct sd_demux_config){.rcvbuf = rcvbuf}),
                        .at = closed_port()};
    assert_int_equal(sd_demux_connect(r.d, &r.at, NULL, NULL, &r.p), 0);
    return r;
}

static void refused_free(struct refused *r)
{
    sd_demux_close(r->d, r->p);
    sd_demux_free(r->d);
}

static void provoke(const struct refused *r, int errors)
{
    for (int i = 0; i < errors; i++) {
        struct pollfd refused = {.fd = sd_peer_fd(r->p), .events = 0};
        assert_int_equal(sd_peer_send(r->p, "anyone?", 7), 0);
        assert_int_equal(poll(&refused, 1, DEADLINE_MS), 1);
    }
}

/* A server opens the port, and sends to the client. */
static void answer(const struct refused *r, int datagrams)
{
    int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server, &r->at.sa, sd_addr_len(&r->at)), 0);
    for (int i = 0; i < datagrams; i++)
        send_text(server, sd_peer_local(r->p), "data");
    close(server);
}

static void a_row_of_errors_is_told_one_by_one(void **state)
{
    (void)state;
    enum { ERRORS = 30 };
    struct refused r = refused_client(0);
    for (int i = 0; i < ERRORS; i++) {
        provoke(&r, 1);
        struct sd_received got = next_datagram(r.d);
        assert_int_equal(got.error, ECONNREFUSED);
        assert_ptr_equal(got.to, r.p);
    }
    assert_int_equal(sd_demux_counter(r.d, SD_NET_ICMP), ERRORS);
    refused_free(&r);
}

static void data_comes_before_the_errors_that_came_before_it(void **state)
{
    (void)state;
    struct refused r = refused_client(0);
    provoke(&r, 5);
    answer(&r, 1);
    struct sd_received got = next_datagram(r.d);
    assert_int_equal(got.error, 0);
    assert_int_equal(got.len, 4);
    for (int i = 0; i < 5; i++)
        assert_int_equal(next_datagram(r.d).error, ECONNREFUSED);
    assert_int_equal(sd_demux_next(r.d, &got, 0), 0);
    refused_free(&r);
}

static void a_peer_may_be_closed_between_its_errors(void **state)
{
    (void)state;
    struct refused r = refused_client(0);
    provoke(&r, 5);
    struct sd_received got = next_datagram(r.d);
    assert_int_equal(got.error, ECONNREFUSED);
    assert_true(sd_demux_pending(r.d));
    sd_demux_close(r.d, r.p);
    assert_false(sd_demux_pending(r.d));
    assert_int_equal(sd_demux_next(r.d, &got, 0), 0);
    sd_demux_free(r.d);
}

static bool has_reports(const struct refused *r)
{
    char byte;
    return recv(sd_peer_fd(r->p), &byte, 1, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0;
}

/* Every datagram is sent, the reports end, and they come back after the storm. */
static void a_storm_of_errors_is_not_listened_to(void **state)
{
    (void)state;
    enum { STORM = 300, REPORTED_AT_MOST = 100 };
    struct refused r = refused_client(0);
    struct sd_received got;
    int told = 0;
    for (int i = 0; i < STORM; i++) {
        provoke(&r, 1);
        while (sd_demux_next(r.d, &got, 0) > 0)
            told += got.error == ECONNREFUSED;
    }
    assert_int_equal(sd_demux_counter(r.d, SD_NET_SENT), STORM);
    assert_int_equal(sd_demux_counter(r.d, SD_NET_SEND_FAILED), 0);
    assert_true(r.p->own->deaf);
    assert_false(r.p->own->paused);
    assert_in_range(told, 10, REPORTED_AT_MOST);
    provoke(&r, 1);
    assert_false(has_reports(&r));
    sd_time until = r.p->own->timer.when;
    assert_in_range(until, sd_clock_now(), sd_clock_now() + 1 * SD_SEC);
    while (sd_clock_now() <= until)
        sd_demux_next(r.d, &got, 50);
    assert_false(r.p->own->deaf);
    provoke(&r, 1);
    assert_int_equal(next_datagram(r.d).error, ECONNREFUSED);
    refused_free(&r);
}

/* Datagrams that can be read at once. */
static int arrived(const struct refused *r)
{
    struct sd_received got;
    int n = 0;
    while (sd_demux_next(r->d, &got, 100) > 0)
        n += !got.error;
    return n;
}

/* The kernel takes the memory of reports from the receive buffer. */
static void a_storm_of_errors_leaves_room_for_data(void **state)
{
    (void)state;
    enum { STORM = 200, SMALL_BUFFER = 4096, DATAGRAMS = 3 };
    struct refused r = refused_client(SMALL_BUFFER);
    struct sd_received got;
    for (int i = 0; i < STORM; i++) {
        provoke(&r, 1);
        while (sd_demux_next(r.d, &got, 0) > 0)
            assert_int_equal(got.error, ECONNREFUSED);
    }
    provoke(&r, 20); /* and then nobody reads for a while */
    answer(&r, DATAGRAMS);
    assert_int_equal(arrived(&r), DATAGRAMS);
    refused_free(&r);
    /* The control: with as many reports in the queue there is no room. */
    r = refused_client(SMALL_BUFFER);
    provoke(&r, 20);
    answer(&r, DATAGRAMS);
    assert_true(arrived(&r) < DATAGRAMS);
    refused_free(&r);
}

/* Its socket lingers, and an error comes to it: whoever waits on the fd is woken once for it. */
static void an_error_after_the_close_keeps_nobody_busy(void **state)
{
    (void)state;
    enum { WAKES_AT_MOST = 20 };
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 1});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int client = sender("127.0.0.1");
    send_text(client, &at, "hello");
    struct sd_received got = next_datagram(d);
    struct sd_peer *p = sd_demux_accept(d, &got, NULL);
    struct pollfd refused = {.fd = sd_peer_fd(p), .events = 0};
    close(client);
    assert_int_equal(sd_peer_send(p, "bye", 3), 0);
    assert_int_equal(poll(&refused, 1, DEADLINE_MS), 1);
    sd_demux_close(d, p);
    int wakes = 0;
    for (; wakes <= WAKES_AT_MOST && readable(d, 100); wakes++)
        assert_int_equal(sd_demux_next(d, &got, 0), 0);
    assert_in_range(wakes, 1, WAKES_AT_MOST);
    sd_demux_free(d);
}

static void a_datagram_that_waits_is_seen_and_an_error_is_not(void **state)
{
    (void)state;
    struct refused r = refused_client(0);
    assert_false(sd_peer_waits(r.p));
    provoke(&r, 1);
    assert_false(sd_peer_waits(r.p));
    assert_int_equal(next_datagram(r.d).error, ECONNREFUSED); /* it was not taken off */
    answer(&r, 1);
    assert_true(sd_peer_waits(r.p));
    refused_free(&r);
}

/* After shutdown() it is always readable, and there is nothing to read. */
static void a_socket_that_is_always_readable_keeps_nobody_busy(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_addr at = closed_port();
    struct sd_peer *p = NULL;
    struct sd_received got;
    assert_int_equal(sd_demux_connect(d, &at, NULL, NULL, &p), 0);
    assert_int_equal(shutdown(sd_peer_fd(p), SHUT_RD), 0);
    assert_true(readable(d, DEADLINE_MS));
    for (int i = 0; i < 100 && !p->own->paused; i++)
        assert_int_equal(sd_demux_next(d, &got, 0), 0);
    assert_true(p->own->paused);
    assert_true(readable(d, DEADLINE_MS)); /* the pause ends */
    sd_demux_close(d, p);
    assert_int_equal(sd_demux_next(d, &got, 0), 0);
    assert_false(readable(d, 0));
    sd_demux_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_datagram_is_told_as_an_error_of_its_peer),
        cmocka_unit_test(an_error_met_while_sending_is_told_later),
        cmocka_unit_test(a_peer_may_be_closed_with_an_error_to_tell),
        cmocka_unit_test(a_report_read_before_its_error_is_told_once),
        cmocka_unit_test(a_row_of_errors_is_told_one_by_one),
        cmocka_unit_test(data_comes_before_the_errors_that_came_before_it),
        cmocka_unit_test(a_peer_may_be_closed_between_its_errors),
        cmocka_unit_test(a_storm_of_errors_is_not_listened_to),
        cmocka_unit_test(a_storm_of_errors_leaves_room_for_data),
        cmocka_unit_test(an_error_after_the_close_keeps_nobody_busy),
        cmocka_unit_test(a_datagram_that_waits_is_seen_and_an_error_is_not),
        cmocka_unit_test(a_socket_that_is_always_readable_keeps_nobody_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
