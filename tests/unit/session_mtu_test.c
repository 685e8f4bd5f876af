/* SPDX-License-Identifier: MIT */
#include "session_pair.h"

#include "session_cert.h"

static void no_datagram_exceeds_the_mtu(void **state)
{
    (void)state;
    static const size_t mtus[] = {0, 228, 548, 1232, 1452, 4000};
    struct test_cert cert = test_cert_new(EVP_PKEY_RSA, -1, 1, 6000);
    const sdtls_config server = {SDTLS_CONFIG_INIT, .cert_file = cert.cert, .key_file = cert.key};
    struct pair *p = pair_new(NULL, &server);
    for (size_t i = 0; i < sizeof mtus / sizeof *mtus; i++) {
        pair_again(p);
        size_t mtu = mtus[i] ? mtus[i] : 1232;
        p->side[CLIENT].config.mtu = p->side[SERVER].config.mtu = mtus[i];
        handshake(p);
        assert_alive(p);
        assert_true(p->side[CLIENT].largest <= mtu);
        assert_true(p->side[SERVER].largest <= mtu);
        assert_true(p->side[SERVER].largest > mtu - mtu / 4);
        assert_int_equal(sd_session_mtu(p->side[SERVER].session), mtu);
    }
    pair_free(p);
    test_cert_free(&cert);
}

/* Ticket, ChangeCipherSpec and Finished: at some MTU OpenSSL puts all into one datagram. */
static void the_last_flight_is_none_larger(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    for (size_t mtu = 228; mtu < 420; mtu += 8) {
        pair_again(p);
        p->side[CLIENT].config.mtu = p->side[SERVER].config.mtu = mtu;
        handshake(p);
        assert_alive(p);
        assert_true(p->side[SERVER].largest <= mtu);
    }
    pair_free(p);
}

static int count_large(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)from, (void)n, (void)data;
    p->fired += *len > 1232;
    return 1;
}

static void the_route_limits_the_handshake_and_widens_the_data(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->side[SERVER].config.route_payload = 600;
    p->side[CLIENT].config.route_payload = 1452;
    p->network = count_large;
    handshake(p);
    assert_alive(p);
    assert_int_equal(sd_session_mtu(p->side[SERVER].session), 600);
    assert_int_equal(sd_session_mtu(p->side[CLIENT].session), 1452);
    assert_true(p->side[SERVER].largest <= 600);
    assert_int_equal(p->fired, 1); /* the probe after the client's handshake */
    pair_free(p);
}

static void the_largest_payload_fills_a_datagram(void **state)
{
    (void)state;
    static const char *const ciphers[] = {
        "ECDHE-ECDSA-AES128-GCM-SHA256",      "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-CCM:@SECLEVEL=0", "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
        "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", "ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0",
    };
    static uint8_t buf[2000];
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        const sdtls_config client = {SDTLS_CONFIG_INIT, .ciphers = ciphers[i]};
        const sdtls_config server = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED,
                                     .ciphers = ciphers[i]};
        struct pair *p = pair_new(&client, &server);
        p->side[CLIENT].config.route_payload = 1400;
        connect_client(p);
        assert_int_equal(sd_session_max_payload(p->side[CLIENT].session), 0);
        drive(p);
        assert_alive(p);
        struct side *c = &p->side[CLIENT];
        size_t max = sd_session_max_payload(c->session);
        assert_true(max > 1300 && max < 1400);
        c->largest = 0;
        assert_int_equal(sd_session_send(c->session, buf, max), SDTLS_OK);
        assert_true(c->largest <= 1400 && c->largest > 1400 - 16);
        deliver(p);
        assert_int_equal(p->side[SERVER].data_len, max);
        assert_int_equal(sd_session_send(c->session, buf, max + 1), SDTLS_TOOBIG);
        pair_free(p);
    }
}

static void a_record_holds_no_more_than_16_kib(void **state)
{
    (void)state;
    static uint8_t buf[16385];
    struct pair *p = pair_new(NULL, NULL);
    struct side *c = &p->side[CLIENT];
    c->config.route_payload = 65507;
    handshake(p);
    assert_alive(p);
    assert_int_equal(sd_session_max_payload(c->session), 16384);
    assert_int_equal(sd_session_send(c->session, buf, 16385), SDTLS_TOOBIG);
    assert_int_equal(sd_session_send(c->session, buf, 16384), SDTLS_OK);
    deliver(p);
    assert_int_equal(p->side[SERVER].data_len, 16384);
    assert_alive(p);
    pair_free(p);
}

/* A network that silently loses whatever is larger than `arg`. */
static int black_hole(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)from, (void)n, (void)data;
    return *len <= p->arg;
}

static void the_mtu_steps_down_where_large_datagrams_vanish(void **state)
{
    (void)state;
    static const struct {
        size_t path, mtu;
        unsigned steps;
    } cases[] = {{1100, 548, 1}, {600, 548, 1}, {300, 228, 2}};
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 3000);
    const sdtls_config server = {SDTLS_CONFIG_INIT, .cert_file = cert.cert, .key_file = cert.key};
    struct pair *p = pair_new(NULL, &server);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pair_again(p);
        p->network = black_hole;
        p->arg = cases[i].path;
        handshake(p);
        assert_alive(p);
        /* The first retransmission is as large: one loss says nothing. */
        assert_int_equal(p->side[SERVER].retransmits, cases[i].steps + 1);
        assert_int_equal(p->side[SERVER].mtu_events, cases[i].steps);
        assert_int_equal(sd_session_mtu(p->side[SERVER].session), cases[i].mtu);
        assert_int_equal(p->side[CLIENT].mtu_events, 0);
    }
    pair_free(p);
    test_cert_free(&cert);
}

static void an_ipv6_path_is_not_sent_less_than_it_must_carry(void **state)
{
    (void)state;
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 3000);
    const sdtls_config server = {SDTLS_CONFIG_INIT, .cert_file = cert.cert, .key_file = cert.key};
    struct pair *p = pair_new(NULL, &server);
    p->side[SERVER].config.ipv6 = true;
    p->network = black_hole;
    p->arg = 1100;
    connect_client(p);
    deliver(p);
    for (int i = 0; i < 4 && wait_timer(p); i++)
        deliver(p);
    assert_true(p->side[SERVER].retransmits >= 2);
    assert_int_equal(p->side[SERVER].mtu_events, 0);
    pair_free(p);
    test_cert_free(&cert);
}

/* A router that says what it does not carry: that fits `arg` bytes, or `arg2`. */
static int router(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)n;
    if (*len <= p->arg)
        return 1;
    p->fired++;
    tell_limit(&p->side[from], p->arg2 ? p->arg2 : p->arg, data, *len);
    return 0;
}

static void a_flight_goes_out_again_at_once_when_a_router_reports_its_limit(void **state)
{
    (void)state;
    static const size_t paths[] = {1000, 700, 548};
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 6000);
    const sdtls_config server = {SDTLS_CONFIG_INIT, .cert_file = cert.cert, .key_file = cert.key};
    struct pair *p = pair_new(NULL, &server);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        pair_again(p);
        p->side[CLIENT].config.timer_ms = p->side[SERVER].config.timer_ms = 60000;
        p->network = router;
        p->arg = paths[i];
        handshake(p);
        assert_alive(p);
        assert_true(p->fired > 1);
        assert_int_equal(p->side[SERVER].retransmits, 0);
        assert_int_equal(p->side[SERVER].mtu_events, 1);
        assert_int_equal(sd_session_mtu(p->side[SERVER].session), paths[i]);
    }
    pair_free(p);
    test_cert_free(&cert);
}

/* As above, but the kernel refuses: no word of a router, one of its own. */
static int own_route(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)n;
    if (*len <= p->arg)
        return 1;
    tell_limit(&p->side[from], p->arg, data, *len);
    p->side[from].report.here = true;
    p->side[from].report.quoted = 0;
    return -EMSGSIZE;
}

static void a_flight_goes_out_again_at_once_when_this_host_refuses_it(void **state)
{
    (void)state;
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 6000);
    const sdtls_config server = {SDTLS_CONFIG_INIT, .cert_file = cert.cert, .key_file = cert.key};
    struct pair *p = pair_new(NULL, &server);
    p->side[CLIENT].config.timer_ms = p->side[SERVER].config.timer_ms = 60000;
    p->network = own_route;
    p->arg = 800;
    handshake(p);
    assert_alive(p);
    assert_int_equal(p->side[SERVER].retransmits, 0);
    assert_int_equal(sd_session_mtu(p->side[SERVER].session), 800);
    pair_free(p);
    test_cert_free(&cert);
}

/* The kernel refuses, and leaves no report. */
static int refusal(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)from, (void)n, (void)data;
    return *len <= p->arg ? 1 : -EMSGSIZE;
}

static void a_refused_flight_is_smaller_from_the_first_retransmission_on(void **state)
{
    (void)state;
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 3000);
    const sdtls_config server = {SDTLS_CONFIG_INIT, .cert_file = cert.cert, .key_file = cert.key};
    struct pair *p = pair_new(NULL, &server);
    p->network = refusal;
    p->arg = 600;
    handshake(p);
    assert_alive(p);
    assert_int_equal(p->side[SERVER].retransmits, 1);
    assert_int_equal(p->side[SERVER].mtu_events, 1);
    assert_int_equal(sd_session_mtu(p->side[SERVER].session), 548);
    pair_free(p);
    test_cert_free(&cert);
}

/* Forged reports: without a true quote, or with an absurd size. */
static int forger(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    uint8_t guess[548] = {SD_CT_HANDSHAKE, 0xfe, 0xfd};
    struct side *s = &p->side[from];
    switch (n % 3) {
    case 0:
        tell_limit(s, 600, guess, sizeof guess);
        break;
    case 1:
        tell_limit(s, p->arg, data, *len); /* on the path, but absurd */
        break;
    default:
        tell_limit(s, 600, data, 20); /* too little of it to be proof */
    }
    return 1;
}

static void what_quotes_nothing_of_ours_or_is_absurd_changes_nothing(void **state)
{
    (void)state;
    static const size_t absurd[] = {0, 40, 547, 20000};
    struct pair *p = pair_new(NULL, NULL);
    for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
        pair_again(p);
        p->network = forger;
        p->arg = absurd[i];
        p->side[CLIENT].config.route_payload = p->side[SERVER].config.route_payload = 1400;
        handshake(p);
        for (int again = 0; again < 5; again++)
            assert_alive(p);
        for (int who = CLIENT; who <= SERVER; who++) {
            assert_int_equal(sd_session_mtu(p->side[who].session), 1400);
            assert_int_equal(p->side[who].mtu_events, 0);
            assert_int_equal(p->side[who].retransmits, 0);
        }
    }
    pair_free(p);
}

static void the_limit_for_data_is_found_before_data_is_lost(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->side[CLIENT].config.route_payload = p->side[SERVER].config.route_payload = 1472;
    p->network = router;
    p->arg = 1372;
    handshake(p);
    deliver(p);
    /* The client asks as soon as it is ready, the server once it has heard data. */
    assert_int_equal(sd_session_mtu(p->side[CLIENT].session), 1372);
    assert_int_equal(sd_session_mtu(p->side[SERVER].session), 1472);
    assert_alive(p);
    assert_int_equal(sd_session_mtu(p->side[SERVER].session), 1372);
    assert_int_equal(p->fired, 2);
    for (int from = CLIENT; from <= SERVER; from++) {
        struct side *s = &p->side[from], *to = &p->side[!from];
        size_t max = sd_session_max_payload(s->session);
        assert_int_equal(s->mtu_events, 1);
        s->largest = 0;
        assert_int_equal(sd_session_send(s->session, s->data, max), SDTLS_OK);
        assert_int_equal(sd_session_send(s->session, s->data, max + 1), SDTLS_TOOBIG);
        assert_true(s->largest > 1372 - 16);
        deliver(p);
        assert_int_equal(to->data_len, max);
    }
    pair_free(p);
}

static void a_lowered_mtu_is_tried_anew_after_ten_minutes(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    struct side *c = &p->side[CLIENT];
    c->config.route_payload = 1472;
    p->network = router;
    p->arg = 1372;
    handshake(p);
    deliver(p);
    sd_time now = test_clock(), when = sd_session_deadline(c->session, now);
    assert_true(when > now + 590 * SD_SEC && when < now + 610 * SD_SEC);
    p->arg = 1500;
    sd_session_timer(c->session, when);
    pump(c);
    assert_int_equal(sd_session_mtu(c->session), 1472);
    assert_int_equal(c->mtu_events, 2);
    assert_int_equal(sd_session_deadline(c->session, when), SD_NEVER);
    assert_alive(p);
    pair_free(p);
}

static void a_fixed_mtu_is_neither_probed_nor_exceeded(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    struct side *c = &p->side[CLIENT];
    c->config.route_payload = 1472;
    c->config.mtu = 1300;
    handshake(p);
    assert_alive(p);
    assert_int_equal(sd_session_mtu(c->session), 1300);
    assert_true(c->largest <= 1300);
    pair_free(p);
}

static void data_that_the_route_refuses_is_reported(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    struct side *c = &p->side[CLIENT];
    c->config.route_payload = 1452;
    handshake(p);
    assert_alive(p);
    size_t max = sd_session_max_payload(c->session);
    p->network = own_route;
    p->arg = 1300;
    assert_int_equal(sd_session_send(c->session, c->data, max), SDTLS_TOOBIG);
    /* A size that is safe at once, the exact one with the kernel's report. */
    assert_int_equal(sd_session_mtu(c->session), 1232);
    deliver(p);
    assert_int_equal(c->mtu_events, 1);
    assert_int_equal(sd_session_mtu(c->session), 1300);
    assert_int_equal(sd_session_send(c->session, c->data, sd_session_max_payload(c->session)),
                     SDTLS_OK);
    deliver(p);
    assert_alive(p);
    pair_free(p);
}

static void a_padded_datagram_has_the_size_asked_for(void **state)
{
    (void)state;
    static const size_t sizes[] = {200, 1232, 1473, 9000, 16900};
    struct pair *p = pair_new(NULL, NULL);
    handshake(p);
    assert_alive(p);
    for (int from = CLIENT; from <= SERVER; from++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct side *s = &p->side[from], *to = &p->side[!from];
            s->largest = 0;
            unsigned before = to->data_events;
            assert_int_equal(sd_session_send_padded(s->session, "ping", 4, sizes[i]), SDTLS_OK);
            assert_int_equal(s->largest, sizes[i]);
            deliver(p);
            assert_int_equal(to->data_events, before + 1);
            assert_int_equal(to->data_len, 4);
        }
    size_t sent = p->side[CLIENT].sent;
    assert_int_equal(sd_session_send_padded(p->side[CLIENT].session, "ping", 4, 30), SDTLS_ARG);
    assert_int_equal(p->side[CLIENT].sent, sent);
    assert_alive(p);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_datagram_exceeds_the_mtu),
        cmocka_unit_test(the_last_flight_is_none_larger),
        cmocka_unit_test(the_route_limits_the_handshake_and_widens_the_data),
        cmocka_unit_test(the_largest_payload_fills_a_datagram),
        cmocka_unit_test(a_record_holds_no_more_than_16_kib),
        cmocka_unit_test(the_mtu_steps_down_where_large_datagrams_vanish),
        cmocka_unit_test(an_ipv6_path_is_not_sent_less_than_it_must_carry),
        cmocka_unit_test(a_flight_goes_out_again_at_once_when_a_router_reports_its_limit),
        cmocka_unit_test(a_flight_goes_out_again_at_once_when_this_host_refuses_it),
        cmocka_unit_test(a_refused_flight_is_smaller_from_the_first_retransmission_on),
        cmocka_unit_test(what_quotes_nothing_of_ours_or_is_absurd_changes_nothing),
        cmocka_unit_test(the_limit_for_data_is_found_before_data_is_lost),
        cmocka_unit_test(a_lowered_mtu_is_tried_anew_after_ten_minutes),
        cmocka_unit_test(a_fixed_mtu_is_neither_probed_nor_exceeded),
        cmocka_unit_test(data_that_the_route_refuses_is_reported),
        cmocka_unit_test(a_padded_datagram_has_the_size_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
