/* What OpenSSL takes from the heap, and only OpenSSL: works under a sanitizer too. */
#ifndef REGRESS_HEAP_H
#define REGRESS_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap {
    size_t bytes;              /* held now */
    size_t allocations, asked; /* since the start: calls, and the bytes they asked for */
    /* With heap_guard(): bytes behind blocks that were written to, and blocks freed again. */
    size_t overrun, freed_twice;
};

/* Before any other call of OpenSSL: later it lets nobody count. */
void heap_count(void);
/* False when OpenSSL refused. */
#define HEAP_UNKNOWN "this OpenSSL does not let its heap be counted"
bool heap_is_counted(void);
/* Blocks that are made from now on are watched, so many bytes behind each as well: who writes there
 * is seen when the block is freed, and does no harm. What is freed is kept, and so is harmless when
 * it is freed again: for experiments that are short. */
void heap_guard(size_t bytes);
struct heap heap_now(void);

#endif
