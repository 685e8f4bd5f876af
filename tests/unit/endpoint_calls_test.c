/* SPDX-License-Identifier: MIT */
/* lib/endpoint: the system calls of a server, counted. docs/benchmarks.md says what each is for. */
#include "duo.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PLAIN_CALLS(X)                                                                             \
    X(int, epoll_wait, (int fd, struct epoll_event *e, int n, int ms), (fd, e, n, ms))             \
    X(int, recvmmsg, (int fd, struct mmsghdr *m, unsigned n, int f, struct timespec *t),           \
      (fd, m, n, f, t))                                                                            \
    X(int, socket, (int domain, int type, int protocol), (domain, type, protocol))                 \
    X(int, setsockopt, (int fd, int l, int o, const void *v, socklen_t n), (fd, l, o, v, n))       \
    X(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))                      \
    X(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))                   \
    X(int, getsockname, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n))                    \
    X(int, getpeername, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n))                    \
    X(ssize_t, recv, (int fd, void *p, size_t n, int f), (fd, p, n, f))                            \
    X(int, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))                                \
    X(int, epoll_ctl, (int fd, int op, int of, struct epoll_event *e), (fd, op, of, e))            \
    X(int, timerfd_settime, (int fd, int f, const struct itimerspec *n, struct itimerspec *o),     \
      (fd, f, n, o))                                                                               \
    X(int, close, (int fd), (fd))

#define CALLS(X)                                                                                   \
    PLAIN_CALLS(X)                                                                                 \
    X(ssize_t, sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f))                       \
    X(int, getsockopt, (int fd, int l, int o, void *v, socklen_t *n), (fd, l, o, v, n))

enum {
#define X(type, name, params, args) CALL_##name,
    CALLS(X)
#undef X
        CALL_COUNT
};

static const char *const call_names[] = {
#define X(type, name, params, args) #name,
    CALLS(X)
#undef X
};

static unsigned calls[CALL_COUNT];
static bool counting;

/* Each is counted, and made. */
#define X(type, name, params, args)                                                                \
    type __real_##name params;                                                                     \
    type __wrap_##name params;                                                                     \
    type __wrap_##name params                                                                      \
    {                                                                                              \
        calls[CALL_##name] += counting;                                                            \
        return __real_##name args;                                                                 \
    }
PLAIN_CALLS(X)
#undef X

/* The UDP payload that the route carries, if that is not loopback's. */
static size_t narrow;

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    calls[CALL_sendmsg] += counting;
    if (!narrow || m->msg_iov->iov_len <= narrow)
        return __real_sendmsg(fd, m, flags);
    errno = EMSGSIZE;
    return -1;
}

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    enum { HEADERS = 28 };
    int rc = __real_getsockopt(fd, level, name, value, len);
    calls[CALL_getsockopt] += counting;
    if (narrow && level == IPPROTO_IP && name == IP_MTU)
        *(int *)value = (int)narrow + HEADERS;
    return rc;
}

static const sdtls_config hasty = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED, .timer_ms = 50};
static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};
static const sdtls_config serving = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};

/* Each end in turn, until the server has told this event; its calls are counted. It never waits:
 * each of its turns ends with an epoll_wait() that finds nothing. */
static sdtls_event turns_until(struct duo *d, enum sdtls_event_type type)
{
    sd_time deadline = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev, told = {0};
    while (told.type != type) {
        assert_true(sd_clock_now() < deadline);
        while (duo_step(d->client, &ev, 0))
            continue;
        counting = true;
        while (duo_step(d->server, &ev, 0))
            told = ev.type == type ? ev : told;
        counting = false;
    }
    while (duo_step(d->client, &ev, 0))
        continue;
    return told;
}

static void assert_calls(unsigned call, unsigned most)
{
    if (calls[call] > most)
        fail_msg("%u times %s, not at most %u", calls[call], call_names[call], most);
    calls[call] = 0;
}

static void assert_no_other_call(void)
{
    for (unsigned i = 0; i < CALL_COUNT; i++)
        assert_calls(i, 0);
}

static struct duo began(sdtls_conn **client)
{
    struct duo d;
    duo_up(&d, &serving, &trusting);
    *client = duo_connect(&d);
    memset(calls, 0, sizeof calls);
    return d;
}

/* HelloVerifyRequest, two flights, close_notify: each takes one datagram, or a few that are read
 * together. */
static void a_handshake_and_its_end_take_a_wait_a_read_and_a_send_each_turn(void **state)
{
    (void)state;
    sdtls_conn *c;
    struct duo d = began(&c);
    turns_until(&d, SDTLS_EV_READY);
    sdtls_close(c);
    turns_until(&d, SDTLS_EV_CLOSED);
    assert_calls(CALL_recvmmsg, 4);
    assert_calls(CALL_sendmsg, 4);
    assert_calls(CALL_epoll_wait, 2 * 4);
    assert_no_other_call();
    duo_down(&d);
}

/* Who waits on the fd has a timer, which is set when the earliest deadline gets earlier. */
static void the_timer_of_the_fd_is_set_once_a_turn(void **state)
{
    (void)state;
    sdtls_conn *c;
    struct duo d = began(&c);
    assert_true(sdtls_fd(d.server) >= 0);
    turns_until(&d, SDTLS_EV_READY);
    assert_calls(CALL_recvmmsg, 3);
    assert_calls(CALL_sendmsg, 3);
    assert_calls(CALL_epoll_wait, 2 * 3 + 4);
    assert_calls(CALL_timerfd_settime, 4);
    assert_no_other_call();
    duo_down(&d);
}

/* Its socket is drained for a moment, so that nothing is lost; then it goes. */
static void close_own_socket(struct duo *d)
{
    sd_time deadline = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev;
    counting = true;
    while (!calls[CALL_close] && sd_clock_now() < deadline)
        duo_step(d->server, &ev, 100);
    counting = false;
    calls[CALL_epoll_wait] = calls[CALL_recvmmsg] = 0;
    assert_calls(CALL_sendmsg, 1); /* close_notify */
    assert_calls(CALL_connect, 1); /* to itself */
    assert_calls(CALL_getsockopt, 1);
    assert_int_equal(calls[CALL_close], 1);
    assert_calls(CALL_close, 1);
    assert_calls(CALL_epoll_ctl, 1);
    assert_no_other_call();
}

static void the_first_message_makes_a_socket_and_the_next_one_does_not(void **state)
{
    (void)state;
    sdtls_conn *c;
    struct duo d = began(&c);
    sdtls_event ready = turns_until(&d, SDTLS_EV_READY);
    assert_int_equal(sdtls_counter_named(d.server, "net.connected"), 0);
    memset(calls, 0, sizeof calls);
    assert_int_equal(sdtls_send(c, "first", 5), SDTLS_OK);
    turns_until(&d, SDTLS_EV_DATA);
    assert_calls(CALL_socket, 1);
    assert_calls(CALL_setsockopt, 8); /* without CAP_NET_ADMIN one more than with it */
    assert_calls(CALL_bind, 1);
    assert_calls(CALL_connect, 1);
    assert_calls(CALL_epoll_ctl, 1);
    assert_calls(CALL_getsockopt, 1); /* the MTU of the route */
    assert_calls(CALL_recvmmsg, 2);   /* the listener once more */
    assert_calls(CALL_epoll_wait, 2);
    assert_no_other_call();
    assert_int_equal(sdtls_counter_named(d.server, "net.connected"), 1);
    assert_true(sdtls_conn_fd(ready.conn) >= 0);
    memset(calls, 0, sizeof calls);
    assert_int_equal(sdtls_send(c, "second", 6), SDTLS_OK);
    turns_until(&d, SDTLS_EV_DATA);
    assert_calls(CALL_recvmmsg, 2);
    assert_calls(CALL_epoll_wait, 3);
    assert_no_other_call();
    sdtls_close(c);
    turns_until(&d, SDTLS_EV_CLOSED);
    close_own_socket(&d);
    duo_down(&d);
}

/* At ACCEPTED nothing has been sent: the reports of the network are heard from the first flight on.
 */
static void a_program_may_ask_for_the_socket_at_once(void **state)
{
    (void)state;
    sdtls_conn *c;
    struct duo d = began(&c);
    sdtls_event ev = {0};
    while (ev.type != SDTLS_EV_ACCEPTED) {
        duo_step(d.client, &ev, 0);
        duo_step(d.server, &ev, 1);
    }
    assert_int_equal(sdtls_counter_named(d.server, "net.connected"), 0);
    assert_true(sdtls_conn_fd(ev.conn) >= 0);
    duo_wait(&d, d.server, SDTLS_EV_READY);
    assert_int_equal(sdtls_counter_named(d.server, "net.connected"), 1);
    duo_down(&d);
}

static void a_server_that_sends_first_has_a_socket(void **state)
{
    (void)state;
    sdtls_conn *c;
    struct duo d = began(&c);
    sdtls_event ready = turns_until(&d, SDTLS_EV_READY);
    size_t payload = sdtls_max_payload(ready.conn);
    assert_true(payload > 1232); /* that of the route: asked for when needed */
    assert_true(sdtls_conn_fd(ready.conn) >= 0);
    assert_int_equal(sdtls_send(ready.conn, "hello", 5), SDTLS_OK);
    duo_wait(&d, d.client, SDTLS_EV_DATA);
    duo_down(&d);
}

/* It was lost, or the client is gone: then what the network reports is of use. */
static void a_flight_without_an_answer_makes_a_socket(void **state)
{
    (void)state;
    struct duo d;
    sdtls_event ev = {0};
    duo_up(&d, &hasty, &trusting);
    duo_connect(&d);
    while (ev.type != SDTLS_EV_ACCEPTED) {
        duo_step(d.client, &ev, 0);
        duo_step(d.server, &ev, 1);
    }
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    while (ev.type != SDTLS_EV_RETRANSMIT && sd_clock_now() < until)
        duo_step(d.server, &ev, 100);
    assert_int_equal(ev.type, SDTLS_EV_RETRANSMIT);
    assert_int_equal(sdtls_counter_named(d.server, "net.connected"), 1);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    duo_down(&d);
}

/* The listener cannot ask its route beforehand: what this host refuses is sent again in pieces, at
 * once. */
static void a_flight_that_is_too_big_goes_out_in_pieces(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        sdtls_config config = serving;
        config.flags |= shared ? SDTLS_F_SHARED : 0U;
        struct duo d;
        narrow = 300;
        duo_up(&d, &config, &trusting);
        duo_connect(&d);
        turns_until(&d, SDTLS_EV_READY);
        assert_int_equal(sdtls_counter_named(d.server, "conn.retransmits"), 0);
        assert_int_equal(sdtls_counter_named(d.client, "conn.retransmits"), 0);
        assert_int_equal(sdtls_counter_named(d.server, "net.connected"), !shared);
        duo_down(&d);
        narrow = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_and_its_end_take_a_wait_a_read_and_a_send_each_turn),
        cmocka_unit_test(the_timer_of_the_fd_is_set_once_a_turn),
        cmocka_unit_test(the_first_message_makes_a_socket_and_the_next_one_does_not),
        cmocka_unit_test(a_program_may_ask_for_the_socket_at_once),
        cmocka_unit_test(a_server_that_sends_first_has_a_socket),
        cmocka_unit_test(a_flight_without_an_answer_makes_a_socket),
        cmocka_unit_test(a_flight_that_is_too_big_goes_out_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
