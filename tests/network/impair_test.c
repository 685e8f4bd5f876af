/* SPDX-License-Identifier: MIT */
/* The dice of the relay: as often as asked, and the same again with a seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "impair.h"

enum { N = 100000 };

static void losses_come_as_often_as_asked(void **state)
{
    (void)state;
    const struct impair_rules r = {.loss = 50, .duplicate = 100, .reorder = 200};
    unsigned lost = 0, twice = 0, late = 0, both = 0;
    for (unsigned i = 0; i < N; i++) {
        struct impair_fate f = impair(&r, 7, i / 1000, TO_SERVER, i % 1000, 100);
        lost += f.drop;
        twice += f.duplicate;
        late += f.late;
        both += f.duplicate && f.late;
    }
    assert_in_range(lost, N * 45 / 1000, N * 55 / 1000);
    assert_in_range(twice, N * 90 / 1000, N * 110 / 1000);
    assert_in_range(late, N * 185 / 1000, N * 215 / 1000);
    assert_in_range(both, N * 15 / 1000, N * 25 / 1000); /* independent questions */
}

static void a_seed_repeats_itself_and_no_other(void **state)
{
    (void)state;
    const struct impair_rules r = {.loss = 500};
    unsigned differ = 0;
    for (unsigned i = 0; i < 1000; i++) {
        bool once = impair(&r, 1, 3, TO_CLIENT, i, 10).drop;
        assert_int_equal(once, impair(&r, 1, 3, TO_CLIENT, i, 10).drop);
        differ += once != impair(&r, 2, 3, TO_CLIENT, i, 10).drop;
    }
    assert_in_range(differ, 400, 600);
}

static void named_and_long_datagrams_are_dropped(void **state)
{
    (void)state;
    struct impair_rules r = {.limit = 1000};
    assert_true(impair_parse_set("1,3-5", &r.drop));
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(impair(&r, 1, 1, TO_SERVER, i, 1000).drop, i == 1 || (i >= 3 && i <= 5));
    assert_true(impair(&r, 1, 1, TO_SERVER, 70, 1001).drop);
    assert_false(impair(&r, 1, 1, TO_SERVER, 70, 1000).drop);
    assert_false(impair_parse_set("64", &r.drop));
    assert_false(impair_parse_set("3-1", &r.drop));
    assert_false(impair_parse_set("x", &r.drop));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_come_as_often_as_asked),
        cmocka_unit_test(a_seed_repeats_itself_and_no_other),
        cmocka_unit_test(named_and_long_datagrams_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
