#include "tls_pair.h"

#include "tls_cert.h"

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

static void the_route_limits_the_handshake_and_widens_the_data(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->side[SERVER].config.route_payload = 600;
    p->side[CLIENT].config.route_payload = 1452;
    handshake(p);
    assert_alive(p);
    assert_int_equal(sd_session_mtu(p->side[SERVER].session), 600);
    assert_int_equal(sd_session_mtu(p->side[CLIENT].session), 1452);
    assert_true(p->side[SERVER].largest <= 600);
    assert_true(p->side[CLIENT].largest <= 1232);
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

/* One that refuses it. */
static int too_large(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)from, (void)n, (void)data;
    return *len <= p->arg ? 1 : -EMSGSIZE;
}

static void the_mtu_steps_down_where_large_datagrams_vanish(void **state)
{
    (void)state;
    static const size_t paths[] = {1100, 600, 300};
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 3000);
    const sdtls_config server = {SDTLS_CONFIG_INIT, .cert_file = cert.cert, .key_file = cert.key};
    struct pair *p = pair_new(NULL, &server);
    for (size_t i = 0; i < 3; i++) {
        pair_again(p);
        p->network = black_hole;
        p->arg = paths[i];
        handshake(p);
        assert_alive(p);
        assert_int_equal(p->side[SERVER].mtu_events, i + 1);
        assert_true(sd_session_mtu(p->side[SERVER].session) <= paths[i]);
        assert_int_equal(p->side[SERVER].retransmits, i + 2);
        assert_int_equal(p->side[CLIENT].mtu_events, 0);
        pair_again(p);
        p->network = too_large;
        handshake(p);
        assert_alive(p);
        assert_int_equal(p->side[SERVER].mtu_events, i + 1);
        assert_int_equal(p->side[SERVER].retransmits, i + 1);
    }
    pair_free(p);
    test_cert_free(&cert);
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
    p->network = too_large;
    p->arg = 1300;
    assert_int_equal(sd_session_send(c->session, c->data, max), SDTLS_TOOBIG);
    pump(c);
    assert_int_equal(c->mtu_events, 1);
    assert_int_equal(sd_session_mtu(c->session), 1232);
    assert_int_equal(sd_session_send(c->session, c->data, sd_session_max_payload(c->session)),
                     SDTLS_OK);
    deliver(p);
    assert_alive(p);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_datagram_exceeds_the_mtu),
        cmocka_unit_test(the_route_limits_the_handshake_and_widens_the_data),
        cmocka_unit_test(the_largest_payload_fills_a_datagram),
        cmocka_unit_test(a_record_holds_no_more_than_16_kib),
        cmocka_unit_test(the_mtu_steps_down_where_large_datagrams_vanish),
        cmocka_unit_test(data_that_the_route_refuses_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
