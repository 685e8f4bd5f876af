/* SPDX-License-Identifier: MIT */
#include "dtls_regress/expect.h"

#include <string.h>

#define SSL_1_1_1(letter) (0x1010100fUL | ((letter) - 'a' + 1UL) << 4)
#define SSL_3(minor, patch) (0x30000000UL | (minor) << 20 | (patch) << 4)
#define SSL_4(minor, patch) (0x40000000UL | (minor) << 20 | (patch) << 4)

static const struct regress_build builds[] = {
#define BUILD(name, version, built) {name, version, built},
#define EXPECT(check, first, last, result)
#include "dtls_regress/expected.def"
#undef BUILD
#undef EXPECT
};
enum { BUILDS = sizeof builds / sizeof *builds };

/* The result of a check from one build to another. */
static const struct expected_range {
    const char *check, *first, *last, *result;
} ranges[] = {
#define BUILD(name, version, built)
#define EXPECT(check, first, last, result) {check, first, last, result},
#include "dtls_regress/expected.def"
#undef BUILD
#undef EXPECT
};

static size_t build_position(const char *name)
{
    size_t i = 0;
    while (i < BUILDS && strcmp(builds[i].name, name) != 0)
        i++;
    return i;
}

static bool range_covers(const struct expected_range *r, const char *check, size_t at)
{
    return !strcmp(r->check, check) && build_position(r->first) <= at &&
           at <= build_position(r->last);
}

const struct regress_build *regress_expect_build(size_t index)
{
    return index < BUILDS ? &builds[index] : NULL;
}

const struct regress_build *regress_expect_find(const char *name)
{
    return regress_expect_build(build_position(name));
}

const char *regress_expect_result(const char *check, const struct regress_build *build)
{
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (range_covers(&ranges[i], check, (size_t)(build - builds)))
            return ranges[i].result;
    return NULL;
}

/* Versions of one branch: 1.1.1, 3.0, 3.5. */
static bool same_branch(unsigned long a, unsigned long b)
{
    return a >> 20 == b >> 20 && (a >= 0x30000000UL || a >> 12 == b >> 12);
}

static bool equal_results(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static bool is_exactly(const struct regress_build *b, unsigned long version, const char *built)
{
    return b->version == version && b->built && strstr(built, b->built);
}

/* The builds [*first, *end) that this library may be: one when its date is known, otherwise all of
 * its version. */
static void matching_builds(unsigned long version, const char *built, size_t *first, size_t *end)
{
    for (size_t i = 0; i < BUILDS; i++)
        if (is_exactly(&builds[i], version, built)) {
            *first = i;
            *end = i + 1;
            return;
        }
    *first = 0;
    while (*first < BUILDS && builds[*first].version < version)
        ++*first;
    *end = *first;
    while (*end < BUILDS && builds[*end].version == version)
        ++*end;
}

/* The result that all builds [from, to) gave; NULL: they differ, or there are none. */
static const char *common_result(const char *check, size_t from, size_t to)
{
    const char *result = from < to ? regress_expect_result(check, &builds[from]) : NULL;
    for (size_t i = from; result && i < to; i++)
        if (!equal_results(result, regress_expect_result(check, &builds[i])))
            result = NULL;
    return result;
}

struct regress_expectation regress_expect_of(const char *check, unsigned long version,
                                             const char *built)
{
    size_t first, end;
    matching_builds(version, built, &first, &end);
    if (first == end && first && end < BUILDS && same_branch(builds[first - 1].version, version) &&
        same_branch(builds[end].version, version)) {
        first--; /* between two measured builds */
        end++;
    }
    const char *result = common_result(check, first, end);
    if (result)
        return (struct regress_expectation){result, builds[first].name, true};
    for (size_t i = first == end ? first : first + 1; i-- > 0;)
        if ((result = regress_expect_result(check, &builds[i])))
            return (struct regress_expectation){result, builds[i].name, false};
    return (struct regress_expectation){0};
}
