/* SPDX-License-Identifier: MIT */
/* Memory for a library that allocates often: OpenSSL makes some thousand allocations in a
 * handshake, and AddressSanitizer's own allocator needs more time for them than OpenSSL for the
 * handshake.
 *
 * The sanitizer works here as well: the bytes around a block are poisoned, and a freed block until
 * the next run begins. But it does not know where a block was allocated or freed. With
 * FUZZ_HEAP=plain in the environment each block comes from malloc(), and then it knows.
 *
 * One pool for the process; not for threads. */
#ifndef FUZZ_POOL_H
#define FUZZ_POOL_H

#include <stddef.h>

/* Aligned for everything; NULL: no memory. */
void *pool_alloc(size_t size);
/* Of a block of pool_alloc(). A block that is freed twice ends the program. */
void pool_free(void *block);
/* The size that was asked for. */
size_t pool_size(const void *block);
/* From here on, freed blocks may be given out again. */
void pool_next_run(void);

#endif
