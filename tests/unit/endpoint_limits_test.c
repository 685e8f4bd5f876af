/* SPDX-License-Identifier: MIT */
/* lib/endpoint: what a server allows, and for how long. */
#include "duo.h"

static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};

static sdtls_config server_config(void)
{
    return (sdtls_config){SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};
}

/* Runs both ends until a counter of the server has this value. */
static void wait_counter(struct duo *d, const char *name, uint64_t value)
{
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev;
    while (sdtls_counter_named(d->server, name) < value) {
        if (sd_clock_now() > until)
            fail_msg("%s stays at %llu", name,
                     (unsigned long long)sdtls_counter_named(d->server, name));
        duo_step(d->server, &ev, 1);
        duo_step(d->client, &ev, 0);
    }
}

static void one_client_too_many_is_not_served(void **state)
{
    (void)state;
    sdtls_config two = server_config();
    two.max_clients = 2;
    struct duo d;
    duo_up(&d, &two, &trusting);
    for (int i = 0; i < 3; i++)
        duo_connect(&d);
    wait_counter(&d, "conn.established", 2);
    wait_counter(&d, "conn.limit-clients", 1);
    assert_int_equal(sdtls_counter_named(d.server, "conn.accepted"), 2);
    duo_down(&d);
}

/* Clients that prove their address and then say no more: their endpoint is
 * driven only until the server has admitted them. */
static void half_open(struct duo *d, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        duo_connect(d);
        sd_time until = sd_clock_now() + DUO_DEADLINE;
        sdtls_event ev;
        while (sdtls_counter_named(d->server, "conn.accepted") <= i && sd_clock_now() < until) {
            duo_step(d->server, &ev, 1);
            if (sdtls_counter_named(d->server, "conn.accepted") <= i)
                duo_step(d->client, &ev, 0);
        }
        assert_int_equal(sdtls_counter_named(d->server, "conn.accepted"), i + 1);
    }
}

static void half_open_clients_go_at_the_deadline(void **state)
{
    (void)state;
    sdtls_config hasty = server_config();
    hasty.handshake_ms = 200;
    struct duo d;
    duo_up(&d, &hasty, &trusting);
    half_open(&d, 1);
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev = {0};
    while (ev.type != SDTLS_EV_CLOSED && sd_clock_now() < until)
        duo_step(d.server, &ev, 100);
    assert_int_equal(ev.type, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_TIMEOUT);
    duo_down(&d);
}

/* The client so far is left alone from now on; another one takes its place. */
static sdtls *another_client(struct duo *d)
{
    sdtls *first = d->client;
    d->client = sdtls_new(&trusting);
    assert_non_null(d->client);
    return first;
}

static void drive_beside(struct duo *d, sdtls *first, const char *name, uint64_t value)
{
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev;
    while (sdtls_counter_named(d->server, name) < value && sd_clock_now() < until) {
        duo_step(first, &ev, 0);
        duo_step(d->server, &ev, 1);
    }
    assert_true(sdtls_counter_named(d->server, name) >= value);
}

static void half_open_clients_are_limited(void **state)
{
    (void)state;
    sdtls_config few = server_config();
    few.max_half_open = 1;
    struct duo d;
    duo_up(&d, &few, &trusting);
    half_open(&d, 1);
    sdtls *first = another_client(&d);
    sdtls_conn *second = duo_connect(&d);
    wait_counter(&d, "conn.limit-half-open", 1);
    /* The first completes and makes room. */
    drive_beside(&d, first, "conn.established", 1);
    while (duo_wait(&d, d.client, SDTLS_EV_READY).conn != second)
        continue;
    sdtls_free(first);
    duo_down(&d);
}

static void half_open_clients_of_one_host_are_limited(void **state)
{
    (void)state;
    sdtls_config few = server_config();
    few.max_half_open_per_host = 1;
    struct duo d;
    duo_up(&d, &few, &trusting);
    half_open(&d, 1);
    sdtls *first = another_client(&d);
    duo_connect(&d);
    wait_counter(&d, "conn.limit-host", 1);
    sdtls_free(first);
    duo_down(&d);
}

static void an_idle_client_is_closed(void **state)
{
    (void)state;
    sdtls_config idle = server_config();
    idle.idle_ms = 100;
    struct duo d;
    duo_up(&d, &idle, &trusting);
    duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    duo_wait(&d, d.server, SDTLS_EV_READY);
    sdtls_event ev = duo_wait(&d, d.server, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_IDLE);
    ev = duo_wait(&d, d.client, SDTLS_EV_CLOSED); /* it was told */
    assert_int_equal(ev.err, SDTLS_OK);
    duo_down(&d);
}

static void an_old_config_of_smaller_size_works(void **state)
{
    (void)state;
    sdtls_config old = server_config();
    old.cb_arg = &old; /* beyond the size that it claims: not looked at */
    old.tap = (void (*)(void *, sdtls_conn *, int, const void *, size_t))(uintptr_t)1;
    old.size = offsetof(sdtls_config, log);
    struct duo d;
    duo_up(&d, &old, &trusting);
    duo_connect(&d);
    duo_wait(&d, d.server, SDTLS_EV_READY);
    duo_down(&d);
}

static void a_config_of_a_newer_library_is_refused_only_if_it_asks_for_more(void **state)
{
    (void)state;
    struct {
        sdtls_config config;
        long added;
    } newer = {.config = server_config()};
    newer.config.size = sizeof newer;
    sdtls *s = sdtls_new(&newer.config);
    assert_int_equal(sdtls_listen(s, "127.0.0.1", NULL), SDTLS_OK);
    sdtls_free(s);
    newer.added = 1;
    s = sdtls_new(&newer.config);
    assert_int_equal(sdtls_listen(s, "127.0.0.1", NULL), SDTLS_ARG);
    sdtls_free(s);
}

static void an_endpoint_that_cannot_listen_may_still_connect(void **state)
{
    (void)state;
    sdtls_config config = server_config();
    struct duo d;
    duo_up(&d, &config, &trusting);
    assert_int_equal(sdtls_listen(d.client, "127.0.0.1", NULL), SDTLS_CRED); /* no certificate */
    duo_connect(&d);
    duo_wait(&d, d.client, SDTLS_EV_READY);
    duo_down(&d);
}

static void every_error_and_counter_has_a_name(void **state)
{
    (void)state;
#define SDTLS_X(name, value, text)                                                                 \
    assert_string_equal(sdtls_strerror(value), text);                                              \
    assert_string_equal(sdtls_errname(value), #name);
    SDTLS_ERRORS(SDTLS_X)
#undef SDTLS_X
    sdtls *s = sdtls_new(NULL);
    const char *name;
    unsigned i = 0;
    for (sdtls_counter(s, i, &name); name; sdtls_counter(s, ++i, &name))
        assert_int_equal(sdtls_counter_named(s, name), 0);
    assert_true(i > 30);
    sdtls_free(s);
}

static void an_address_that_cannot_be_had_is_named(void **state)
{
    (void)state;
    sdtls_config config = server_config();
    sdtls *s = sdtls_new(&config);
    assert_int_equal(sdtls_listen(s, "192.0.2.1", "1"), SDTLS_IO); /* TEST-NET: not ours */
    assert_non_null(strstr(sdtls_errmsg(s), "192.0.2.1:1"));
    assert_int_equal(sdtls_listen(s, "no-such-host.invalid", "1"), SDTLS_RESOLVE);
    assert_non_null(strstr(sdtls_errmsg(s), "no-such-host.invalid"));
    sdtls_free(s);
}

static void a_port_is_shared_only_when_asked_for(void **state)
{
    (void)state;
    sdtls_config config = server_config();
    struct duo d;
    duo_up(&d, &config, &trusting);
    sdtls *s = sdtls_new(&config);
    assert_int_equal(sdtls_listen(s, "127.0.0.1", d.port), SDTLS_IO);
    assert_non_null(strstr(sdtls_errmsg(s), "another program uses this port"));
    sdtls_free(s);
    config.flags |= SDTLS_F_TAKE_OVER;
    s = sdtls_new(&config);
    assert_int_equal(sdtls_listen(s, "127.0.0.1", d.port), SDTLS_OK);
    sdtls_free(s);
    duo_down(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_client_too_many_is_not_served),
        cmocka_unit_test(half_open_clients_go_at_the_deadline),
        cmocka_unit_test(half_open_clients_are_limited),
        cmocka_unit_test(half_open_clients_of_one_host_are_limited),
        cmocka_unit_test(an_idle_client_is_closed),
        cmocka_unit_test(an_old_config_of_smaller_size_works),
        cmocka_unit_test(a_config_of_a_newer_library_is_refused_only_if_it_asks_for_more),
        cmocka_unit_test(an_endpoint_that_cannot_listen_may_still_connect),
        cmocka_unit_test(every_error_and_counter_has_a_name),
        cmocka_unit_test(a_port_is_shared_only_when_asked_for),
        cmocka_unit_test(an_address_that_cannot_be_had_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
