/* SPDX-License-Identifier: MIT */
/* lib/endpoint: established clients, and who leaves when there is no place for another one. */
#include "endpoint/internal.h"
#include "raw_client.h"

static const sdtls_config plain = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};

struct guest {
    sdtls *e;
    sdtls_conn *near, *far;
};

static uint64_t count(const sdtls *s, const char *name)
{
    return sdtls_counter_named(s, name);
}

static sdtls *server_up(const sdtls_config *config, char port[static 8])
{
    struct duo d = {.server = sdtls_new(config)};
    assert_int_equal(sdtls_listen(d.server, "127.0.0.1", NULL), SDTLS_OK);
    duo_port(&d);
    memcpy(port, d.port, sizeof d.port);
    return d.server;
}

/* A client of host 127.9.0.`host`, established. */
static struct guest invite(sdtls *server, const char *port, unsigned host)
{
    char source[16];
    snprintf(source, sizeof source, "127.9.0.%u", host);
    const sdtls_config config = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE, .source = source};
    struct duo d = {.server = server, .client = sdtls_new(&config)};
    struct guest g = {.e = d.client};
    memcpy(d.port, port, sizeof d.port);
    g.near = duo_connect(&d);
    g.far = duo_wait(&d, server, SDTLS_EV_READY).conn;
    duo_wait(&d, g.e, SDTLS_EV_READY);
    return g;
}

/* The CLOSED event of the server's connections, if there is one now. */
static sdtls_event closed_now(sdtls *server)
{
    sdtls_event ev;
    while (raw_step(server, &ev))
        if (ev.type == SDTLS_EV_CLOSED)
            return ev;
    return (sdtls_event){0};
}

static void send_data(sdtls *server, const struct guest *g)
{
    struct duo d = {.server = server, .client = g->e};
    assert_int_equal(sdtls_send(g->near, "data", 4), SDTLS_OK);
    assert_ptr_equal(duo_wait(&d, server, SDTLS_EV_DATA).conn, g->far);
}

/* The same, and whose place it takes. */
static struct guest invite_instead(sdtls *server, const char *port, unsigned host,
                                   const struct guest *out)
{
    char source[16];
    snprintf(source, sizeof source, "127.9.0.%u", host);
    const sdtls_config config = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE, .source = source};
    struct guest g = {.e = sdtls_new(&config)};
    sd_time until = __real_sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev, gone = {0};
    assert_int_equal(sdtls_connect(g.e, "127.0.0.1", port, &g.near), SDTLS_OK);
    while ((!g.far || !gone.conn) && __real_sd_clock_now() < until) {
        if (raw_step(server, &ev) && ev.type == SDTLS_EV_READY)
            g.far = ev.conn;
        if (ev.type == SDTLS_EV_CLOSED)
            gone = ev;
        duo_step(g.e, &ev, 0);
    }
    assert_non_null(g.far);
    assert_ptr_equal(gone.conn, out->far);
    assert_int_equal(gone.err, SDTLS_LIMIT);
    struct duo d = {.server = server, .client = out->e};
    duo_wait(&d, out->e, SDTLS_EV_CLOSED); /* it was told */
    return g;
}

/* Refused at its hello: with an alert that is smaller, and nothing else. */
static void turned_away(sdtls *server, const char *port, unsigned host)
{
    static const uint8_t alert[] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 80};
    uint8_t buf[RAW_DATAGRAM];
    uint64_t accepted = count(server, "conn.accepted");
    struct raw_client c = raw_open(port, host, 0);
    raw_cookie(server, &c);
    raw_prove(&c);
    assert_int_equal(raw_receive(server, c.fd, buf), sizeof alert);
    assert_memory_equal(buf, alert, sizeof alert);
    assert_int_equal(count(server, "conn.accepted"), accepted);
    close(c.fd);
}

static void leave(struct guest *g)
{
    sdtls_free(g->e);
}

static void the_one_idle_longest_gives_way(void **state)
{
    (void)state;
    sdtls_config two = plain;
    char port[8];
    two.max_clients = 2;
    sdtls *s = server_up(&two, port);
    struct guest a = invite(s, port, 1), b = invite(s, port, 2);
    clock_ahead += 11 * SD_SEC;
    send_data(s, &a);
    struct guest c = invite_instead(s, port, 3, &b);
    assert_int_equal(count(s, "conn.evicted-idle"), 1);
    assert_int_equal(count(s, "conn.limit-clients"), 0);
    send_data(s, &a);
    send_data(s, &c);
    leave(&a), leave(&b), leave(&c);
    sdtls_free(s);
}

static void nobody_active_gives_way(void **state)
{
    (void)state;
    sdtls_config two = plain;
    char port[8];
    two.max_clients = 2;
    sdtls *s = server_up(&two, port);
    struct guest a = invite(s, port, 1), b = invite(s, port, 2);
    clock_ahead += 9 * SD_SEC;
    turned_away(s, port, 3);
    assert_int_equal(count(s, "conn.limit-clients"), 1);
    assert_int_equal(count(s, "conn.evicted-idle"), 0);
    send_data(s, &a);
    send_data(s, &b);
    leave(&a), leave(&b);
    sdtls_free(s);
}

static void a_crowded_host_gives_way_to_others(void **state)
{
    (void)state;
    sdtls_config three = plain;
    char port[8];
    three.max_clients = 3;
    sdtls *s = server_up(&three, port);
    struct guest a = invite(s, port, 1), b = invite(s, port, 1), c = invite(s, port, 1);
    clock_ahead += SD_SEC;
    send_data(s, &a);
    turned_away(s, port, 1); /* not to itself */
    struct guest d = invite_instead(s, port, 2, &b);
    turned_away(s, port, 2); /* two and one: no host has too many */
    send_data(s, &a), send_data(s, &c), send_data(s, &d);
    leave(&a), leave(&b), leave(&c), leave(&d);
    sdtls_free(s);
}

static void a_host_has_its_own_limit(void **state)
{
    (void)state;
    sdtls_config one = plain;
    char port[8];
    one.max_clients_per_host = 1;
    sdtls *s = server_up(&one, port);
    struct guest a = invite(s, port, 1), b = invite(s, port, 2);
    turned_away(s, port, 1);
    assert_int_equal(count(s, "conn.limit-host-clients"), 1);
    clock_ahead += 11 * SD_SEC;
    send_data(s, &b);
    struct guest c = invite_instead(s, port, 1, &a);
    send_data(s, &b), send_data(s, &c);
    leave(&a), leave(&b), leave(&c);
    sdtls_free(s);
}

/* A half-open crowd takes no place of those who are established. */
static void half_open_clients_take_no_place_of_established_ones(void **state)
{
    (void)state;
    sdtls_config few = plain;
    char port[8];
    few.max_clients = 2;
    sdtls *s = server_up(&few, port);
    struct raw_client c[4];
    for (unsigned i = 0; i < 4; i++)
        c[i] = raw_half_open(s, port, 10 + i, 0);
    struct guest a = invite(s, port, 1), b = invite(s, port, 2);
    send_data(s, &a), send_data(s, &b);
    for (unsigned i = 0; i < 4; i++)
        close(c[i].fd);
    leave(&a), leave(&b);
    sdtls_free(s);
}

static void data_received_keeps_a_client(void **state)
{
    (void)state;
    sdtls_config idle = plain;
    char port[8];
    idle.idle_ms = 1000;
    sdtls *s = server_up(&idle, port);
    struct guest a = invite(s, port, 1);
    for (int i = 0; i < 3; i++) {
        clock_ahead += 700 * SD_MS;
        send_data(s, &a);
    }
    clock_ahead += 700 * SD_MS;
    assert_ptr_equal(closed_now(s).conn, NULL);
    clock_ahead += 400 * SD_MS;
    sdtls_event ev = closed_now(s);
    assert_ptr_equal(ev.conn, a.far);
    assert_int_equal(ev.err, SDTLS_IDLE);
    leave(&a);
    sdtls_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_idle_longest_gives_way),
        cmocka_unit_test(nobody_active_gives_way),
        cmocka_unit_test(a_crowded_host_gives_way_to_others),
        cmocka_unit_test(a_host_has_its_own_limit),
        cmocka_unit_test(half_open_clients_take_no_place_of_established_ones),
        cmocka_unit_test(data_received_keeps_a_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
