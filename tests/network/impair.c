/* SPDX-License-Identifier: MIT */
#include "impair.h"

#include <stdlib.h>

#include "base/hash.h"

/* One throw of the dice, a different one for each question. */
static bool throw(unsigned per_mille, const uint64_t what[4], uint64_t question)
{
    struct sd_hash_key key = {what[0], question};
    return sd_hash(key, what, 4 * sizeof *what) % 1000 < per_mille;
}

struct impair_fate impair(const struct impair_rules *r, uint64_t seed, unsigned client,
                          enum impair_direction direction, unsigned number, size_t len)
{
    const uint64_t what[4] = {seed, client, direction, number};
    struct impair_fate f = {
        .drop = throw(r->loss, what, 1) || (r->limit && len > r->limit) ||
                (number < 64 && r->drop >> number & 1),
        .duplicate = throw(r->duplicate, what, 2),
        .late = throw(r->reorder, what, 3),
        .corrupt = throw(r->corrupt, what, 4),
    };
    return f;
}

bool impair_parse_set(const char *text, uint64_t *set)
{
    *set = 0;
    while (*text) {
        char *end;
        unsigned long from = strtoul(text, &end, 10), to = from;
        if (end == text)
            return false;
        if (*end == '-')
            to = strtoul(text = end + 1, &end, 10);
        if (end == text || to > 63 || from > to)
            return false;
        for (unsigned long n = from; n <= to; n++)
            *set |= UINT64_C(1) << n;
        if (*end && *end != ',')
            return false;
        text = *end ? end + 1 : end;
    }
    return true;
}
