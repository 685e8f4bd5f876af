/* Memory for a library that asks often: OpenSSL makes some thousand allocations in a handshake, and
 * AddressSanitizer's own allocator takes longer for them than OpenSSL for the handshake.
 *
 * What a sanitizer finds, it finds here: the bytes around a block are poisoned, and those of a
 * freed one until the next run begins. It cannot tell who allocated or freed it: with
 * FUZZ_HEAP=plain in the environment each block comes from malloc(), and it can.
 *
 * One for the process; not for threads. */
#ifndef FUZZ_POOL_H
#define FUZZ_POOL_H

#include <stddef.h>

/* Aligned for everything; NULL: no memory. */
void *pool_alloc(size_t size);
/* Of a block of pool_alloc(). A block that is freed twice ends the program. */
void pool_free(void *block);
/* What was asked for. */
size_t pool_size(const void *block);
/* From here on blocks that were freed may be given out again. */
void pool_next_run(void);

#endif
