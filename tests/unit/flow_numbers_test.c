/* SPDX-License-Identifier: MIT */
/* lib/flow/numbers: which record numbers came, which were skipped, which came again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "flow/internal.h"

#define SEQ_MAX ((UINT64_C(1) << 48) - 1)

struct noted {
    bool again, reordered;
    uint16_t gap;
};

static struct noted note(struct sd_numbers *n, uint64_t seq)
{
    struct noted got;
    got.again = sd_numbers_note(n, seq, &got.gap, &got.reordered);
    return got;
}

static void nothing_seen_means_nothing_missing(void **state)
{
    (void)state;
    struct sd_numbers n = {0};
    assert_int_equal(sd_numbers_missing(&n), 0);
}

static void the_first_number_may_be_any(void **state)
{
    (void)state;
    struct sd_numbers n = {0};
    struct noted got = note(&n, 7);
    assert_false(got.again || got.reordered);
    assert_int_equal(got.gap, 0);
    assert_int_equal(n.min, 7);
    assert_int_equal(n.max, 7);
    assert_int_equal(sd_numbers_missing(&n), 0);
}

static void skipped_numbers_are_a_gap_and_missing(void **state)
{
    (void)state;
    struct sd_numbers n = {0};
    note(&n, 0);
    assert_int_equal(note(&n, 1).gap, 0);
    assert_int_equal(note(&n, 5).gap, 3);
    assert_int_equal(sd_numbers_missing(&n), 3);
}

static void a_late_number_fills_its_gap(void **state)
{
    (void)state;
    struct sd_numbers n = {0};
    note(&n, 0);
    note(&n, 2);
    struct noted got = note(&n, 1);
    assert_false(got.again);
    assert_true(got.reordered);
    assert_int_equal(sd_numbers_missing(&n), 0);
}

static void the_same_number_again_is_a_duplicate(void **state)
{
    (void)state;
    struct sd_numbers n = {0};
    note(&n, 3);
    note(&n, 4);
    assert_true(note(&n, 4).again);
    assert_true(note(&n, 3).again);
    assert_int_equal(n.seen, 2);
}

static void the_window_is_64_wide(void **state)
{
    (void)state;
    struct sd_numbers n = {0};
    note(&n, 0);
    note(&n, 63);
    assert_true(note(&n, 0).again);
    note(&n, 64);
    assert_false(note(&n, 0).again); /* nobody can tell any more */
    assert_int_equal(n.late, 1);
}

static void a_step_of_64_forgets_the_window(void **state)
{
    (void)state;
    for (uint64_t step = 62; step <= 66; step++) {
        struct sd_numbers n = {0};
        note(&n, 0);
        note(&n, step);
        assert_int_equal(n.window, step < 64 ? UINT64_C(1) << step | 1 : 1);
    }
}

static void a_number_before_the_first_widens_the_range(void **state)
{
    (void)state;
    struct sd_numbers n = {0};
    note(&n, 10);
    assert_true(note(&n, 8).reordered);
    assert_int_equal(n.min, 8);
    assert_int_equal(sd_numbers_missing(&n), 1);
}

static void the_largest_numbers_do_not_overflow(void **state)
{
    (void)state;
    struct sd_numbers n = {0};
    note(&n, 0);
    assert_int_equal(note(&n, SEQ_MAX).gap, 0);
    assert_int_equal(sd_numbers_missing(&n), 0);
    assert_int_equal(note(&n, 2).gap, 1);
    struct sd_numbers m = {0};
    note(&m, 0);
    note(&m, UINT64_MAX);
    assert_true(note(&m, UINT64_MAX).again);
}

static void a_number_far_away_counts_when_others_follow_it(void **state)
{
    (void)state;
    struct sd_numbers n = {0};
    note(&n, 5);
    assert_int_equal(note(&n, 100000).gap, 0);
    assert_int_equal(n.max, 5);
    note(&n, 100001);
    assert_int_equal(n.max, 100001);
    assert_int_equal(note(&n, 100003).gap, 1);
    assert_int_equal(sd_numbers_missing(&n), 1);
}

static void late_numbers_never_make_missing_negative(void **state)
{
    (void)state;
    struct sd_numbers n = {0};
    note(&n, 100);
    for (int i = 0; i < 10; i++)
        note(&n, 1);
    assert_int_equal(n.late, 10);
    assert_int_equal(sd_numbers_missing(&n), 0);
}

/* Against a list of what was seen: any order of 200 numbers. */
static void any_order_agrees_with_a_plain_list(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (int round = 0; round < 200; round++) {
        struct sd_numbers n = {0};
        bool seen[60] = {0};
        for (int i = 0; i < 80; i++) {
            x = x * 1664525 + 1013904223;
            uint64_t seq = (x >> 16) % 60;
            assert_int_equal(note(&n, seq).again, seen[seq]);
            seen[seq] = true;
        }
        uint32_t different = 0;
        for (size_t i = 0; i < 60; i++)
            different += seen[i];
        assert_int_equal(n.seen, different);
        assert_int_equal(sd_numbers_missing(&n), n.max - n.min + 1 - different);
    }
}

static void ranges_join_what_touches(void **state)
{
    (void)state;
    struct sd_range r[4];
    size_t n = 0;
    assert_true(sd_ranges_add(r, &n, 4, 10, 20));
    assert_true(sd_ranges_add(r, &n, 4, 30, 40));
    assert_int_equal(n, 2);
    assert_true(sd_ranges_add(r, &n, 4, 20, 30));
    assert_int_equal(n, 1);
    assert_int_equal(r[0].from, 10);
    assert_int_equal(r[0].to, 40);
}

static void a_full_list_of_ranges_still_takes_what_joins(void **state)
{
    (void)state;
    struct sd_range r[2];
    size_t n = 0;
    assert_true(sd_ranges_add(r, &n, 2, 0, 1));
    assert_true(sd_ranges_add(r, &n, 2, 4, 5));
    assert_false(sd_ranges_add(r, &n, 2, 2, 3));
    assert_int_equal(n, 2);
    assert_true(sd_ranges_add(r, &n, 2, 1, 2));
    assert_int_equal(r[0].to, 2);
    assert_true(sd_ranges_add(r, &n, 2, 0, 9));
    assert_int_equal(n, 1);
}

/* Against a plain map of bytes. */
static void ranges_of_any_order_agree_with_a_map(void **state)
{
    (void)state;
    uint32_t x = 7;
    for (int round = 0; round < 500; round++) {
        struct sd_range r[SD_RANGES_MAX];
        bool map[65] = {0};
        size_t n = 0;
        for (int i = 0; i < 12; i++) {
            x = x * 1664525 + 1013904223;
            uint32_t from = (x >> 16) % 60, to = from + 1 + (x >> 8) % 4;
            if (sd_ranges_add(r, &n, SD_RANGES_MAX, from, to))
                memset(map + from, 1, to - from);
        }
        bool again[65] = {0};
        for (size_t i = 0; i < n; i++) {
            assert_true(r[i].from < r[i].to && (!i || r[i - 1].to < r[i].from));
            memset(again + r[i].from, 1, r[i].to - r[i].from);
        }
        assert_memory_equal(map, again, sizeof map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_seen_means_nothing_missing),
        cmocka_unit_test(the_first_number_may_be_any),
        cmocka_unit_test(skipped_numbers_are_a_gap_and_missing),
        cmocka_unit_test(a_late_number_fills_its_gap),
        cmocka_unit_test(the_same_number_again_is_a_duplicate),
        cmocka_unit_test(the_window_is_64_wide),
        cmocka_unit_test(a_step_of_64_forgets_the_window),
        cmocka_unit_test(a_number_before_the_first_widens_the_range),
        cmocka_unit_test(the_largest_numbers_do_not_overflow),
        cmocka_unit_test(a_number_far_away_counts_when_others_follow_it),
        cmocka_unit_test(late_numbers_never_make_missing_negative),
        cmocka_unit_test(any_order_agrees_with_a_plain_list),
        cmocka_unit_test(ranges_join_what_touches),
        cmocka_unit_test(a_full_list_of_ranges_still_takes_what_joins),
        cmocka_unit_test(ranges_of_any_order_agree_with_a_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
