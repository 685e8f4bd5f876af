/* SPDX-License-Identifier: MIT */
/* lib/endpoint: hellos from an address that has a connection. RFC 6347 section 4.2.8: the
 * connection stays until the other handshake has a valid Finished. */
#include <fcntl.h>

#include "endpoint/internal.h"
#include "raw_client.h"

static const sdtls_config plain = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};

/* The hellos that the server admitted, as it saw them. */
static struct {
    uint8_t data[4][RAW_DATAGRAM];
    size_t len[4];
    unsigned count;
} admitted;

static void record_hello(void *arg, sdtls_conn *c, int sent, const void *data, size_t len)
{
    enum { TYPE_AT = 13 };
    const uint8_t *p = data;
    (void)arg, (void)c;
    if (sent || len <= TYPE_AT || p[0] != SD_CT_HANDSHAKE || p[TYPE_AT] != SD_HS_CLIENT_HELLO)
        return;
    memcpy(admitted.data[admitted.count % 4], data, len);
    admitted.len[admitted.count++ % 4] = len;
}

static uint64_t count(const struct duo *d, const char *name)
{
    return sdtls_counter_named(d->server, name);
}

/* A client of a fixed port, so that it can come back. */
static sdtls_config fixed_client(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    close(fd);
    return (sdtls_config){SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE, .source = "127.0.0.1",
                          .source_port = ntohs(a.sin_port)};
}

struct world {
    struct duo d;
    sdtls_config client;
    sdtls_conn *near, *far; /* the client's end of the connection, and the server's */
};

static void establish(struct world *w)
{
    w->near = duo_connect(&w->d);
    duo_wait(&w->d, w->d.client, SDTLS_EV_READY);
    w->far = duo_wait(&w->d, w->d.server, SDTLS_EV_READY).conn;
}

static void world_up(struct world *w)
{
    sdtls_config server = plain;
    server.tap = record_hello;
    admitted.count = 0;
    w->client = fixed_client();
    duo_up(&w->d, &server, &w->client);
    establish(w);
}

/* The client goes in good order. */
static void close_both(struct world *w)
{
    sdtls_close(w->near);
    duo_wait(&w->d, w->d.client, SDTLS_EV_CLOSED);
    duo_wait(&w->d, w->d.server, SDTLS_EV_CLOSED);
    sdtls_event ev;
    duo_step(w->d.server, &ev, 0);
    duo_step(w->d.client, &ev, 0);
}

/* The client's process dies, and another one comes to its port. */
static void die(struct world *w)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(dup2(null, sdtls_conn_fd(w->near)) >= 0);
    close(null);
    sdtls_free(w->d.client);
    w->d.client = sdtls_new(&w->client);
}

static void lives(struct world *w)
{
    assert_int_equal(sdtls_send(w->near, "up", 2), SDTLS_OK);
    sdtls_event ev = duo_wait(&w->d, w->d.server, SDTLS_EV_DATA);
    assert_ptr_equal(ev.conn, w->far);
    assert_memory_equal(ev.data, "up", 2);
    assert_int_equal(sdtls_send(w->far, "down", 4), SDTLS_OK);
    ev = duo_wait(&w->d, w->d.client, SDTLS_EV_DATA);
    assert_ptr_equal(ev.conn, w->near);
}

/* As an observer would send it: with the client's address and port. */
static void replay(struct world *w, unsigned which)
{
    uint64_t received = count(&w->d, "net.received");
    ssize_t n = send(sdtls_conn_fd(w->near), admitted.data[which], admitted.len[which], 0);
    assert_int_equal(n, admitted.len[which]);
    raw_until(w->d.server, "net.received", received + 1);
}

static void a_hello_that_was_used_begins_nothing(void **state)
{
    (void)state;
    struct world w;
    world_up(&w);
    close_both(&w);
    establish(&w);
    assert_int_equal(admitted.count, 2);
    for (uint64_t i = 1; i <= 3; i++) {
        replay(&w, 0);
        assert_int_equal(count(&w.d, "conn.replayed"), i);
        lives(&w);
    }
    replay(&w, 1); /* its own: neither */
    lives(&w);
    assert_int_equal(count(&w.d, "conn.accepted"), 2);
    assert_int_equal(count(&w.d, "conn.restarted"), 0);
    duo_down(&w.d);
}

static void nor_does_it_after_the_end(void **state)
{
    (void)state;
    struct world w;
    world_up(&w);
    close_both(&w);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    from.sin_port = htons(w.client.source_port);
    struct sockaddr_in to = from;
    to.sin_port = htons((uint16_t)atoi(w.d.port));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    for (uint64_t i = 1; i <= 3; i++) {
        sendto(fd, admitted.data[0], admitted.len[0], 0, (struct sockaddr *)&to, sizeof to);
        raw_until(w.d.server, "conn.replayed", i);
    }
    close(fd);
    assert_int_equal(count(&w.d, "conn.accepted"), 1);
    establish(&w); /* the client itself is welcome */
    duo_down(&w.d);
}

/* A client made by hand that uses the socket of the other one. */
static struct raw_client intruder(const struct world *w)
{
    static uint8_t number;
    struct raw_client c = {.fd = sdtls_conn_fd(w->near)};
    memset(c.random, ++number, sizeof c.random);
    return c;
}

/* A hello that was recorded before the connection began has a cookie that is good no more, whether
 * its handshake was completed or not. */
static void an_older_hello_begins_nothing(void **state)
{
    (void)state;
    struct world w;
    world_up(&w);
    close_both(&w);
    struct raw_client old = raw_open(w.d.port, 0, 0);
    close(old.fd);
    old.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    a.sin_port = htons(w.client.source_port);
    assert_int_equal(bind(old.fd, (struct sockaddr *)&a, sizeof a), 0);
    a.sin_port = htons((uint16_t)atoi(w.d.port));
    assert_int_equal(connect(old.fd, (struct sockaddr *)&a, sizeof a), 0);
    raw_cookie(w.d.server, &old); /* its second hello is not sent */
    close(old.fd);
    establish(&w);
    old.fd = sdtls_conn_fd(w.near);
    raw_prove(&old);
    raw_until(w.d.server, "gate.bad-cookie", 1);
    lives(&w);
    assert_int_equal(count(&w.d, "conn.accepted"), 2);
    assert_int_equal(w.d.server->conn_total, 1);
    duo_down(&w.d);
}

/* Who sees the HelloVerifyRequest and sends from the client's address. */
static void an_intruder_occupies_one_place_for_a_while(void **state)
{
    (void)state;
    struct world w;
    world_up(&w);
    for (uint64_t i = 1; i <= 3; i++) {
        struct raw_client c = intruder(&w);
        raw_cookie(w.d.server, &c);
        raw_prove(&c);
        raw_until(w.d.server, "conn.accepted", 1 + i);
        lives(&w);
        assert_int_equal(w.d.server->limits->places[SD_HALF_OPEN], 1);
        raw_prove(&c); /* again: the same */
        lives(&w);
        assert_int_equal(count(&w.d, "conn.accepted"), 1 + i);
    }
    clock_ahead += 11 * SD_SEC; /* it does not answer */
    sdtls_event ev = duo_wait(&w.d, w.d.server, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_TIMEOUT);
    assert_ptr_not_equal(ev.conn, w.far);
    lives(&w);
    assert_int_equal(w.d.server->limits->places[SD_HALF_OPEN], 0);
    assert_int_equal(w.d.server->conn_total, 1);
    duo_down(&w.d);
}

static sdtls_event next_of(struct world *w)
{
    sd_time until = __real_sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev, mine;
    while (!duo_step(w->d.server, &ev, 0) && __real_sd_clock_now() < until) {
        duo_step(w->d.client, &mine, 0);
        poll(NULL, 0, 1);
    }
    return ev;
}

static void a_client_that_comes_back_replaces_itself_when_it_is_complete(void **state)
{
    (void)state;
    struct world w;
    world_up(&w);
    die(&w);
    sdtls_conn *old = w.far;
    w.near = duo_connect(&w.d);
    sdtls_event ev = next_of(&w);
    assert_int_equal(ev.type, SDTLS_EV_ACCEPTED);
    w.far = ev.conn;
    assert_int_equal(sdtls_send(old, "to the dead", 11), SDTLS_OK);
    ev = next_of(&w);
    assert_int_equal(ev.type, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_RESTARTED);
    assert_ptr_equal(ev.conn, old);
    ev = next_of(&w);
    assert_int_equal(ev.type, SDTLS_EV_READY);
    assert_ptr_equal(ev.conn, w.far);
    duo_wait(&w.d, w.d.client, SDTLS_EV_READY);
    lives(&w);
    assert_int_equal(count(&w.d, "conn.restarted"), 1);
    assert_int_equal(w.d.server->limits->places[SD_ESTABLISHED], 1);
    duo_down(&w.d);
}

/* The program closes the old connection while the new handshake is under way. */
static void the_handshake_goes_on_when_the_connection_ends(void **state)
{
    (void)state;
    struct world w;
    world_up(&w);
    die(&w);
    w.near = duo_connect(&w.d);
    sdtls_conn *old = w.far;
    sdtls_event ev = next_of(&w);
    assert_int_equal(ev.type, SDTLS_EV_ACCEPTED);
    w.far = ev.conn;
    sdtls_close(old);
    ev = duo_wait(&w.d, w.d.server, SDTLS_EV_CLOSED);
    assert_ptr_equal(ev.conn, old);
    assert_int_equal(ev.err, SDTLS_OK);
    assert_ptr_equal(duo_wait(&w.d, w.d.server, SDTLS_EV_READY).conn, w.far);
    duo_wait(&w.d, w.d.client, SDTLS_EV_READY);
    lives(&w);
    assert_int_equal(count(&w.d, "conn.restarted"), 0);
    duo_down(&w.d);
}

/* A handshake under way is replaced only by a hello whose cookie was made since it began. */
static void a_recorded_hello_ends_no_handshake(void **state)
{
    (void)state;
    struct duo d;
    sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};
    duo_up(&d, &plain, &trusting);
    struct raw_client recorded = raw_open(d.port, 1, 0);
    raw_cookie(d.server, &recorded);
    struct raw_client c = recorded;
    memset(c.random, 0xcc, sizeof c.random);
    raw_cookie(d.server, &c);
    raw_prove(&c);
    raw_until(d.server, "conn.accepted", 1);
    raw_prove(&recorded);
    raw_until(d.server, "gate.bad-cookie", 1);
    assert_int_equal(count(&d, "conn.restarted"), 0);
    assert_int_equal(d.server->conn_total, 1);
    raw_cookie(d.server, &recorded); /* now it has lost its state, and proves it is there */
    raw_prove(&recorded);
    raw_until(d.server, "conn.accepted", 2);
    assert_int_equal(count(&d, "conn.restarted"), 1);
    close(c.fd);
    duo_down(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_that_was_used_begins_nothing),
        cmocka_unit_test(nor_does_it_after_the_end),
        cmocka_unit_test(an_older_hello_begins_nothing),
        cmocka_unit_test(an_intruder_occupies_one_place_for_a_while),
        cmocka_unit_test(a_client_that_comes_back_replaces_itself_when_it_is_complete),
        cmocka_unit_test(the_handshake_goes_on_when_the_connection_ends),
        cmocka_unit_test(a_recorded_hello_ends_no_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
