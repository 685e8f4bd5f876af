/* SPDX-License-Identifier: MIT */
/* What dtls_regress knows of builds, and what it must not claim to know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtls_regress/expect.h"
#include "dtls_regress/checks.h"

enum { V3_0 = 0x30000000, V3_5 = 0x30500000, PATCH = 0x10 };

static const char any[] = "built on: some day";

static void is_known(const char *check, unsigned long version, const char *built,
                     const char *result)
{
    struct regress_expectation e = regress_expect_of(check, version, built);
    assert_true(e.known);
    assert_string_equal(e.result, result);
}

static void is_not_known(const char *check, unsigned long version, const char *built,
                         const char *nearest)
{
    struct regress_expectation e = regress_expect_of(check, version, built);
    assert_false(e.known);
    assert_string_equal(e.build, nearest);
    assert_non_null(e.result);
}

static void revisions_of_one_version_differ(void **state)
{
    const unsigned long v = V3_5 + 7 * PATCH;
    (void)state;
    is_known("forgery-short-record", v, "built on: Sun Aug 23 15:26:22 2026 UTC", "vulnerable");
    is_known("forgery-short-record", v, "built on: Tue Sep 29 20:10:28 2026 UTC", "fixed");
    is_not_known("forgery-short-record", v, any, "3.5.7-1~deb13u2");
    is_known("forgery-etm", v, any, "vulnerable"); /* both are */
}

static void between_two_builds_is_known_what_they_agree_on(void **state)
{
    const unsigned long v = V3_0 + 21 * PATCH;
    (void)state;
    is_known("forgery-short-record", v, any, "vulnerable");
    is_not_known("forgery-early-records", v, any, "3.0.20-1~deb12u2");
}

static void beyond_what_was_measured_nothing_is_known(void **state)
{
    (void)state;
    is_not_known("forgery-etm", 0x30200000, any, "3.0.22-1~deb12u2"); /* 3.2.0 */
    is_not_known("forgery-etm", V3_0 + 23 * PATCH, any, "3.0.22-1~deb12u2");
    is_not_known("forgery-etm", V3_5, any, "3.0.22-1~deb12u2");
    is_not_known("forgery-etm", 0x40000040, any, "4.0.3-1");
    is_not_known("forgery-etm", 0x40100000, any, "4.0.3-1");
    assert_null(regress_expect_of("forgery-etm", 0x101010bf, any).result); /* 1.1.1k */
    assert_null(regress_expect_of("no-such-check", 0x40000030, any).result);
}

static void every_build_has_an_answer_to_every_check(void **state)
{
    const struct regress_build *b;
    const struct regress_check *e;
    (void)state;
    for (size_t i = 0; (b = regress_expect_build(i)); i++)
        for (size_t k = 0; (e = regress_check_at(k)); k++)
            if (!regress_expect_result(e->name, b))
                fail_msg("%s: nothing for %s", e->name, b->name);
}

static void builds_are_in_order(void **state)
{
    const struct regress_build *b, *next;
    (void)state;
    for (size_t i = 0; (b = regress_expect_build(i)) && (next = regress_expect_build(i + 1)); i++)
        assert_true(b->version <= next->version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(revisions_of_one_version_differ),
        cmocka_unit_test(between_two_builds_is_known_what_they_agree_on),
        cmocka_unit_test(beyond_what_was_measured_nothing_is_known),
        cmocka_unit_test(every_build_has_an_answer_to_every_check),
        cmocka_unit_test(builds_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
