/* SPDX-License-Identifier: MIT */
/* What a bad network does to one datagram: a pure function of the rules, the
 * seed and the datagram's number, so that every run with a seed is the same. */
#ifndef TESTS_IMPAIR_H
#define TESTS_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum impair_direction { TO_SERVER, TO_CLIENT };

struct impair_rules {
    unsigned loss, duplicate, reorder, corrupt; /* in 1,000 */
    size_t limit;                               /* longer payloads vanish; 0 = none */
    uint64_t drop;                              /* bit n: the datagram number n of each client */
};

struct impair_fate {
    bool drop, duplicate, late, corrupt;
};

struct impair_fate impair(const struct impair_rules *r, uint64_t seed, unsigned client,
                          enum impair_direction direction, unsigned number, size_t len);

/* "1,3-5" into bits; false when it is not of that form or beyond 63. */
bool impair_parse_set(const char *text, uint64_t *set);

#endif
