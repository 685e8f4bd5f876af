/* SPDX-License-Identifier: MIT */
/* What other handshakes of the capture say about one. */
#ifndef SD_FLOW_INDEX_H
#define SD_FLOW_INDEX_H

#include "flow/exchange.h"

struct sd_index;

enum { SD_INDEX_MAX = 64 }; /* how many others a question looks at, at most */

/* Others that are alike in one point, in no order; returns how many were written. */
size_t sd_index_same_random(const struct sd_index *index, const struct sd_exchange *x,
                            const struct sd_exchange *found[static SD_INDEX_MAX]);
/* To the same server address and port. */
size_t sd_index_same_server(const struct sd_index *index, const struct sd_exchange *x,
                            const struct sd_exchange *found[static SD_INDEX_MAX]);
/* From the same client address (any port) to the same server. */
size_t sd_index_same_pair(const struct sd_index *index, const struct sd_exchange *x,
                          const struct sd_exchange *found[static SD_INDEX_MAX]);

/* The same address, whatever the port. */
static inline bool sd_same_machine(const struct sd_addr *a, const struct sd_addr *b)
{
    struct sd_addr one = *a, two = *b;
    sd_addr_set_port(&one, 0);
    sd_addr_set_port(&two, 0);
    return sd_addr_eq(&one, &two);
}

/* Between the same two hosts, whichever ports and roles they have. */
size_t sd_index_same_hosts(const struct sd_index *index, const struct sd_exchange *x,
                           const struct sd_exchange *found[static SD_INDEX_MAX]);

#endif
