/* SPDX-License-Identifier: MIT */
/* lib/endpoint: a process that was suspended reads what has arrived before it judges deadlines. */
#include "duo.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "endpoint/internal.h"

/* The clock is set forward: to the program that is the same as having been suspended. */
static sd_time suspended;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    int rc = __real_clock_gettime(clock, ts);
    if (clock == CLOCK_MONOTONIC)
        ts->tv_sec += (time_t)(suspended / SD_SEC);
    return rc;
}

/* Suspended while it waits for a datagram. */
static sd_time suspend_in_wait;

int __real_epoll_wait(int epoll, struct epoll_event *ev, int max, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *ev, int max, int timeout);
int __wrap_epoll_wait(int epoll, struct epoll_event *ev, int max, int timeout)
{
    int n = __real_epoll_wait(epoll, ev, max, timeout);
    suspended += suspend_in_wait;
    suspend_in_wait = 0;
    return n;
}

enum { IDLE_MS = 60000, HANDSHAKE_MS = 60000, RECORDS = 20 };
static const sd_time longer = 100 * SD_SEC;

static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE,
                                      .handshake_ms = HANDSHAKE_MS};

static sdtls_config server_config(bool shared)
{
    return (sdtls_config){SDTLS_CONFIG_INIT,
                          .flags = SDTLS_F_SELF_SIGNED | (shared ? SDTLS_F_SHARED : 0U),
                          .idle_ms = IDLE_MS, .handshake_ms = HANDSHAKE_MS};
}

static sdtls_conn *established(struct duo *d, bool shared)
{
    const sdtls_config server = server_config(shared);
    duo_up(d, &server, &trusting);
    sdtls_conn *c = duo_connect(d);
    duo_wait(d, d->client, SDTLS_EV_READY);
    duo_wait(d, d->server, SDTLS_EV_READY);
    duo_serve(d, d->server);
    return c;
}

/* All that it can do now. */
static void serve_all(struct duo *d, sdtls *s)
{
    struct pollfd p = {.fd = sdtls_fd(s), .events = POLLIN};
    do
        duo_serve(d, s);
    while (poll(&p, 1, 0) > 0);
}

/* The next event of this end alone. */
static sdtls_event alone(sdtls *s)
{
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev = {0};
    while (!duo_step(s, &ev, 0) && sd_clock_now() < until)
        continue;
    return ev;
}

static void data_that_waits_is_delivered_before_the_idle_limit(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct duo d;
        sdtls_conn *c = established(&d, shared);
        for (int i = 0; i < RECORDS; i++)
            assert_int_equal(sdtls_send(c, "waits", 5), SDTLS_OK);
        suspended += longer;
        for (int i = 0; i < RECORDS; i++)
            assert_int_equal(alone(d.server).type, SDTLS_EV_DATA);
        sdtls_event ev;
        assert_false(duo_step(d.server, &ev, 0)); /* the limit begins again */
        /* The control: nothing waits. */
        suspended += longer;
        ev = alone(d.server);
        assert_int_equal(ev.type, SDTLS_EV_CLOSED);
        assert_int_equal(ev.err, SDTLS_IDLE);
        duo_down(&d);
    }
}

static void data_begins_the_idle_limit_again(void **state)
{
    (void)state;
    struct duo d;
    sdtls_event ev;
    sdtls_conn *c = established(&d, false);
    for (int i = 0; i < 3; i++) {
        suspended += 40 * SD_SEC; /* of 60 s */
        assert_int_equal(sdtls_send(c, "here", 4), SDTLS_OK);
        assert_int_equal(alone(d.server).type, SDTLS_EV_DATA);
    }
    suspended += 40 * SD_SEC;
    assert_false(duo_step(d.server, &ev, 10));
    suspended += 40 * SD_SEC;
    ev = alone(d.server);
    assert_int_equal(ev.type, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_IDLE);
    duo_down(&d);
}

static void data_that_comes_while_the_call_is_suspended_is_delivered(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct duo d;
        sdtls_conn *c = established(&d, shared);
        assert_int_equal(sdtls_send(c, "waits", 5), SDTLS_OK);
        suspend_in_wait = longer;
        assert_int_equal(alone(d.server).type, SDTLS_EV_DATA);
        assert_int_equal(suspend_in_wait, 0);
        duo_down(&d);
    }
}

/* Until the server has answered; the client has not seen it. */
static void go_half_way(struct duo *d)
{
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev = {0};
    while (ev.type != SDTLS_EV_ACCEPTED && sd_clock_now() < until) {
        duo_step(d->server, &ev, 1);
        if (ev.type != SDTLS_EV_ACCEPTED)
            duo_step(d->client, &ev, 0);
    }
    assert_int_equal(ev.type, SDTLS_EV_ACCEPTED);
    serve_all(d, d->server);
}

static sdtls_conn *half_way(struct duo *d, bool shared)
{
    const sdtls_config server = server_config(shared);
    duo_up(d, &server, &trusting);
    sdtls_conn *c = duo_connect(d);
    go_half_way(d);
    return c;
}

static void a_flight_that_waits_is_read_before_the_handshake_deadline(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct duo d;
        half_way(&d, shared);
        serve_all(&d, d.client);
        suspended += longer;
        sdtls_event ev = alone(d.server);
        assert_int_equal(ev.type, SDTLS_EV_READY);
        assert_int_equal(alone(d.client).type, SDTLS_EV_READY);
        duo_down(&d);
        /* The controls: nothing waits. */
        half_way(&d, shared);
        suspended += longer;
        ev = alone(d.server);
        assert_int_equal(ev.type, SDTLS_EV_CLOSED);
        assert_int_equal(ev.err, SDTLS_TIMEOUT);
        duo_down(&d);
    }
}

static struct sd_addr loopback(uint32_t host, uint16_t port)
{
    struct sd_addr a = sd_addr_any(AF_INET, port);
    a.in.sin_addr.s_addr = htonl(host);
    return a;
}

/* The first address of the name is mute; what the second one says waits in another socket. */
static void an_answer_of_another_address_is_read_before_the_deadline(void **state)
{
    (void)state;
    struct duo d;
    const sdtls_config server = server_config(false);
    struct sd_addr mute = loopback(INADDR_LOOPBACK + 1, 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    duo_up(&d, &server, &trusting);
    assert_int_equal(bind(fd, &mute.sa, sd_addr_len(&mute)), 0);
    struct sd_addr *list = calloc(2, sizeof *list);
    socklen_t len = sizeof list->in;
    assert_int_equal(getsockname(fd, &list[0].sa, &len), 0);
    list[1] = loopback(INADDR_LOOPBACK, (uint16_t)atoi(d.port));
    assert_int_equal(sd_endpoint_open(d.client), SDTLS_OK);
    assert_int_equal(sd_endpoint_tls(d.client, SD_ROLE_CLIENT), SDTLS_OK);
    sdtls_conn *c;
    assert_int_equal(sd_connect_begin(d.client, "peer.test", list, 2, &c), SDTLS_OK);
    suspended += 1 * SD_SEC; /* the second one is tried */
    go_half_way(&d);
    serve_all(&d, d.client);
    assert_int_equal(alone(d.server).type, SDTLS_EV_READY);
    suspended += longer;
    assert_int_equal(alone(d.client).type, SDTLS_EV_READY);
    close(fd);
    duo_down(&d);
}

/* An alert in plaintext ends the handshake when nothing follows it. */
static void a_flight_that_waits_is_read_before_an_alert_is_believed(void **state)
{
    (void)state;
    static const uint8_t alert[] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40};
    for (int follows = 0; follows < 2; follows++) {
        struct duo d;
        const sdtls_conn *c = half_way(&d, false);
        assert_int_equal(send(sdtls_conn_fd(c), alert, sizeof alert, 0), sizeof alert);
        serve_all(&d, d.server);
        if (follows)
            serve_all(&d, d.client);
        suspended += 3 * SD_SEC;
        sdtls_event ev = alone(d.server);
        while (ev.type == SDTLS_EV_RETRANSMIT)
            ev = alone(d.server);
        assert_int_equal(ev.type, follows ? SDTLS_EV_READY : SDTLS_EV_CLOSED);
        assert_int_equal(ev.err, follows ? SDTLS_OK : SDTLS_ALERT_RECEIVED);
        duo_down(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_that_waits_is_delivered_before_the_idle_limit),
        cmocka_unit_test(data_begins_the_idle_limit_again),
        cmocka_unit_test(data_that_comes_while_the_call_is_suspended_is_delivered),
        cmocka_unit_test(a_flight_that_waits_is_read_before_the_handshake_deadline),
        cmocka_unit_test(an_answer_of_another_address_is_read_before_the_deadline),
        cmocka_unit_test(a_flight_that_waits_is_read_before_an_alert_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
