/* SPDX-License-Identifier: MIT */
/* lib/endpoint: what a user of the public header may rely on. */
#include "duo.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <openssl/ssl.h>

static const sdtls_config self_signed = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};
static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};

static void data_goes_both_ways(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    sdtls_conn *c = duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    assert_int_equal(sdtls_send(c, "ping", 4), SDTLS_OK);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_int_equal(ev.len, 4);
    assert_memory_equal(ev.data, "ping", 4);
    assert_int_equal(sdtls_send(ev.conn, "pong!", 5), SDTLS_OK);
    ev = duo_wait(&d, d.client, SDTLS_EV_DATA);
    assert_ptr_equal(ev.conn, c);
    assert_int_equal(ev.len, 5);
    assert_memory_equal(ev.data, "pong!", 5);
    duo_down(&d);
}

static void events_come_in_the_documented_order(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    sdtls_conn *c = duo_connect(&d);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_ACCEPTED);
    sdtls_conn *served = ev.conn;
    sdtls_set_user(served, &d);
    assert_int_equal(sdtls_send(served, "x", 1), SDTLS_STATE);
    assert_int_equal(sdtls_max_payload(served), 0);
    ev = duo_wait(&d, d.server, SDTLS_EV_READY);
    assert_ptr_equal(ev.conn, served);
    assert_ptr_equal(sdtls_user(served), &d);
    assert_ptr_equal(sdtls_conn_endpoint(served), d.server);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    sdtls_close(c);
    ev = duo_wait(&d, d.client, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_OK);
    ev = duo_wait(&d, d.server, SDTLS_EV_CLOSED);
    assert_ptr_equal(ev.conn, served);
    assert_int_equal(ev.err, SDTLS_OK);
    duo_down(&d);
}

static void each_client_has_a_socket_of_its_own(void **state)
{
    (void)state;
    enum { N = 5 };
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    int fds[N];
    for (int i = 0; i < N; i++) {
        duo_connect(&d);
        sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_READY);
        struct sockaddr_in peer;
        socklen_t len = sizeof peer;
        fds[i] = sdtls_conn_fd(ev.conn);
        assert_int_equal(getpeername(fds[i], (struct sockaddr *)&peer, &len), 0);
        const struct sockaddr_in *told = (const void *)sdtls_peer(ev.conn, &len);
        assert_int_equal(peer.sin_port, told->sin_port);
        for (int j = 0; j < i; j++)
            assert_int_not_equal(fds[i], fds[j]);
    }
    assert_int_equal(sdtls_counter_named(d.server, "net.connected"), N);
    duo_down(&d);
}

static void a_shared_client_works_the_same(void **state)
{
    (void)state;
    sdtls_config shared = self_signed;
    shared.flags |= SDTLS_F_SHARED;
    struct duo d;
    duo_up(&d, &shared, &trusting);
    sdtls_conn *c = duo_connect(&d);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_READY);
    assert_int_equal(sdtls_conn_fd(ev.conn), -1);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    assert_int_equal(sdtls_send(c, "ping", 4), SDTLS_OK);
    duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_int_equal(sdtls_counter_named(d.server, "net.shared"), 1);
    duo_down(&d);
}

static void the_fd_is_readable_whenever_there_is_work(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    sdtls_conn *c = duo_connect(&d);
    struct pollfd p[2] = {{sdtls_fd(d.server), POLLIN, 0}, {sdtls_fd(d.client), POLLIN, 0}};
    bool ready = false;
    sdtls_event ev;
    while (!ready) { /* one event a wake-up, never drained: the worst a user may do */
        assert_true(poll(p, 2, 30000) > 0);
        if (p[0].revents && duo_step(d.server, &ev, 0) && ev.type == SDTLS_EV_DATA)
            ready = true;
        if (p[1].revents && duo_step(d.client, &ev, 0) && ev.type == SDTLS_EV_READY)
            assert_int_equal(sdtls_send(c, "x", 1), SDTLS_OK);
    }
    sdtls_close(c);
    assert_int_equal(poll(&p[1], 1, 0), 1); /* the CLOSED event waits */
    duo_down(&d);
}

/* Two datagrams come out of the listener's socket at once; the second waits in the endpoint. */
static void the_fd_is_readable_while_a_datagram_waits_that_was_read(void **state)
{
    (void)state;
    sdtls_config shared = self_signed;
    shared.flags |= SDTLS_F_SHARED;
    struct duo d;
    sdtls_event ev;
    duo_up(&d, &shared, &trusting);
    sdtls_conn *c[2];
    for (int i = 0; i < 2; i++) {
        c[i] = duo_connect(&d);
        duo_wait(&d, d.client, SDTLS_EV_READY);
        duo_wait(&d, d.server, SDTLS_EV_READY);
        assert_int_equal(sdtls_send(c[i], "first", 5), SDTLS_OK);
        duo_wait(&d, d.server, SDTLS_EV_DATA);
    }
    duo_serve(&d, d.server);
    struct pollfd p = {sdtls_fd(d.server), POLLIN, 0};
    while (poll(&p, 1, 0))
        assert_false(duo_step(d.server, &ev, 0));
    for (int i = 0; i < 2; i++)
        assert_int_equal(sdtls_send(c[i], "x", 1), SDTLS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(poll(&p, 1, 0), 1);
        assert_true(duo_step(d.server, &ev, 0));
        assert_int_equal(ev.type, SDTLS_EV_DATA);
    }
    while (poll(&p, 1, 0)) /* at most a timer that is not needed any more */
        assert_false(duo_step(d.server, &ev, 0));
    duo_down(&d);
}

static int silent_socket(char port[8])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    snprintf(port, 8, "%u", ntohs(a.sin_port));
    return fd;
}

/* Nobody calls sdtls_next() between the connect and the poll. */
static void the_fd_wakes_for_a_timer_of_a_fresh_connection(void **state)
{
    (void)state;
    sdtls_config hasty = trusting;
    hasty.handshake_ms = 100;
    for (int fd_first = 0; fd_first < 2; fd_first++) {
        struct duo d = {.server = sdtls_new(NULL), .client = sdtls_new(&hasty)};
        int silent = silent_socket(d.port);
        struct pollfd p = {fd_first ? sdtls_fd(d.client) : -1, POLLIN, 0};
        duo_connect(&d);
        p.fd = sdtls_fd(d.client);
        sdtls_event ev = {0};
        while (ev.type != SDTLS_EV_CLOSED) {
            assert_int_equal(poll(&p, 1, 30000), 1);
            duo_step(d.client, &ev, 0);
        }
        assert_int_equal(ev.err, SDTLS_TIMEOUT);
        close(silent);
        duo_down(&d);
    }
}

static void a_wrong_psk_ends_with_a_reason(void **state)
{
    (void)state;
    const sdtls_config right = {SDTLS_CONFIG_INIT, .psk = "0123456789abcdef", .psk_len = 16,
                                .psk_identity = "me", .handshake_ms = 1500};
    sdtls_config wrong = right;
    wrong.psk = "fedcba9876543210";
    struct duo d;
    duo_up(&d, &right, &wrong);
    duo_connect(&d);
    sdtls_event ev = duo_wait(&d, d.client, SDTLS_EV_CLOSED);
    assert_true(ev.err == SDTLS_TIMEOUT || ev.err == SDTLS_ALERT_RECEIVED);
    assert_non_null(ev.text);
    duo_down(&d);
    duo_up(&d, &right, &right);
    duo_connect(&d);
    ev = duo_wait(&d, d.server, SDTLS_EV_READY);
    sdtls_info info;
    sdtls_conn_info(ev.conn, &info);
    assert_string_equal(info.psk_identity, "me");
    duo_down(&d);
}

static void a_client_that_starts_anew_replaces_itself(void **state)
{
    (void)state;
    sdtls_config fixed = trusting;
    fixed.source = "127.0.0.1";
    struct duo d;
    duo_up(&d, &self_signed, &fixed);
    sdtls_conn *c = duo_connect(&d);
    sdtls_event ev = duo_wait(&d, d.client, SDTLS_EV_READY);
    socklen_t len;
    fixed.source_port =
        ntohs(((const struct sockaddr_in *)(const void *)sdtls_conn_local(c, &len))->sin_port);
    ev = duo_wait(&d, d.server, SDTLS_EV_READY);
    sdtls_conn *old = ev.conn;

    /* The process dies without a word: no close_notify leaves its socket. */
    int null = open("/dev/null", O_RDWR);
    assert_true(dup2(null, sdtls_conn_fd(c)) >= 0);
    close(null);
    sdtls_free(d.client);
    d.client = sdtls_new(&fixed);
    c = duo_connect(&d);
    ev = duo_wait(&d, d.server, SDTLS_EV_CLOSED);
    assert_ptr_equal(ev.conn, old);
    assert_int_equal(ev.err, SDTLS_RESTARTED);
    duo_wait(&d, d.server, SDTLS_EV_READY);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    assert_int_equal(sdtls_send(c, "again", 5), SDTLS_OK);
    duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_int_equal(sdtls_counter_named(d.server, "conn.restarted"), 1);
    duo_down(&d);
}

/* The half-open limit holds for those who start anew, too: what they had stays. */
static void a_client_cannot_start_anew_beyond_the_limit(void **state)
{
    (void)state;
    sdtls_config fixed = trusting, few = self_signed;
    fixed.source = "127.0.0.1";
    few.max_half_open = 1;
    struct duo d;
    duo_up(&d, &few, &fixed);
    sdtls_conn *c = duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    socklen_t len;
    fixed.source_port =
        ntohs(((const struct sockaddr_in *)(const void *)sdtls_conn_local(c, &len))->sin_port);
    duo_wait(&d, d.server, SDTLS_EV_READY);

    /* Another client takes the one place, and says no more. */
    duo_connect(&d);
    sdtls_event ev;
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    while (sdtls_counter_named(d.server, "conn.accepted") < 2 && sd_clock_now() < until) {
        duo_step(d.server, &ev, 1);
        if (sdtls_counter_named(d.server, "conn.accepted") < 2)
            duo_step(d.client, &ev, 0);
    }
    int null = open("/dev/null", O_RDWR);
    assert_true(dup2(null, sdtls_conn_fd(c)) >= 0);
    close(null);
    sdtls *silent = d.client;
    d.client = sdtls_new(&fixed);
    duo_connect(&d);
    while (!sdtls_counter_named(d.server, "conn.limit-half-open") && sd_clock_now() < until) {
        duo_step(d.server, &ev, 1);
        duo_step(d.client, &ev, 0);
    }
    assert_int_equal(sdtls_counter_named(d.server, "conn.limit-half-open"), 1);
    assert_int_equal(sdtls_counter_named(d.server, "conn.restarted"), 0);
    sdtls_free(silent);
    duo_down(&d);
}

static void an_ssl_ctx_of_the_callers_is_used(void **state)
{
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
    assert_non_null(ctx);
    SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-CHACHA20-POLY1305");
    struct duo d;
    duo_up(&d, &self_signed, &(sdtls_config){SDTLS_CONFIG_INIT, .ssl_ctx = ctx});
    SSL_CTX_free(ctx); /* the endpoint has a reference of its own */
    sdtls_conn *c = duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    sdtls_info info;
    sdtls_conn_info(c, &info);
    assert_non_null(strstr(info.cipher, "CHACHA20"));
    assert_ptr_equal(SSL_get_SSL_CTX(sdtls_native(c)), ctx);
    duo_down(&d);
}

static void a_bound_socket_is_adopted(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    struct duo d = {.server = sdtls_new(&self_signed), .client = sdtls_new(&trusting)};
    assert_int_equal(sdtls_adopt(d.server, fd), SDTLS_OK);
    duo_port(&d);
    duo_connect(&d);
    duo_wait(&d, d.server, SDTLS_EV_READY);
    duo_down(&d);
    sdtls *s = sdtls_new(&self_signed);
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sdtls_adopt(s, tcp), SDTLS_IO);
    assert_true(fcntl(tcp, F_GETFD) >= 0); /* still the caller's */
    close(tcp);
    sdtls_free(s);
}

static void listening_everywhere_means_both_families_on_one_port(void **state)
{
    (void)state;
    struct duo d = {.server = sdtls_new(&self_signed), .client = sdtls_new(&trusting)};
    assert_int_equal(sdtls_listen(d.server, NULL, NULL), SDTLS_OK);
    duo_port(&d);
    duo_connect(&d); /* 127.0.0.1 */
    duo_wait(&d, d.server, SDTLS_EV_READY);
    if (sdtls_local(d.server, 1, NULL)) { /* the machine has IPv6 */
        assert_int_equal(sdtls_connect(d.client, "::1", d.port, NULL), SDTLS_OK);
        duo_wait(&d, d.server, SDTLS_EV_READY);
    }
    duo_down(&d);
}

static void nobody_listening_is_told_from_silence(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    sdtls_free(d.server); /* now the port is closed */
    d.server = sdtls_new(NULL);
    duo_connect(&d);
    sdtls_event ev = duo_wait(&d, d.client, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_REFUSED);
    duo_down(&d);
}

static void a_silent_server_ends_at_the_deadline(void **state)
{
    (void)state;
    sdtls_config hasty = trusting;
    hasty.handshake_ms = 300;
    hasty.timer_ms = 50;
    struct duo d = {.server = sdtls_new(NULL), .client = sdtls_new(&hasty)};
    int fd = silent_socket(d.port);
    duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_RETRANSMIT);
    sdtls_event ev = duo_wait(&d, d.client, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_TIMEOUT);
    close(fd);
    duo_down(&d);
}

static void a_server_of_another_protocol_is_recognised(void **state)
{
    (void)state;
    sdtls_config hasty = trusting;
    hasty.handshake_ms = 300;
    struct duo d = {.server = sdtls_new(NULL), .client = sdtls_new(&hasty)};
    int fd = silent_socket(d.port);
    sdtls_conn *c = duo_connect(&d);
    socklen_t len;
    const struct sockaddr *to = sdtls_conn_local(c, &len);
    for (int i = 0; i < 2; i++)
        assert_true(sendto(fd, "HTTP/1.1 400 Bad Request", 24, 0, to, len) == 24);
    sdtls_event ev = duo_wait(&d, d.client, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_NOT_DTLS);
    close(fd);
    duo_down(&d);
}

static void a_probe_ends_at_the_first_answer(void **state)
{
    (void)state;
    sdtls_config probing = trusting;
    probing.flags = SDTLS_F_PROBE;
    struct duo d;
    duo_up(&d, &self_signed, &probing);
    duo_connect(&d);
    sdtls_event ev = duo_wait(&d, d.client, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_OK);
    assert_non_null(strstr(ev.text, "hello_verify_request"));
    assert_int_equal(sdtls_counter_named(d.server, "conn.accepted"), 0);
    duo_down(&d);
}

static void keying_material_is_the_same_at_both_ends(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    sdtls_conn *c = duo_connect(&d);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_READY);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    uint8_t a[20], b[20];
    assert_int_equal(sdtls_export(c, "EXPORTER-test", a, sizeof a), SDTLS_OK);
    assert_int_equal(sdtls_export(ev.conn, "EXPORTER-test", b, sizeof b), SDTLS_OK);
    assert_memory_equal(a, b, sizeof a);
    duo_down(&d);
}

static void freeing_a_server_says_goodbye(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    duo_wait(&d, d.server, SDTLS_EV_READY);
    sdtls_free(d.server);
    d.server = sdtls_new(NULL);
    sdtls_event ev = duo_wait(&d, d.client, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_OK);
    duo_down(&d);
}

static void more_than_a_datagram_holds_is_refused_with_the_limit(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    sdtls_conn *c = duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    size_t most = sdtls_max_payload(c);
    uint8_t *big = calloc(1, most + 1);
    assert_non_null(big);
    assert_int_equal(sdtls_send(c, big, most + 1), SDTLS_TOOBIG);
    char limit[32];
    snprintf(limit, sizeof limit, "at most %zu", most);
    assert_non_null(strstr(sdtls_errmsg(d.client), limit));
    assert_int_equal(sdtls_send(c, big, most), SDTLS_OK);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_DATA);
    assert_int_equal(ev.len, most);
    free(big);
    duo_down(&d);
}

/* Two sockets between a client and the server: what a client sends arrives twice. */
struct doubler {
    int front, back;
    struct sockaddr_in client;
    unsigned verify_requests;
};

static struct doubler put_doubler_before(struct duo *d)
{
    struct doubler r = {.front = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0),
                        .back = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    assert_int_equal(bind(r.front, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(r.front, (struct sockaddr *)&at, &len), 0);
    const struct sockaddr *server = sdtls_local(d->server, 0, &len);
    assert_int_equal(connect(r.back, server, len), 0);
    snprintf(d->port, sizeof d->port, "%u", ntohs(at.sin_port));
    return r;
}

static void pass_doubled(struct doubler *r)
{
    uint8_t buf[2048];
    socklen_t len = sizeof r->client;
    ssize_t n;
    while ((n = recvfrom(r->front, buf, sizeof buf, 0, (struct sockaddr *)&r->client, &len)) > 0)
        for (int i = 0; i < 2; i++)
            assert_int_equal(send(r->back, buf, (size_t)n, 0), n);
    while ((n = recv(r->back, buf, sizeof buf, 0)) > 0) {
        enum { MESSAGE_TYPE_AT = 13, HELLO_VERIFY_REQUEST = 3 };
        r->verify_requests += n > MESSAGE_TYPE_AT && buf[MESSAGE_TYPE_AT] == HELLO_VERIFY_REQUEST;
        assert_int_equal(
            sendto(r->front, buf, (size_t)n, 0, (struct sockaddr *)&r->client, sizeof r->client),
            n);
    }
}

static void a_hello_that_comes_twice_makes_one_client(void **state)
{
    (void)state;
    struct duo d;
    sdtls_event ev = {0};
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    duo_up(&d, &self_signed, &trusting);
    struct doubler r = put_doubler_before(&d);
    sdtls_conn *c = duo_connect(&d);
    bool served = false;
    while (!served && sd_clock_now() < until) {
        pass_doubled(&r);
        if (duo_step(d.client, &ev, 1) && ev.type == SDTLS_EV_READY)
            assert_int_equal(sdtls_send(c, "x", 1), SDTLS_OK);
        pass_doubled(&r);
        served = duo_step(d.server, &ev, 1) && ev.type == SDTLS_EV_DATA;
    }
    assert_true(served);
    assert_int_equal(sdtls_counter_named(d.server, "conn.accepted"), 1);
    assert_int_equal(sdtls_counter_named(d.server, "conn.restarted"), 0);
    assert_int_equal(r.verify_requests, 2); /* of the first hello, not of the one with the cookie */
    duo_down(&d);
    close(r.front);
    close(r.back);
}

/* The client's end has gone, and the kernel answers for it, as anybody on the way might. */
static void icmp_errors_do_not_end_a_connection(void **state)
{
    (void)state;
    struct duo d;
    sdtls_event ev = {0};
    duo_up(&d, &self_signed, &trusting);
    struct doubler r = put_doubler_before(&d);
    duo_connect(&d);
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    while (ev.type != SDTLS_EV_READY && sd_clock_now() < until) {
        duo_serve(&d, d.client);
        pass_doubled(&r);
        duo_step(d.server, &ev, 1);
    }
    sdtls_conn *c = ev.conn;
    close(r.back);
    int told = 0;
    while (sdtls_counter_named(d.server, "net.icmp") < 5 && sd_clock_now() < until) {
        assert_int_equal(sdtls_send(c, "x", 1), SDTLS_OK);
        if (!duo_step(d.server, &ev, 1))
            continue;
        assert_int_equal(ev.type, SDTLS_EV_FINDING);
        assert_string_equal(ev.finding, "icmp-port-unreachable");
        told++;
    }
    assert_true(sdtls_counter_named(d.server, "net.icmp") >= 5);
    assert_int_equal(told, 1);
    duo_down(&d);
    close(r.front);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_goes_both_ways),
        cmocka_unit_test(a_hello_that_comes_twice_makes_one_client),
        cmocka_unit_test(icmp_errors_do_not_end_a_connection),
        cmocka_unit_test(events_come_in_the_documented_order),
        cmocka_unit_test(each_client_has_a_socket_of_its_own),
        cmocka_unit_test(a_shared_client_works_the_same),
        cmocka_unit_test(the_fd_is_readable_whenever_there_is_work),
        cmocka_unit_test(the_fd_is_readable_while_a_datagram_waits_that_was_read),
        cmocka_unit_test(the_fd_wakes_for_a_timer_of_a_fresh_connection),
        cmocka_unit_test(a_wrong_psk_ends_with_a_reason),
        cmocka_unit_test(a_client_that_starts_anew_replaces_itself),
        cmocka_unit_test(a_client_cannot_start_anew_beyond_the_limit),
        cmocka_unit_test(an_ssl_ctx_of_the_callers_is_used),
        cmocka_unit_test(a_bound_socket_is_adopted),
        cmocka_unit_test(listening_everywhere_means_both_families_on_one_port),
        cmocka_unit_test(nobody_listening_is_told_from_silence),
        cmocka_unit_test(a_silent_server_ends_at_the_deadline),
        cmocka_unit_test(a_server_of_another_protocol_is_recognised),
        cmocka_unit_test(a_probe_ends_at_the_first_answer),
        cmocka_unit_test(keying_material_is_the_same_at_both_ends),
        cmocka_unit_test(freeing_a_server_says_goodbye),
        cmocka_unit_test(more_than_a_datagram_holds_is_refused_with_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
