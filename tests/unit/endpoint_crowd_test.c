/* SPDX-License-Identifier: MIT */
/* lib/endpoint: clients that compete for the places of a server, by a clock that can be set. */
#include "endpoint/internal.h"
#include "raw_client.h"

static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};
static const sdtls_config plain = {SDTLS_CONFIG_INIT,
                                   .flags = SDTLS_F_SELF_SIGNED | SDTLS_F_SHARED};

static uint64_t count(const struct duo *d, const char *name)
{
    return sdtls_counter_named(d->server, name);
}

/* Runs the server until it has nothing to do; false when the connection closed meanwhile. */
static bool still_there(struct duo *d, const struct sdtls_conn *c)
{
    const struct sdtls_conn *o;
    sdtls_event ev;
    while (duo_step(d->server, &ev, 0))
        continue;
    TAILQ_FOREACH(o, &d->server->conns, all)
    {
        if (o == c)
            return o->state != SD_CONN_CLOSING;
    }
    return false;
}

static struct sdtls_conn *newest(struct duo *d)
{
    return TAILQ_LAST(&d->server->conns, sd_conn_list);
}

static void pass(sd_time t)
{
    clock_ahead += t;
}

static void the_crowded_host_gives_way(void **state)
{
    (void)state;
    sdtls_config four = plain;
    four.max_half_open = 4;
    struct duo d;
    struct raw_client c[6];
    struct sdtls_conn *conn[6];
    static const unsigned hosts[] = {2, 1, 1, 1, 3};
    duo_up(&d, &four, &trusting);
    for (int i = 0; i < 4; i++) {
        c[i] = raw_half_open(d.server, d.port, hosts[i], 0);
        conn[i] = newest(&d);
        pass(SD_MS);
    }
    c[4] = raw_half_open(d.server, d.port, hosts[4], 0);
    assert_true(still_there(&d, conn[0])); /* the oldest of all, but alone */
    assert_false(still_there(&d, conn[1]));
    assert_true(still_there(&d, conn[2]));
    assert_true(still_there(&d, conn[3]));
    assert_true(still_there(&d, newest(&d)));
    assert_int_equal(count(&d, "conn.evicted"), 1);
    assert_int_equal(count(&d, "conn.limit-half-open"), 1);
    for (int i = 0; i < 5; i++)
        close(c[i].fd);
    duo_down(&d);
}

/* Also for a host that has some, as long as it has fewer. */
static void a_host_with_fewer_takes_a_place_of_one_with_more(void **state)
{
    (void)state;
    sdtls_config four = plain;
    four.max_half_open = 4;
    struct duo d;
    struct raw_client c[5];
    struct sdtls_conn *conn[5];
    static const unsigned hosts[] = {2, 1, 1, 1, 2};
    duo_up(&d, &four, &trusting);
    for (int i = 0; i < 5; i++) {
        c[i] = raw_half_open(d.server, d.port, hosts[i], 0);
        conn[i] = newest(&d);
        pass(SD_MS);
    }
    assert_true(still_there(&d, conn[0]));
    assert_false(still_there(&d, conn[1]));
    assert_true(still_there(&d, conn[4]));
    for (int i = 0; i < 5; i++)
        close(c[i].fd);
    duo_down(&d);
}

static void who_gives_way_is_told_why(void **state)
{
    (void)state;
    sdtls_config one = plain;
    one.max_half_open = 1;
    struct duo d;
    sdtls_event ev = {0};
    duo_up(&d, &one, &trusting);
    struct raw_client a = raw_half_open(d.server, d.port, 1, 0), b = raw_open(d.port, 2, 0);
    raw_cookie(d.server, &b);
    raw_prove(&b);
    sd_time until = __real_sd_clock_now() + DUO_DEADLINE;
    while (ev.type != SDTLS_EV_CLOSED && __real_sd_clock_now() < until)
        raw_step(d.server, &ev);
    assert_int_equal(ev.type, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_LIMIT);
    assert_non_null(strstr(ev.text, "gave way to another client"));
    assert_non_null(strstr(ev.text, "1 handshakes are under way, 1 of them from this host"));
    close(a.fd);
    close(b.fd);
    duo_down(&d);
}

/* Among hosts with one client each, the oldest goes. */
static void equals_go_by_age(void **state)
{
    (void)state;
    sdtls_config three = plain;
    three.max_half_open = 3;
    struct duo d;
    struct raw_client c[5];
    struct sdtls_conn *conn[3];
    duo_up(&d, &three, &trusting);
    for (unsigned i = 0; i < 3; i++) {
        c[i] = raw_half_open(d.server, d.port, 1 + i, 0);
        conn[i] = newest(&d);
        pass(SD_MS);
    }
    c[3] = raw_half_open(d.server, d.port, 4, 0);
    assert_false(still_there(&d, conn[0]));
    c[4] = raw_half_open(d.server, d.port, 5, 0);
    assert_false(still_there(&d, conn[1]));
    assert_true(still_there(&d, conn[2]));
    for (int i = 0; i < 5; i++)
        close(c[i].fd);
    duo_down(&d);
}

static void a_host_replaces_its_own_after_a_while(void **state)
{
    (void)state;
    sdtls_config two = plain;
    two.max_half_open_per_host = 2;
    struct duo d;
    duo_up(&d, &two, &trusting);
    struct raw_client a = raw_half_open(d.server, d.port, 1, 0);
    struct sdtls_conn *first = newest(&d);
    struct raw_client b = raw_half_open(d.server, d.port, 1, 0), c = raw_open(d.port, 1, 0);
    raw_cookie(d.server, &c);
    raw_prove(&c);
    raw_until(d.server, "conn.limit-host", 1);
    assert_true(still_there(&d, first));
    assert_int_equal(count(&d, "conn.accepted"), 2);
    pass(2 * SD_SEC);
    raw_prove(&c);
    raw_until(d.server, "conn.accepted", 3);
    assert_false(still_there(&d, first));
    struct raw_client other = raw_half_open(d.server, d.port, 2, 0); /* is not concerned */
    assert_int_equal(count(&d, "conn.evicted"), 1);
    close(a.fd), close(b.fd), close(c.fd), close(other.fd);
    duo_down(&d);
}

/* Many slow clients of one host: as long as handshakes complete, nobody is pushed out. */
static void a_host_that_gets_on_replaces_nobody(void **state)
{
    (void)state;
    sdtls_config two = plain;
    two.max_half_open_per_host = 2;
    sdtls_config same_host = trusting;
    same_host.source = "127.9.0.1";
    struct duo d;
    duo_up(&d, &two, &same_host);
    struct raw_client a = raw_half_open(d.server, d.port, 1, 0);
    struct sdtls_conn *first = newest(&d);
    pass(SD_SEC);
    assert_non_null(duo_connect(&d));
    duo_wait(&d, d.client, SDTLS_EV_READY);
    duo_wait(&d, d.server, SDTLS_EV_READY);
    struct raw_client b = raw_half_open(d.server, d.port, 1, 0), c = raw_open(d.port, 1, 0);
    raw_cookie(d.server, &c);
    pass(SD_SEC + SD_SEC / 2); /* 2.5 s after the first began, 1.5 s after one got through */
    raw_prove(&c);
    raw_until(d.server, "conn.limit-host", 1);
    assert_true(still_there(&d, first));
    pass(SD_SEC);
    raw_prove(&c);
    raw_until(d.server, "conn.accepted", 4);
    assert_false(still_there(&d, first));
    assert_int_equal(count(&d, "conn.evicted"), 1);
    close(a.fd), close(b.fd), close(c.fd);
    duo_down(&d);
}

/* A partial key exchange is an answer. */
static void answer(const struct duo *d, const struct raw_client *c)
{
    static const uint8_t fragment[] = {22, 0xfe, 0xfd, 0,  0, 0, 0, 0, 0, 0, 2, 0, 13,
                                       16, 0,    0,    33, 0, 2, 0, 0, 0, 0, 0, 1, 32};
    uint64_t received = count(d, "net.received");
    assert_true(send(c->fd, fragment, sizeof fragment, 0) > 0);
    raw_until(d->server, "net.received", received + 1);
}

static void a_host_does_not_replace_who_has_answered(void **state)
{
    (void)state;
    sdtls_config two = plain;
    two.max_half_open_per_host = 2;
    struct duo d;
    duo_up(&d, &two, &trusting);
    struct raw_client a = raw_half_open(d.server, d.port, 1, 0);
    struct sdtls_conn *first = newest(&d);
    struct raw_client b = raw_half_open(d.server, d.port, 1, 0), c = raw_open(d.port, 1, 0);
    struct sdtls_conn *second = newest(&d);
    answer(&d, &a);
    pass(2 * SD_SEC);
    raw_cookie(d.server, &c);
    raw_prove(&c);
    raw_until(d.server, "conn.accepted", 3);
    assert_true(still_there(&d, first));
    assert_false(still_there(&d, second));
    answer(&d, &c);
    struct raw_client e = raw_open(d.port, 1, 0);
    raw_cookie(d.server, &e);
    pass(3 * SD_SEC);
    raw_prove(&e);
    raw_until(d.server, "conn.limit-host", 2); /* both have answered: this one has to ask again */
    assert_int_equal(count(&d, "conn.evicted"), 1);
    close(a.fd), close(b.fd), close(c.fd), close(e.fd);
    duo_down(&d);
}

static void crowd(struct duo *d, unsigned host, unsigned n)
{
    enum { FIRST_PORT = 20000 };
    for (unsigned i = 0; i < n; i++)
        close(raw_half_open(d->server, d->port, host, FIRST_PORT + i).fd);
}

/* 256 of 2,048 for a host; include/sukat_dtls.h and docs/man promise both. */
static void the_default_limits_are_those_of_the_header(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &plain, &trusting);
    for (unsigned host = 1; host <= 8; host++)
        crowd(&d, host, 256);
    assert_int_equal(count(&d, "conn.limit-host"), 0);
    assert_int_equal(count(&d, "conn.evicted"), 0);
    struct raw_client c = raw_open(d.port, 8, 0);
    raw_cookie(d.server, &c);
    raw_prove(&c);
    raw_until(d.server, "conn.limit-host", 1);
    struct raw_client other = raw_half_open(d.server, d.port, 9, 0);
    assert_int_equal(count(&d, "conn.evicted"), 1);
    assert_int_equal(count(&d, "conn.limit-half-open"), 1);
    assert_true(d.server->limits->half_open_bytes <= 128000000);
    close(c.fd), close(other.fd);
    duo_down(&d);
}

static void send_early(const struct raw_client *c, unsigned n, size_t len)
{
    uint8_t record[RAW_DATAGRAM] = {0};
    static const uint8_t body[RAW_DATAGRAM];
    for (unsigned i = 0; i < n; i++) {
        struct sd_wr w = sd_wr_init(record, sizeof record);
        size_t mark = sd_record_open(&w, SD_CT_APPDATA, SD_DTLS_1_2, 1, 1 + i);
        sd_wr_bytes(&w, body, len);
        sd_record_close(&w, mark);
        assert_true(send(c->fd, record, sd_wr_len(&w), 0) > 0);
    }
}

static void early_records_are_kept_within_64_kb(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &plain, &trusting);
    struct raw_client c = raw_half_open(d.server, d.port, 1, 0);
    size_t before = newest(&d)->bytes;
    send_early(&c, 16, 1200);
    raw_until(d.server, "guard.early", 16 - 3);
    assert_true(newest(&d)->bytes >= before + 3 * 1200);
    assert_true(newest(&d)->bytes <= 65536);
    assert_int_equal(d.server->limits->half_open_bytes, newest(&d)->bytes);
    close(c.fd);
    duo_down(&d);
}

static void memory_is_limited_in_total(void **state)
{
    (void)state;
    sdtls_config three = plain;
    three.max_half_open_bytes = 200000; /* three of 59 kB */
    struct duo d;
    struct raw_client c[5];
    duo_up(&d, &three, &trusting);
    for (unsigned i = 0; i < 3; i++)
        c[i] = raw_half_open(d.server, d.port, 1 + i, 0);
    assert_int_equal(count(&d, "conn.limit-memory"), 0);
    c[3] = raw_half_open(d.server, d.port, 4, 0);
    raw_until(d.server, "conn.limit-memory", 1);
    assert_int_equal(count(&d, "conn.evicted"), 1);
    assert_true(d.server->limits->half_open_bytes < 200000);
    pass(SD_MS);
    for (unsigned i = 1; i < 4; i++) /* 12 kB more */
        send_early(&c[i], 3, 1200);
    raw_until(d.server, "conn.limit-memory", 1);
    for (unsigned i = 0; i < 4; i++)
        close(c[i].fd);
    duo_down(&d);
}

static void memory_is_taken_from_who_has_not_answered(void **state)
{
    (void)state;
    sdtls_config three = plain;
    three.max_half_open_bytes = 200000; /* three of 59 kB */
    struct duo d;
    struct raw_client c[4];
    struct sdtls_conn *conn[2];
    static const unsigned hosts[] = {1, 1, 2, 3};
    duo_up(&d, &three, &trusting);
    for (unsigned i = 0; i < 4; i++) {
        c[i] = raw_half_open(d.server, d.port, hosts[i], 0);
        if (i < 2)
            conn[i] = newest(&d);
        if (i == 0)
            answer(&d, &c[0]);
    }
    raw_until(d.server, "conn.limit-memory", 1);
    assert_true(still_there(&d, conn[0]));
    assert_false(still_there(&d, conn[1]));
    for (unsigned i = 0; i < 4; i++)
        close(c[i].fd);
    duo_down(&d);
}

static void a_silent_client_goes_after_ten_timers(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &plain, &trusting);
    struct raw_client c = raw_half_open(d.server, d.port, 1, 0);
    const struct sdtls_conn *conn = newest(&d);
    pass(9 * SD_SEC);
    assert_true(still_there(&d, conn));
    raw_prove(&c); /* it lost our flight and says so */
    uint64_t received = count(&d, "net.received");
    raw_until(d.server, "net.received", received + 1);
    pass(9 * SD_SEC);
    assert_true(still_there(&d, conn));
    pass(2 * SD_SEC);
    assert_false(still_there(&d, conn));
    close(c.fd);
    duo_down(&d);
}

static void a_client_that_answers_has_30_s(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &plain, &trusting);
    struct raw_client c = raw_half_open(d.server, d.port, 1, 0);
    const struct sdtls_conn *conn = newest(&d);
    answer(&d, &c);
    pass(29 * SD_SEC);
    assert_true(still_there(&d, conn));
    pass(2 * SD_SEC);
    assert_false(still_there(&d, conn));
    close(c.fd);
    duo_down(&d);
}

static void a_cookie_is_good_for_two_minutes_at_most(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &plain, &trusting);
    struct raw_client c = raw_open(d.port, 1, 0), late = raw_open(d.port, 1, 0);
    raw_cookie(d.server, &c);
    raw_cookie(d.server, &late);
    pass(59 * SD_SEC);
    raw_prove(&c);
    raw_until(d.server, "conn.accepted", 1);
    pass(61 * SD_SEC);
    raw_prove(&late);
    raw_until(d.server, "gate.bad-cookie", 1);
    assert_int_equal(count(&d, "conn.accepted"), 1);
    close(c.fd), close(late.fd);
    duo_down(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_crowded_host_gives_way),
        cmocka_unit_test(a_host_with_fewer_takes_a_place_of_one_with_more),
        cmocka_unit_test(who_gives_way_is_told_why),
        cmocka_unit_test(equals_go_by_age),
        cmocka_unit_test(a_host_replaces_its_own_after_a_while),
        cmocka_unit_test(a_host_that_gets_on_replaces_nobody),
        cmocka_unit_test(a_host_does_not_replace_who_has_answered),
        cmocka_unit_test(the_default_limits_are_those_of_the_header),
        cmocka_unit_test(early_records_are_kept_within_64_kb),
        cmocka_unit_test(memory_is_limited_in_total),
        cmocka_unit_test(memory_is_taken_from_who_has_not_answered),
        cmocka_unit_test(a_silent_client_goes_after_ten_timers),
        cmocka_unit_test(a_client_that_answers_has_30_s),
        cmocka_unit_test(a_cookie_is_good_for_two_minutes_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
