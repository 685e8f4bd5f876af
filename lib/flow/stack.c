/* SPDX-License-Identifier: MIT */
#include "flow/stack.h"

#include <stdio.h>

#include "wire/extension.h"
#include "wire/hello.h"

/* Per thousand. A timer is late rather than early: a program may be busy. */
enum { EARLY = 100, LATE = 150, SAME = 20 };

enum {
    LIMIT = SD_TRAIT_SIZE_LIMIT,
    SCHEMES = SD_TRAIT_SCHEMES_FIRST,
    AGREED = SD_TRAIT_AGREED,
};

/* The times were measured on real clients, and so were the traits. */
const struct sd_stack sd_stacks[] = {
    {"OpenSSL", {1000, 2000, 4000}, 0, AGREED | SCHEMES | LIMIT},
    {"GnuTLS", {1000, 3000, 6000}, LIMIT, 0},
    {"GnuTLS", {1000, 2000, 4000}, LIMIT, 0}, /* not its ClientHello */
    {"wolfSSL", {1000, 2000, 5700}, SCHEMES, AGREED | LIMIT},
    {"NSS (Firefox)", {50, 110, 200}, LIMIT, 0},
    {"BoringSSL (Chrome)", {50, 100, 200}, 0, LIMIT},
    {"AnyConnect", {1000, 2000, 4000}, AGREED, LIMIT},
    {"GeForce NOW", {100, 180, 360}, 0, 0},
};

const size_t sd_stack_count = sizeof(sd_stacks) / sizeof(sd_stacks[0]);

/* --- the hello --- */

static uint8_t traits_of_extensions(struct sd_span extensions)
{
    struct sd_rd block = sd_rd_init(extensions.p, extensions.len);
    struct sd_ext e;
    uint8_t traits = 0;
    bool schemes = false;
    while (sd_ext_next(&block, &e) == SD_EXT_OK) {
        if (e.type == SD_EXT_RECORD_SIZE_LIMIT)
            traits |= SD_TRAIT_SIZE_LIMIT;
        if (e.type == SD_EXT_SUPPORTED_GROUPS && schemes)
            traits |= SD_TRAIT_SCHEMES_FIRST;
        schemes |= e.type == SD_EXT_SIGNATURE_ALGORITHMS;
    }
    return traits;
}

/* False when it was not seen whole. */
static bool traits_of_hello(const struct sd_exchange *x, uint8_t *traits)
{
    struct sd_span body = sd_kept(x, SD_KEPT_CLIENT_HELLO);
    struct sd_client_hello ch;
    if (sd_client_hello_parse(&ch, body, body.len) != SD_HELLO_WHOLE)
        return false;
    *traits = traits_of_extensions(ch.extensions);
    if (ch.session_id.len == SD_SESSION_ID_MAX && ch.suites.len == sizeof(uint16_t))
        *traits |= SD_TRAIT_AGREED;
    return true;
}

static bool has_traits(const struct sd_stack *s, uint8_t traits)
{
    return (traits & s->traits) == s->traits && !(traits & s->others_traits);
}

/* --- the times --- */

static int64_t deviation(int64_t ns, int ms)
{
    return ns / (ms * (SD_NS_MS / 1000)) - 1000;
}

/* The largest deviation; -1 = it is another timer. The first two times must fit. */
static int64_t distance(const struct sd_stack *s, const int64_t *times, size_t count)
{
    int64_t worst = 0;
    for (size_t i = 0; i < count && i < SD_STACK_TIMES; i++) {
        int64_t d = deviation(times[i], s->ms[i]);
        if (i < 2 && (d <= -EARLY || d >= LATE))
            return -1;
        d = d < 0 ? -d : d;
        worst = d > worst ? d : worst;
    }
    return worst;
}

static uint32_t rows_with_traits(const struct sd_exchange *x)
{
    uint8_t traits;
    uint32_t rows = 0;
    if (!traits_of_hello(x, &traits))
        return UINT32_MAX; /* any */
    for (size_t i = 0; i < sd_stack_count; i++)
        rows |= has_traits(&sd_stacks[i], traits) ? UINT32_C(1) << i : 0;
    return rows;
}

/* Among these rows; two that are about as near are both named. */
static uint32_t nearest_of(uint32_t rows, const int64_t *times, size_t count)
{
    uint32_t nearest = 0;
    int64_t best = INT64_MAX;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < sd_stack_count; i++) {
            int64_t d = rows >> i & 1 ? distance(&sd_stacks[i], times, count) : -1;
            if (d >= 0 && d < best && !pass)
                best = d;
            if (d >= 0 && d <= best + SAME && pass)
                nearest |= UINT32_C(1) << i;
        }
    return nearest;
}

uint32_t sd_stack_nearest(const struct sd_exchange *x, const int64_t *times, size_t count)
{
    if (count < 2)
        return 0;
    return nearest_of(rows_with_traits(x), times, count);
}

void sd_stack_names(uint32_t rows, char out[static SD_STACK_TEXT])
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sd_stack_count && at < SD_STACK_TEXT; i++) {
        if (!(rows >> i & 1))
            continue;
        rows &= ~(UINT32_C(1) << i);
        const char *between = !at ? "" : rows ? ", " : " or ";
        at += (size_t)snprintf(out + at, SD_STACK_TEXT - at, "%s%s", between, sd_stacks[i].name);
    }
}
