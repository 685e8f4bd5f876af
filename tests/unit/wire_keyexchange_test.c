/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "wire/keyexchange.h"
#include "wire/record.h"

#define SPAN(bytes)                                                                                \
    (struct sd_span)                                                                               \
    {                                                                                              \
        bytes, sizeof bytes                                                                        \
    }

static void reads_the_curve_and_the_scheme(void **state)
{
    (void)state;
    const uint8_t body[] = {3, 0, 29, 2, 0xaa, 0xbb, 8, 4, 0, 1, 0xcc};
    struct sd_server_key k;
    assert_true(sd_server_key_parse(&k, SPAN(body), SD_KX_ECDHE, false, true));
    assert_int_equal(k.group, 29);
    assert_int_equal(k.scheme, 0x0804);
    assert_true(sd_server_key_parse(&k, SPAN(body), SD_KX_ECDHE, false, false));
    assert_int_equal(k.scheme, 0);
    assert_false(sd_server_key_parse(&k, SPAN(body), SD_KX_NONE, false, true));
    assert_false(sd_server_key_parse(&k, (struct sd_span){body, 5}, SD_KX_ECDHE, false, true));
    assert_int_equal(k.group, 0);
}

static void skips_the_hint_of_a_psk(void **state)
{
    (void)state;
    const uint8_t body[] = {0, 1, 'h', 3, 0, 23, 1, 0xaa};
    struct sd_server_key k;
    assert_true(sd_server_key_parse(&k, SPAN(body), SD_KX_ECDHE, true, true));
    assert_int_equal(k.group, 23);
    assert_int_equal(k.scheme, 0);
}

static void counts_the_bits_of_a_prime(void **state)
{
    (void)state;
    const uint8_t body[] = {0, 3, 0, 0x1f, 0xff, 0, 1, 2, 0, 1, 9, 4, 1, 0, 0};
    struct sd_server_key k;
    assert_true(sd_server_key_parse(&k, SPAN(body), SD_KX_DHE, false, true));
    assert_int_equal(k.prime_bits, 13);
    assert_int_equal(k.scheme, 0x0401);
}

static void reads_the_request_of_each_version(void **state)
{
    (void)state;
    const uint8_t old[] = {1, 64, 0, 0}, now[] = {1, 64, 0, 2, 4, 3, 0, 0};
    const uint8_t v13[] = {0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3};
    struct sd_cert_request q;
    assert_true(sd_cert_request_parse(&q, SPAN(old), SD_DTLS_1_0));
    assert_int_equal(q.types.p[0], SD_CERT_ECDSA_SIGN);
    assert_true(sd_cert_request_parse(&q, SPAN(now), SD_DTLS_1_2));
    assert_int_equal(q.schemes.len, 2);
    assert_true(sd_cert_request_parse(&q, SPAN(v13), SD_DTLS_1_3));
    assert_int_equal(q.schemes.len, 2);
    assert_false(sd_cert_request_parse(&q, SPAN(old), SD_DTLS_1_2));
    assert_int_equal(q.types.len, 0);
}

static void names_the_authorities(void **state)
{
    (void)state;
    const uint8_t list[] = {0, 15,   0x30, 13,   0x31, 11, 0x30, 9,    0x06, 3,    0x55, 0x04,
                            3, 0x0c, 2,    'C',  'A',  0,  15,   0x30, 13,   0x31, 11,   0x30,
                            9, 0x06, 3,    0x55, 0x04, 10, 0x0c, 2,    'O',  '\n'};
    struct sd_rd rd = sd_rd_init(list, sizeof list);
    struct sd_span dn;
    char text[16];
    assert_true(sd_authority_next(&rd, &dn));
    assert_string_equal(sd_authority_text(dn, text, sizeof text), "CA");
    assert_true(sd_authority_next(&rd, &dn));
    assert_string_equal(sd_authority_text(dn, text, sizeof text), "O.");
    assert_false(sd_authority_next(&rd, &dn));
}

/* Every beginning of a name is read within its bounds. */
static void a_cut_name_is_empty(void **state)
{
    (void)state;
    const uint8_t dn[] = {0x30, 13, 0x31, 11, 0x30, 9, 0x06, 3, 0x55, 0x04, 3, 0x0c, 2, 'C', 'A'};
    char text[16];
    for (size_t len = 0; len < sizeof dn; len++)
        assert_string_equal(sd_authority_text((struct sd_span){dn, len}, text, sizeof text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_curve_and_the_scheme),
        cmocka_unit_test(skips_the_hint_of_a_psk),
        cmocka_unit_test(counts_the_bits_of_a_prime),
        cmocka_unit_test(reads_the_request_of_each_version),
        cmocka_unit_test(names_the_authorities),
        cmocka_unit_test(a_cut_name_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
