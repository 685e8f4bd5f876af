/* SPDX-License-Identifier: MIT */
/* tools/dtls_mtu: what a result says about the two directions together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtls_mtu/result.h"

enum { WANTED = 1280 };

static struct mtu_result measured(unsigned c2s, unsigned s2c)
{
    return (struct mtu_result){.require = WANTED,
                               .has_c2s = c2s != 0,
                               .c2s = {.mtu = c2s},
                               .has_s2c = s2c != 0,
                               .s2c = {.mtu = s2c}};
}

static void a_direction_is_too_small_below_what_is_required(void **state)
{
    (void)state;
    struct mtu_result r = measured(WANTED, WANTED - 1);
    assert_false(mtu_result_too_small(&r, true));
    assert_true(mtu_result_too_small(&r, false));
    r = measured(WANTED - 1, WANTED);
    assert_true(mtu_result_too_small(&r, true));
    assert_false(mtu_result_too_small(&r, false));
}

static void a_direction_that_was_not_measured_is_not_too_small(void **state)
{
    (void)state;
    struct mtu_result r = measured(0, 0);
    assert_false(mtu_result_too_small(&r, true));
    assert_false(mtu_result_too_small(&r, false));
}

static void the_least_is_of_what_was_measured(void **state)
{
    (void)state;
    struct mtu_result r = measured(1400, 1300);
    assert_int_equal(mtu_result_least(&r), 1300);
    r = measured(1400, 0);
    assert_int_equal(mtu_result_least(&r), 1400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_direction_is_too_small_below_what_is_required),
        cmocka_unit_test(a_direction_that_was_not_measured_is_not_too_small),
        cmocka_unit_test(the_least_is_of_what_was_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
