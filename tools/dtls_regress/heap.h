/* SPDX-License-Identifier: MIT */
/* What OpenSSL, and only OpenSSL, takes from the heap. Works under a sanitizer, too. */
#ifndef REGRESS_HEAP_H
#define REGRESS_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct regress_heap {
    size_t bytes;       /* held now */
    size_t allocations; /* calls since the start, */
    size_t asked;       /* and the bytes they asked for */
    /* After regress_heap_guard(): */
    size_t overrun;     /* bytes after blocks that were overwritten */
    size_t freed_twice; /* blocks */
};

/* Starts to count. To be called before any other function of OpenSSL, which refuses it later. */
void regress_heap_count(void);
/* False when OpenSSL refused. */
bool regress_heap_is_counted(void);
#define HEAP_UNKNOWN "this OpenSSL does not let its heap be counted"
/* Watches blocks allocated from now on, and this many bytes after each. An overwritten byte is
 * noticed when its block is freed, and does no harm. A freed block is kept, so freeing it again
 * does no harm either: for short experiments only. */
void regress_heap_guard(size_t bytes);
struct regress_heap regress_heap_now(void);

#endif
