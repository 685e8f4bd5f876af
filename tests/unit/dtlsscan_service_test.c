/* SPDX-License-Identifier: MIT */
/* The requests of dtls_scan --app, and what is taken for their answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dtls_scan/checks/service.h"

static const uint8_t nonce[SCAN_SERVICE_NONCE] = {0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x17, 0x28,
                                                  0x39, 0x4a, 0x5b, 0x6c, 0x7d, 0x8e, 0x9f, 0xa0};
static char detail[SCAN_SERVICE_DETAIL];

#define BYTES(text) ((struct sd_span){(const uint8_t *)(text), sizeof(text) - 1})

/* Which services take this for their answer, as text. */
static const char *takers(struct sd_span data)
{
    static char text[128];
    char any[SCAN_SERVICE_DETAIL];
    size_t used = 0;
    text[0] = '\0';
    for (int k = 0; k < SCAN_SERVICE_COUNT; k++)
        if (scan_service_is((enum scan_service)k, data, nonce, any)) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s ",
                                     scan_service_name((enum scan_service)k));
            memcpy(detail, any, sizeof detail);
        }
    return text;
}

static void expect_request(enum scan_service kind, struct sd_span wanted)
{
    uint8_t buf[SCAN_SERVICE_REQUEST];
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    scan_service_ask(&w, kind, nonce);
    assert_int_equal(sd_wr_len(&w), wanted.len);
    assert_memory_equal(buf, wanted.p, wanted.len);
}

#define ID "\xa1\xb2\xc3\xd4\xe5\xf6\x17\x28\x39\x4a\x5b\x6c"

static void requests_are_those_of_the_standards(void **state)
{
    (void)state;
    expect_request(SCAN_SERVICE_STUN, BYTES("\x00\x01\x00\x00\x21\x12\xa4\x42" ID));
    expect_request(SCAN_SERVICE_TURN,
                   BYTES("\x00\x04\x00\x08\x21\x12\xa4\x42" ID "\x00\x0d\x00\x04\x00\x00\x00\x00"));
    expect_request(SCAN_SERVICE_COAP, BYTES("\x40\x00\xa1\xb2"));
    expect_request(SCAN_SERVICE_OPENCONNECT, BYTES("\x03"));
    expect_request(SCAN_SERVICE_FORTINET, BYTES("\x00\x1eGFtype\0clthello\0SVPNCOOKIE\0\0"));
    /* Checksum and Message-Authenticator as another program computes them. */
    expect_request(SCAN_SERVICE_SCTP, BYTES("\x13\x88\x13\x88\x00\x00\x00\x00"
                                            "\x95\xd4\xe9\xa4"
                                            "\x01\x00\x00\x14\xa1\xb2\xc3\xd4"
                                            "\x00\x02\x00\x00\x00\x01\x00\x01\xe5\xf6\x17\x28"));
    expect_request(SCAN_SERVICE_RADIUS,
                   BYTES("\x0c\xa1\x00\x26" ID "\x7d\x8e\x9f\xa0\x50\x12"
                         "\x40\xc8\x7b\xc6\x82\xc3\xe2\x18\x30\x4b\x25\xf4\x6b\x48\x13\x5e"));
}

static void an_echo_is_nobodys_answer(void **state)
{
    (void)state;
    for (int k = 0; k < SCAN_SERVICE_COUNT; k++) {
        uint8_t buf[SCAN_SERVICE_REQUEST];
        struct sd_wr w = sd_wr_init(buf, sizeof buf);
        scan_service_ask(&w, (enum scan_service)k, nonce);
        assert_string_equal(takers((struct sd_span){buf, sd_wr_len(&w)}), "");
    }
}

static void stun_answers_its_own_transaction(void **state)
{
    (void)state;
    assert_string_equal(takers(BYTES("\x01\x01\x00\x00\x21\x12\xa4\x42" ID)), "STUN ");
    assert_string_equal(takers(BYTES("\x01\x11\x00\x00\x21\x12\xa4\x42" ID)), "STUN ");
    assert_string_equal(takers(BYTES("\x01\x01\x00\x00\x21\x12\xa4\x42" ID "x")), "");
    assert_string_equal(takers(BYTES("\x01\x01\x00\x00\x21\x12\xa4\x42" ID "\x00")), "");
    assert_string_equal(takers(BYTES("\x01\x01\x00\x00\x21\x12\xa4\x43" ID)), "");
    assert_string_equal(takers(BYTES("\x01\x01\x00\x00\x21\x12\xa4\x42\xa0\xb2\xc3\xd4\xe5\xf6\x17"
                                     "\x28\x39\x4a\x5b\x6c")),
                        "");
}

static void turn_tells_who_it_is(void **state)
{
    (void)state;
    assert_string_equal(takers(BYTES("\x01\x14\x00\x1c\x21\x12\xa4\x42" ID
                                     "\x00\x09\x00\x04\x00\x00\x04\x01\x00\x14\x00\x03org\0"
                                     "\x80\x22\x00\x06nobody\0\0")),
                        "TURN ");
    assert_string_equal(detail, "realm org, software nobody");
    /* 400: STUN alone. */
    assert_string_equal(
        takers(BYTES("\x01\x14\x00\x08\x21\x12\xa4\x42" ID "\x00\x09\x00\x04\x00\x00\x04\x00")),
        "");
    /* An attribute that ends behind the message. */
    assert_string_equal(takers(BYTES("\x01\x14\x00\x08\x21\x12\xa4\x42" ID "\x00\x14\x00\xffnope")),
                        "TURN ");
    assert_string_equal(detail, "");
}

static void other_services_have_one_form(void **state)
{
    (void)state;
    assert_string_equal(takers(BYTES("\x70\x00\xa1\xb2")), "CoAP ");
    assert_string_equal(takers(BYTES("\x70\x00\xa1\xb3")), "");
    assert_string_equal(takers(BYTES("\x70\x00\xa1\xb2x")), "");
    assert_string_equal(takers(BYTES("\x13\x88\x13\x88\xa1\xb2\xc3\xd4sums\x02\x00\x00\x14")),
                        "SCTP ");
    assert_string_equal(takers(BYTES("\x13\x88\x13\x88\xa1\xb2\xc3\xd5sums\x02\x00\x00\x14")), "");
    assert_string_equal(takers(BYTES("\x13\x88\x13\x88\0\0\0\0sums\x01\x00\x00\x14tags")), "SCTP ");
    assert_string_equal(takers(BYTES("\x02\xa1\x00\x14sixteen bytes ok")), "RADIUS ");
    assert_string_equal(takers(BYTES("\x02\xa2\x00\x14sixteen bytes ok")), "");
    assert_string_equal(takers(BYTES("\x02\xa1\x00\x15sixteen bytes ok")), "");
    assert_string_equal(takers(BYTES("\x04")), "OpenConnect ");
    assert_string_equal(takers(BYTES("\x00\x20GFtype\0svrhello\0handshake\0ok")), "");
    assert_string_equal(takers(BYTES("\x00\x1fGFtype\0svrhello\0handshake\0ok\0")), "Fortinet ");
    assert_string_equal(takers(BYTES("")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_those_of_the_standards),
        cmocka_unit_test(an_echo_is_nobodys_answer),
        cmocka_unit_test(stun_answers_its_own_transaction),
        cmocka_unit_test(turn_tells_who_it_is),
        cmocka_unit_test(other_services_have_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
