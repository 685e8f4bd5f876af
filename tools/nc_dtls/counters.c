/* SPDX-License-Identifier: MIT */
/* The counters of the library, of all workers. */
#include <stdlib.h>

#include "nc_dtls/nc.h"

void nc_counters_add(const struct nc *n, uint64_t *sums)
{
    const char *name;
    for (unsigned i = 0; sdtls_counter(n->s, i, &name), name; i++)
        sums[i] += sdtls_counter(n->s, i, NULL);
}

uint64_t *nc_counters_new(const struct nc *n)
{
    const char *name;
    unsigned count = 0;
    while (sdtls_counter(n->s, count, &name), name)
        count++;
    return calloc(count, sizeof(uint64_t));
}

uint64_t *nc_counters_sum(const struct nc *n)
{
    uint64_t *sums = nc_counters_new(n);
    for (unsigned i = 0; sums && i < nc_team_size(n); i++)
        nc_counters_add(nc_team_member(n, i), sums);
    return sums;
}
