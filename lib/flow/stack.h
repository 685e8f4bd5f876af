/* SPDX-License-Identifier: MIT */
/* Which DTLS library a client resembles: by the times between the copies of its flight and,
 * where several have the same timer, by its ClientHello. Private to lib/flow. */
#ifndef SD_FLOW_STACK_H
#define SD_FLOW_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "flow/view.h"

enum { SD_STACK_TIMES = 3 };

/* Of a ClientHello. Measured: they do not depend on how a program configures its library. */
enum sd_trait {
    SD_TRAIT_SIZE_LIMIT = 1,         /* record_size_limit (RFC 8449) */
    SD_TRAIT_SCHEMES_FIRST = 1 << 1, /* signature_algorithms before supported_groups */
    SD_TRAIT_AGREED = 1 << 2 /* a session id and one suite: agreed on over another connection */
};

struct sd_stack {
    const char *name;
    int ms[SD_STACK_TIMES];        /* from one copy to the next */
    uint8_t traits, others_traits; /* it has those, and none of these; enum sd_trait */
};

extern const struct sd_stack sd_stacks[];
extern const size_t sd_stack_count;

/* The nearest rows of sd_stacks, bit by bit; 0 = none is near, or `count` < 2. Times in ns. */
uint32_t sd_stack_nearest(const struct sd_exchange *x, const int64_t *times, size_t count);
/* Their names: "OpenSSL", "OpenSSL, GnuTLS or wolfSSL"; "" for none. */
void sd_stack_names(uint32_t rows, char out[static SD_STACK_TEXT]);

#endif
