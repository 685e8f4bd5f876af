#include "dtls_regress/expect.h"

#include <string.h>

#define SSL_1_1_1(letter) (0x1010100fUL | ((letter) - 'a' + 1UL) << 4)
#define SSL_3(minor, patch) (0x30000000UL | (minor) << 20 | (patch) << 4)
#define SSL_4(minor, patch) (0x40000000UL | (minor) << 20 | (patch) << 4)

static const struct build builds[] = {
#define BUILD(name, version, built) {name, version, built},
#define EXPECT(check, first, last, result)
#include "dtls_regress/expected.def"
#undef BUILD
#undef EXPECT
};
enum { BUILDS = sizeof builds / sizeof *builds };

/* From one build to another one. */
static const struct row {
    const char *check, *first, *last, *result;
} rows[] = {
#define BUILD(name, version, built)
#define EXPECT(check, first, last, result) {check, first, last, result},
#include "dtls_regress/expected.def"
#undef BUILD
#undef EXPECT
};

static size_t position(const char *name)
{
    size_t i = 0;
    while (i < BUILDS && strcmp(builds[i].name, name) != 0)
        i++;
    return i;
}

static bool covers(const struct row *r, const char *check, size_t at)
{
    return !strcmp(r->check, check) && position(r->first) <= at && at <= position(r->last);
}

const struct build *expect_build(size_t index)
{
    return index < BUILDS ? &builds[index] : NULL;
}

const char *expect_result(const char *check, const struct build *build)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (covers(&rows[i], check, (size_t)(build - builds)))
            return rows[i].result;
    return NULL;
}

/* Versions of one branch: 1.1.1, 3.0, 3.5. */
static bool same_branch(unsigned long a, unsigned long b)
{
    return a >> 20 == b >> 20 && (a >= 0x30000000UL || a >> 12 == b >> 12);
}

static bool same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static bool is_that(const struct build *b, unsigned long version, const char *built)
{
    return b->version == version && b->built && strstr(built, b->built);
}

/* The builds [*first, *end) that it may be: the very one, or all of its version. */
static void candidates(unsigned long version, const char *built, size_t *first, size_t *end)
{
    for (size_t i = 0; i < BUILDS; i++)
        if (is_that(&builds[i], version, built)) {
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

/* What the builds [from, to) have in common; NULL: nothing. */
static const char *common(const char *check, size_t from, size_t to)
{
    const char *result = from < to ? expect_result(check, &builds[from]) : NULL;
    for (size_t i = from; result && i < to; i++)
        if (!same(result, expect_result(check, &builds[i])))
            result = NULL;
    return result;
}

struct expectation expect_of(const char *check, unsigned long version, const char *built)
{
    size_t first, end;
    candidates(version, built, &first, &end);
    if (first == end && first && end < BUILDS && same_branch(builds[first - 1].version, version) &&
        same_branch(builds[end].version, version)) {
        first--; /* between two that were measured */
        end++;
    }
    const char *result = common(check, first, end);
    if (result)
        return (struct expectation){result, builds[first].name, true};
    for (size_t i = first == end ? first : first + 1; i-- > 0;)
        if ((result = expect_result(check, &builds[i])))
            return (struct expectation){result, builds[i].name, false};
    return (struct expectation){0};
}
