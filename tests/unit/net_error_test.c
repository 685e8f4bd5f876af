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
    if (scripted == sizeof script / sizeof *script || !script[scripted])
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
        assert_int_equal(sd_demux_next(d, &got, DEADLINE_MS), 0);
    assert_int_equal(sd_demux_counter(d, SD_NET_ICMP), 1);
    sd_demux_close(d, p);
    sd_demux_free(d);
}

/* A socket with nothing but errors is left alone for moments, not for good. */
static void an_endless_row_of_errors_is_told_one_by_one(void **state)
{
    (void)state;
    enum { ERRORS = 50 };
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_addr at = closed_port();
    struct sd_peer *p = NULL;
    assert_int_equal(sd_demux_connect(d, &at, NULL, NULL, &p), 0);
    for (int i = 0; i < ERRORS; i++) {
        assert_int_equal(sd_peer_send(p, "anyone?", 7), 0);
        struct sd_received got = next_datagram(d);
        assert_int_equal(got.error, ECONNREFUSED);
        assert_ptr_equal(got.to, p);
    }
    assert_int_equal(sd_demux_counter(d, SD_NET_ICMP), ERRORS);
    sd_demux_close(d, p);
    sd_demux_free(d);
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
        cmocka_unit_test(an_endless_row_of_errors_is_told_one_by_one),
        cmocka_unit_test(a_socket_that_is_always_readable_keeps_nobody_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
