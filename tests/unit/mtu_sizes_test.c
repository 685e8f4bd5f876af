/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>

#include "mtu/sizes.h"

static void a_size_is_likely_when_it_has_a_reason(void **state)
{
    (void)state;
    unsigned reasons = 0;
    for (unsigned size = 1; size <= UINT16_MAX; size++) {
        assert_int_equal(sd_mtu_likely(size, size), sd_mtu_reason(size) ? size : 0);
        reasons += sd_mtu_reason(size) != NULL;
    }
    assert_true(reasons > 10);
    assert_non_null(sd_mtu_reason(1492));
    assert_null(sd_mtu_reason(1337));
}

static void the_likely_size_lies_in_the_interval(void **state)
{
    (void)state;
    assert_int_equal(sd_mtu_likely(1281, 1499), 1390);
    assert_int_equal(sd_mtu_likely(1493, 1499), 0);
    assert_int_equal(sd_mtu_likely(1492, 1492), 1492);
}

static void payload_and_packet_are_inverse(void **state)
{
    (void)state;
    assert_int_equal(sd_mtu_payload(1500, false), 1472);
    assert_int_equal(sd_mtu_payload(1280, true), 1232);
    assert_int_equal(sd_mtu_packet(1232, true), 1280);
    assert_int_equal(sd_mtu_payload(20, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_likely_when_it_has_a_reason),
        cmocka_unit_test(the_likely_size_lies_in_the_interval),
        cmocka_unit_test(payload_and_packet_are_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
