/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "session/filter.h"
#include "wire/alert.h"
#include "wire/handshake.h"

static const struct sd_stage client = {
    .role = SD_ROLE_CLIENT, .max_message = 100000, .protection = {24, 0}};
static const struct sd_stage server = {
    .role = SD_ROLE_SERVER, .max_message = 16384, .protection = {24, 0}};

static int judge(struct sd_filter *f, const struct sd_stage *st, uint8_t type, uint16_t epoch,
                 const void *body, size_t len)
{
    const struct sd_record rec = {
        .type = type, .version = SD_DTLS_1_2, .epoch = epoch, .body = {body, len}};
    return sd_filter_record(f, st, &rec);
}

/* The first `frag` bytes of a message. */
static int message(struct sd_filter *f, const struct sd_stage *st, uint8_t type, uint16_t seq,
                   uint32_t length, uint32_t frag)
{
    uint8_t buf[128] = {0};
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    sd_wr_u8(&w, type);
    sd_wr_u24(&w, length);
    sd_wr_u16(&w, seq);
    sd_wr_u24(&w, 0);
    sd_wr_u24(&w, frag);
    return judge(f, st, SD_CT_HANDSHAKE, 0, buf, sd_wr_len(&w) + frag);
}

static int whole(struct sd_filter *f, const struct sd_stage *st, uint8_t type, uint16_t seq)
{
    uint32_t length = type == SD_HS_SERVER_HELLO_DONE ? 0 : 40;
    return message(f, st, type, seq, length, length);
}

static void a_servers_flight_passes_in_any_order(void **state)
{
    (void)state;
    static const uint8_t types[] = {SD_HS_SERVER_HELLO,        SD_HS_CERTIFICATE,
                                    SD_HS_CERTIFICATE_STATUS,  SD_HS_SERVER_KEY_EXCHANGE,
                                    SD_HS_CERTIFICATE_REQUEST, SD_HS_SERVER_HELLO_DONE,
                                    SD_HS_NEW_SESSION_TICKET};
    for (unsigned cookie = 0; cookie <= 1; cookie++)
        for (unsigned first = 0; first < 7; first++) {
            struct sd_filter f = {0};
            if (cookie)
                assert_int_equal(whole(&f, &client, SD_HS_HELLO_VERIFY_REQUEST, 0), SD_FILTER_PASS);
            for (unsigned i = 0; i < 7; i++) {
                unsigned n = (first + i) % 7;
                assert_int_equal(whole(&f, &client, types[n], (uint16_t)(n + cookie)),
                                 SD_FILTER_PASS);
            }
            /* And again, when it is retransmitted. */
            for (unsigned n = 0; n < 7; n++)
                assert_int_equal(whole(&f, &client, types[n], (uint16_t)(n + cookie)),
                                 SD_FILTER_PASS);
        }
}

static void a_client_gets_no_request_out_of_place(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    assert_int_equal(whole(&f, &client, SD_HS_HELLO_VERIFY_REQUEST, 1), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &client, SD_HS_HELLO_REQUEST, 0), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &client, SD_HS_SERVER_HELLO, 1), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &client, SD_HS_HELLO_VERIFY_REQUEST, 0), SD_FILTER_PASS);
    assert_int_equal(whole(&f, &client, SD_HS_HELLO_VERIFY_REQUEST, 0), SD_FILTER_PASS);
    assert_int_equal(whole(&f, &client, SD_HS_SERVER_HELLO, 1), SD_FILTER_PASS);
    assert_int_equal(whole(&f, &client, SD_HS_HELLO_VERIFY_REQUEST, 0), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &client, SD_HS_SERVER_HELLO, 2), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &client, SD_HS_FINISHED, 2), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &client, SD_HS_CLIENT_KEY_EXCHANGE, 2), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &client, SD_HS_CERTIFICATE, 3), SD_GUARD_HANDSHAKE);
    assert_int_equal(message(&f, &client, SD_HS_SERVER_HELLO_DONE, 3, 8, 8), SD_GUARD_HANDSHAKE);
}

static void a_server_gets_what_it_asked_for(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    struct sd_stage st = server;
    assert_int_equal(whole(&f, &st, SD_HS_CLIENT_KEY_EXCHANGE, 2), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &st, SD_HS_CLIENT_HELLO, 1), SD_FILTER_PASS);
    assert_int_equal(whole(&f, &st, SD_HS_CLIENT_HELLO, 1), SD_FILTER_PASS);
    assert_int_equal(whole(&f, &st, SD_HS_CLIENT_HELLO, 2), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &st, SD_HS_CLIENT_KEY_EXCHANGE, 2), SD_GUARD_HANDSHAKE);
    st.hello_done = true;
    struct sd_filter asked = f;
    assert_int_equal(whole(&f, &st, SD_HS_CERTIFICATE, 2), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &st, SD_HS_CERTIFICATE_VERIFY, 2), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &st, SD_HS_CLIENT_KEY_EXCHANGE, 3), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &st, SD_HS_CLIENT_KEY_EXCHANGE, 2), SD_FILTER_PASS);
    st.asks_cert = true;
    assert_int_equal(whole(&asked, &st, SD_HS_CERTIFICATE_VERIFY, 4), SD_FILTER_PASS);
    assert_int_equal(whole(&asked, &st, SD_HS_CLIENT_KEY_EXCHANGE, 2), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&asked, &st, SD_HS_CLIENT_KEY_EXCHANGE, 3), SD_FILTER_PASS);
    assert_int_equal(whole(&asked, &st, SD_HS_CERTIFICATE, 2), SD_FILTER_PASS);
}

static void a_resumed_handshake_has_no_key_exchange(void **state)
{
    (void)state;
    struct sd_filter f = {0}, g = {0};
    struct sd_stage st = server;
    assert_int_equal(whole(&f, &st, SD_HS_CLIENT_HELLO, 1), SD_FILTER_PASS);
    st.hello_done = st.resumed = true;
    assert_int_equal(whole(&f, &st, SD_HS_CLIENT_KEY_EXCHANGE, 2), SD_GUARD_HANDSHAKE);
    st = client;
    assert_int_equal(whole(&g, &st, SD_HS_SERVER_HELLO, 0), SD_FILTER_PASS);
    st.resumed = true;
    assert_int_equal(whole(&g, &st, SD_HS_CERTIFICATE, 1), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&g, &st, SD_HS_NEW_SESSION_TICKET, 1), SD_FILTER_PASS);
}

static void fragments_agree_with_the_first_one(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    assert_int_equal(message(&f, &client, SD_HS_CERTIFICATE, 1, 1000, 50), SD_FILTER_PASS);
    assert_int_equal(message(&f, &client, SD_HS_CERTIFICATE, 1, 1000, 60), SD_FILTER_PASS);
    assert_int_equal(message(&f, &client, SD_HS_CERTIFICATE, 1, 1001, 50), SD_GUARD_HANDSHAKE);
    assert_int_equal(message(&f, &client, SD_HS_SERVER_KEY_EXCHANGE, 1, 1000, 50),
                     SD_GUARD_HANDSHAKE);
}

static void messages_have_a_limit(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    assert_int_equal(message(&f, &client, SD_HS_CERTIFICATE, 1, 100001, 9), SD_GUARD_HANDSHAKE);
    assert_int_equal(message(&f, &client, SD_HS_CERTIFICATE, 1, 100000, 9), SD_FILTER_PASS);
    assert_int_equal(message(&f, &client, SD_HS_SERVER_KEY_EXCHANGE, 2, 16385, 9),
                     SD_GUARD_HANDSHAKE);
    assert_int_equal(message(&f, &client, SD_HS_SERVER_KEY_EXCHANGE, 2, 16384, 9), SD_FILTER_PASS);
    assert_int_equal(whole(&f, &client, SD_HS_SERVER_HELLO, 0xffff), SD_GUARD_HANDSHAKE);
}

static void a_refused_message_leaves_no_trace(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    uint8_t buf[24] = {SD_HS_CERTIFICATE, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, SD_HS_HELLO_REQUEST};
    buf[17] = 2;
    assert_int_equal(judge(&f, &client, SD_CT_HANDSHAKE, 0, buf, 24), SD_GUARD_HANDSHAKE);
    assert_int_equal(judge(&f, &client, SD_CT_HANDSHAKE, 0, buf, 13), SD_GUARD_HANDSHAKE);
    assert_int_equal(judge(&f, &client, SD_CT_HANDSHAKE, 0, buf, 0), SD_GUARD_HANDSHAKE);
    assert_int_equal(whole(&f, &client, SD_HS_CERTIFICATE, 1), SD_FILTER_PASS);
}

static void plaintext_alerts_are_noted_until_the_peer_goes_on(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    const uint8_t warning[] = {SD_ALERT_WARNING, SD_ALERT_UNRECOGNIZED_NAME};
    const uint8_t fatal[] = {SD_ALERT_FATAL, SD_ALERT_HANDSHAKE_FAILURE};
    const uint8_t closing[] = {SD_ALERT_WARNING, SD_ALERT_CLOSE_NOTIFY};
    assert_int_equal(judge(&f, &client, SD_CT_ALERT, 0, warning, 2), SD_GUARD_ALERT);
    assert_int_equal(f.alert, 0);
    assert_int_equal(judge(&f, &client, SD_CT_ALERT, 0, fatal, 1), SD_GUARD_MALFORMED);
    assert_int_equal(judge(&f, &client, SD_CT_ALERT, 0, fatal, 2), SD_GUARD_ALERT);
    assert_int_equal(f.alert, SD_ALERT_HANDSHAKE_FAILURE + 1);
    assert_int_equal(whole(&f, &client, SD_HS_SERVER_HELLO, 0), SD_FILTER_PASS);
    assert_int_equal(f.alert, 0);
    assert_int_equal(judge(&f, &client, SD_CT_ALERT, 0, closing, 2), SD_GUARD_ALERT);
    assert_int_equal(f.alert, 1);
}

static void types_that_have_no_business_are_dropped(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    static const uint8_t body[64] = {1};
    static const uint8_t types[] = {SD_CT_APPDATA, SD_CT_HEARTBEAT, SD_CT_CID, SD_CT_ACK, 0, 99};
    for (size_t i = 0; i < sizeof types; i++)
        assert_int_equal(judge(&f, &client, types[i], 0, body, 64), SD_GUARD_CONTENT_TYPE);
    assert_int_equal(judge(&f, &client, SD_CT_CCS, 0, body, 1), SD_FILTER_PASS);
    assert_int_equal(judge(&f, &client, SD_CT_CCS, 0, body, 2), SD_GUARD_MALFORMED);
    assert_int_equal(judge(&f, &client, SD_CT_CCS, 0, body + 1, 1), SD_GUARD_MALFORMED);
    assert_int_equal(judge(&f, &client, SD_CT_HEARTBEAT, 1, body, 64), SD_GUARD_CONTENT_TYPE);
    assert_int_equal(judge(&f, &client, SD_CT_CCS, 1, body, 64), SD_GUARD_CONTENT_TYPE);
}

static void plaintext_ends_when_the_session_is_established(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    struct sd_stage st = server;
    st.established = true;
    assert_int_equal(whole(&f, &st, SD_HS_CLIENT_HELLO, 0), SD_GUARD_OLD_EPOCH);
    assert_int_equal(judge(&f, &st, SD_CT_CCS, 0, "\1", 1), SD_GUARD_OLD_EPOCH);
    assert_int_equal(judge(&f, &st, SD_CT_ALERT, 0, "\2\50", 2), SD_GUARD_OLD_EPOCH);
    assert_int_equal(f.alert, 0);
}

static void protected_records_have_the_shape_of_their_cipher(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    static const uint8_t body[128];
    struct sd_stage st = server;
    st.established = true;
    assert_int_equal(judge(&f, &st, SD_CT_APPDATA, 1, body, 23), SD_GUARD_SHORT);
    assert_int_equal(judge(&f, &st, SD_CT_APPDATA, 1, body, 24), SD_FILTER_PASS);
    st.protection = (struct sd_protection){48, 16};
    assert_int_equal(judge(&f, &st, SD_CT_APPDATA, 1, body, 32), SD_GUARD_SHORT);
    assert_int_equal(judge(&f, &st, SD_CT_APPDATA, 1, body, 63), SD_GUARD_SHORT);
    assert_int_equal(judge(&f, &st, SD_CT_APPDATA, 1, body, 64), SD_FILTER_PASS);
    assert_int_equal(judge(&f, &st, SD_CT_APPDATA, 2, body, 64), SD_GUARD_EARLY);
}

static void protected_records_wait_for_the_keys(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    static const uint8_t body[64];
    struct sd_stage st = server;
    assert_int_equal(judge(&f, &st, SD_CT_APPDATA, 1, body, 64), SD_FILTER_KEEP);
    assert_int_equal(judge(&f, &st, SD_CT_HANDSHAKE, 1, body, 64), SD_FILTER_KEEP);
    st.keys = true;
    assert_int_equal(judge(&f, &st, SD_CT_HANDSHAKE, 1, body, 64), SD_FILTER_PASS);
}

static void unified_records_need_dtls_1_3(void **state)
{
    (void)state;
    struct sd_filter f = {0};
    struct sd_stage st = client;
    const struct sd_record rec = {.unified = true};
    const struct sd_record old = {.type = SD_CT_HANDSHAKE, .version = SD_DTLS_BAD};
    assert_int_equal(sd_filter_record(&f, &st, &rec), SD_GUARD_CONTENT_TYPE);
    assert_int_equal(sd_filter_record(&f, &st, &old), SD_GUARD_MALFORMED);
    st.unified = true;
    assert_int_equal(sd_filter_record(&f, &st, &rec), SD_FILTER_PASS);
    assert_int_equal(judge(&f, &st, SD_CT_ACK, 0, "\0\0", 2), SD_FILTER_PASS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_servers_flight_passes_in_any_order),
        cmocka_unit_test(a_client_gets_no_request_out_of_place),
        cmocka_unit_test(a_server_gets_what_it_asked_for),
        cmocka_unit_test(a_resumed_handshake_has_no_key_exchange),
        cmocka_unit_test(fragments_agree_with_the_first_one),
        cmocka_unit_test(messages_have_a_limit),
        cmocka_unit_test(a_refused_message_leaves_no_trace),
        cmocka_unit_test(plaintext_alerts_are_noted_until_the_peer_goes_on),
        cmocka_unit_test(types_that_have_no_business_are_dropped),
        cmocka_unit_test(plaintext_ends_when_the_session_is_established),
        cmocka_unit_test(protected_records_have_the_shape_of_their_cipher),
        cmocka_unit_test(protected_records_wait_for_the_keys),
        cmocka_unit_test(unified_records_need_dtls_1_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
