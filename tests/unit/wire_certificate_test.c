/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "wire/certificate.h"

static struct sd_cert_chain chain_of(const void *body, size_t len, bool tls13, bool expected)
{
    struct sd_cert_chain chain;
    assert_int_equal(sd_cert_chain_init(&chain, (struct sd_span){body, len}, tls13), expected);
    return chain;
}

static void gives_each_certificate_in_turn(void **state)
{
    (void)state;
    const uint8_t body[] = {0, 0, 9, 0, 0, 2, 0xaa, 0xbb, 0, 0, 1, 0xcc};
    struct sd_cert_chain chain = chain_of(body, sizeof body, false, true);
    struct sd_span der;
    assert_true(sd_cert_next(&chain, &der));
    assert_int_equal(der.len, 2);
    assert_int_equal(der.p[0], 0xaa);
    assert_true(sd_cert_next(&chain, &der));
    assert_int_equal(der.len, 1);
    assert_false(sd_cert_next(&chain, &der));
}

static void skips_the_extensions_of_1_3(void **state)
{
    (void)state;
    const uint8_t body[] = {1, 7, 0, 0, 13, 0, 0, 1, 0xaa, 0, 2, 9, 9, 0, 0, 0, 0, 0};
    struct sd_cert_chain chain = chain_of(body, sizeof body, true, true);
    struct sd_span der;
    assert_true(sd_cert_next(&chain, &der));
    assert_int_equal(der.len, 1);
    assert_true(sd_cert_next(&chain, &der));
    assert_int_equal(der.len, 0);
    assert_false(sd_cert_next(&chain, &der));
}

static void an_empty_list_has_no_certificate(void **state)
{
    (void)state;
    const uint8_t body[] = {0, 0, 0};
    struct sd_cert_chain chain = chain_of(body, sizeof body, false, true);
    struct sd_span der;
    assert_false(sd_cert_next(&chain, &der));
}

static void refuses_lengths_that_lie(void **state)
{
    (void)state;
    const uint8_t longer[] = {0, 0, 6, 0, 0, 2, 1, 2};
    const uint8_t shorter[] = {0, 0, 4, 0, 0, 2, 1, 2};
    const uint8_t inner[] = {0, 0, 5, 0, 0, 9, 1, 2};
    chain_of(longer, sizeof longer, false, false);
    chain_of(shorter, sizeof shorter, false, false);
    struct sd_cert_chain chain = chain_of(inner, sizeof inner, false, true);
    struct sd_span der;
    assert_false(sd_cert_next(&chain, &der));
    assert_false(sd_cert_next(&chain, &der));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_certificate_in_turn),
        cmocka_unit_test(skips_the_extensions_of_1_3),
        cmocka_unit_test(an_empty_list_has_no_certificate),
        cmocka_unit_test(refuses_lengths_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
