/* What OpenSSL takes from the heap, and only OpenSSL: works under a sanitizer too. */
#ifndef REGRESS_HEAP_H
#define REGRESS_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap {
    size_t bytes;              /* held now */
    size_t allocations, asked; /* since the start: calls, and the bytes they asked for */
};

/* Before any other call of OpenSSL: later it lets nobody count. */
void heap_count(void);
/* False when OpenSSL refused. */
#define HEAP_UNKNOWN "this OpenSSL does not let its heap be counted"
bool heap_is_counted(void);
struct heap heap_now(void);

#endif
