/* SPDX-License-Identifier: MIT */
/* lib/endpoint under a flood: sdtls_next() returns in time, and everybody gets a turn. */
#include "duo.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gate_tools.h"

/* The sockets are real; the flood and the time are not. Whenever a listener, or the one peer's
 * socket that is flooded, is read, the kernel seems to have as many more datagrams as there is
 * room for. Each look at the clock takes 5 us: that is about what a datagram costs. */
static bool flooding;
static int flooded_peer; /* its socket, or -1: the listeners */
static int helper;       /* keeps the flooded socket readable */
static sd_time virtual_now;
static uint32_t flood_count;

#define LOOK (5 * SD_US)

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    int rc = __real_clock_gettime(clock, ts);
    if (clock != CLOCK_MONOTONIC || !virtual_now)
        return rc;
    virtual_now += LOOK;
    *ts = (struct timespec){.tv_sec = (time_t)(virtual_now / SD_SEC),
                            .tv_nsec = (long)(virtual_now % SD_SEC)};
    return 0;
}

static bool is_flooded(int fd, struct sockaddr_storage *peer, socklen_t *len)
{
    *len = sizeof *peer;
    bool connected = !getpeername(fd, (struct sockaddr *)peer, len);
    return flooding && (flooded_peer < 0 ? !connected : fd == flooded_peer);
}

/* A hello of a client that never comes back; to a peer's socket, a record of nobody's key. */
static void one_more(struct mmsghdr *m, const struct sockaddr_storage *peer, socklen_t len)
{
    static const uint8_t record[40] = {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 1, 0, 0, 27};
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(4444)};
    struct msghdr *h = &m->msg_hdr;
    from.sin_addr.s_addr = htonl(0x7f010000 + flood_count++ % 0xffff);
    h->msg_namelen = flooded_peer < 0 ? (socklen_t)sizeof from : len;
    memcpy(h->msg_name, flooded_peer < 0 ? (const void *)&from : peer, h->msg_namelen);
    h->msg_controllen = 0;
    h->msg_flags = 0;
    if (flooded_peer < 0) {
        const struct shape hello = {.random = (uint8_t)flood_count, .extensions = 20};
        m->msg_len = (unsigned)make_hello(&hello, h->msg_iov->iov_base, h->msg_iov->iov_len);
    } else {
        memcpy(h->msg_iov->iov_base, record, sizeof record);
        m->msg_len = sizeof record;
    }
}

static void keep_readable(int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    if (flooded_peer < 0)
        sendto(helper, "x", 1, 0, (struct sockaddr *)&at, len);
}

int __real_recvmmsg(int fd, struct mmsghdr *msgs, unsigned len, int flags,
                    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned len, int flags,
                    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned len, int flags, struct timespec *timeout)
{
    struct sockaddr_storage peer;
    socklen_t peer_len;
    if (!is_flooded(fd, &peer, &peer_len))
        return __real_recvmmsg(fd, msgs, len, flags, timeout);
    int n = flooded_peer < 0 ? __real_recvmmsg(fd, msgs, len, flags, timeout) : 0;
    for (n = n > 0 ? n : 0; n < (int)len; n++)
        one_more(&msgs[n], &peer, peer_len);
    keep_readable(fd);
    return n;
}

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    const struct sockaddr_in *to = m->msg_name;
    if (flooding && to && to->sin_port == htons(4444))
        return (ssize_t)m->msg_iov->iov_len; /* nobody is there */
    return __real_sendmsg(fd, m, flags);
}

static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};

static sdtls_config server_config(unsigned flags)
{
    return (sdtls_config){SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED | flags};
}

static void flood_begins(const struct duo *d, int peer)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)atoi(d->port))};
    virtual_now = sd_clock_now();
    flooded_peer = peer;
    flooding = true;
    helper = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sendto(helper, "x", 1, 0, (struct sockaddr *)&at, sizeof at), 1);
}

static void flood_ends(void)
{
    flooding = false;
    virtual_now = 0;
    close(helper);
}

/* One call, which must not be late. */
static bool call(sdtls *s, sdtls_event *ev, int timeout_ms)
{
    sd_time begin = virtual_now;
    bool some = duo_step(s, ev, timeout_ms);
    assert_in_range(virtual_now - begin, 0, ((sd_time)timeout_ms + 5) * SD_MS);
    return some;
}

static void a_call_returns_in_time_and_the_fd_stays_readable(void **state)
{
    (void)state;
    static const int timeouts[] = {0, 1, 10, 100};
    const sdtls_config server = server_config(0);
    struct duo d;
    sdtls_event ev;
    duo_up(&d, &server, &trusting);
    struct pollfd p = {.fd = sdtls_fd(d.server), .events = POLLIN};
    flood_begins(&d, -1);
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        uint64_t before = sdtls_counter_named(d.server, "gate.no-cookie");
        assert_false(call(d.server, &ev, timeouts[i]));
        assert_int_equal(poll(&p, 1, 0), 1);
        /* It did not just return: hellos are refused all the time. */
        uint64_t refused = sdtls_counter_named(d.server, "gate.no-cookie") - before;
        assert_true(refused >= 50);
        assert_true(refused >= (uint64_t)timeouts[i] * 50);
    }
    flood_ends();
    duo_down(&d);
}

static void a_peer_is_heard_during_a_flood(void **state)
{
    (void)state;
    const sdtls_config server = server_config(0);
    struct duo d;
    sdtls_event ev;
    duo_up(&d, &server, &trusting);
    sdtls_conn *c = duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    duo_wait(&d, d.server, SDTLS_EV_READY);
    duo_serve(&d, d.server);
    assert_int_equal(sdtls_send(c, "first", 5), SDTLS_OK); /* it gets a socket of its own */
    duo_wait(&d, d.server, SDTLS_EV_DATA);
    duo_step(d.server, &ev, 0); /* nothing more of it is on the listener */
    flood_begins(&d, -1);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(sdtls_send(c, "heard", 5), SDTLS_OK);
        assert_true(call(d.server, &ev, 0));
        assert_int_equal(ev.type, SDTLS_EV_DATA);
    }
    flood_ends();
    duo_down(&d);
}

/* Real datagrams: the queue of the listener is full at the end, and some were dropped. */
static void fill_listener(struct duo *d)
{
    enum { BURST = 1000, MOST = 100 };
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)atoi(d->port))};
    static const uint8_t junk[1200];
    uint64_t before = sdtls_counter_named(d->server, "net.overflow");
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < MOST && sdtls_counter_named(d->server, "net.overflow") == before; i++)
        for (int k = 0; k < BURST; k++)
            sendto(fd, junk, sizeof junk, 0, (struct sockaddr *)&at, sizeof at);
    assert_true(sdtls_counter_named(d->server, "net.overflow") > before);
    close(fd);
}

static void the_first_message_of_a_silent_client_passes_a_flood(void **state)
{
    (void)state;
    const sdtls_config server = server_config(0);
    struct duo d;
    sdtls_event ev;
    duo_up(&d, &server, &trusting);
    sdtls_conn *c = duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    duo_wait(&d, d.server, SDTLS_EV_READY);
    assert_int_equal(sdtls_counter_named(d.server, "net.connected"), 0);
    sd_time deadline = sd_clock_now() + DUO_DEADLINE;
    while (sdtls_counter_named(d.server, "net.connected") == 0) {
        assert_true(sd_clock_now() < deadline);
        fill_listener(&d);
        assert_false(duo_step(d.server, &ev, 0));
    }
    fill_listener(&d);
    assert_int_equal(sdtls_send(c, "first", 5), SDTLS_OK);
    ev = duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_int_equal(ev.len, 5);
    duo_down(&d);
}

static void a_client_connects_during_a_flood(void **state)
{
    (void)state;
    enum { CALLS = 200 };
    const sdtls_config server = server_config(0);
    struct duo d;
    sdtls_event ev = {0};
    duo_up(&d, &server, &trusting);
    duo_connect(&d);
    flood_begins(&d, -1);
    for (int i = 0; i < CALLS && ev.type != SDTLS_EV_READY; i++) {
        duo_step(d.client, &ev, 0);
        call(d.server, &ev, 0);
    }
    assert_int_equal(ev.type, SDTLS_EV_READY);
    flood_ends();
    duo_down(&d);
}

/* Until the server has closed the one connection: how long that took. */
static sd_time time_to_close(struct duo *d, int err)
{
    sd_time begin = virtual_now, until = begin + 10 * SD_SEC;
    sdtls_event ev = {0};
    while (ev.type != SDTLS_EV_CLOSED && virtual_now < until)
        call(d->server, &ev, 10);
    assert_int_equal(ev.type, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, err);
    return virtual_now - begin;
}

/* Its own socket is read first, so it gets a moment more. */
enum { LIMIT_MS = 300, LATE_MS = 400 };

static void deadlines_are_kept_during_a_flood(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        sdtls_config server = server_config(shared ? SDTLS_F_SHARED : 0U);
        server.handshake_ms = LIMIT_MS;
        struct duo d;
        sdtls_event ev = {0};
        duo_up(&d, &server, &trusting);
        duo_connect(&d);
        flood_begins(&d, -1);
        while (ev.type != SDTLS_EV_ACCEPTED) {
            duo_step(d.client, &ev, 0);
            call(d.server, &ev, 0);
        }
        sd_time took = time_to_close(&d, SDTLS_TIMEOUT);
        assert_in_range(took, 0, (LIMIT_MS + LATE_MS) * SD_MS);
        flood_ends();
        duo_down(&d);
    }
}

/* Somebody who knows its address and port keeps its socket busy. */
static void a_flood_at_a_peers_socket_keeps_no_connection_alive(void **state)
{
    (void)state;
    sdtls_config server = server_config(0);
    server.idle_ms = LIMIT_MS;
    struct duo d;
    duo_up(&d, &server, &trusting);
    sdtls_conn *c = duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_READY);
    int own = sdtls_conn_fd(ev.conn);
    assert_true(own >= 0);
    assert_int_equal(send(sdtls_conn_fd(c), "x", 1, 0), 1); /* keeps it readable */
    flood_begins(&d, own);
    sd_time took = time_to_close(&d, SDTLS_IDLE);
    assert_in_range(took, LIMIT_MS * SD_MS / 2, (LIMIT_MS + LATE_MS) * SD_MS);
    flood_ends();
    duo_down(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_returns_in_time_and_the_fd_stays_readable),
        cmocka_unit_test(a_peer_is_heard_during_a_flood),
        cmocka_unit_test(the_first_message_of_a_silent_client_passes_a_flood),
        cmocka_unit_test(a_client_connects_during_a_flood),
        cmocka_unit_test(deadlines_are_kept_during_a_flood),
        cmocka_unit_test(a_flood_at_a_peers_socket_keeps_no_connection_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
