#include "dtls_regress/heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* libcrypto has one allocator a process. */
static struct heap heap;
static bool counted;
static size_t guard;

enum { GUARD_BYTE = 0xa5 };

/* Before each block: its size, and how many guarded bytes are behind it. */
union header {
    struct {
        size_t len, guard;
        bool freed;
    };
    max_align_t align;
};

static unsigned char *behind(union header *h)
{
    return (unsigned char *)(h + 1) + h->len;
}

static void *take(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    union header *h = len && len < SIZE_MAX / 2 ? malloc(sizeof *h + len + guard) : NULL;
    if (!h)
        return NULL;
    h->len = len;
    h->guard = guard;
    h->freed = false;
    memset(behind(h), GUARD_BYTE, guard);
    heap.bytes += len;
    heap.allocations++;
    heap.asked += len;
    return h + 1;
}

static void give(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (!block)
        return;
    union header *h = (union header *)block - 1;
    if (h->guard && h->freed) {
        heap.freed_twice++;
        return;
    }
    h->freed = true;
    heap.bytes -= h->len;
    for (size_t i = 0; i < h->guard; i++)
        heap.overrun += behind(h)[i] != GUARD_BYTE;
    if (!h->guard)
        free(h);
}

static void *change(void *block, size_t len, const char *file, int line)
{
    if (!len) {
        give(block, file, line);
        return NULL;
    }
    void *next = take(len, file, line);
    if (next && block) {
        const size_t had = ((union header *)block - 1)->len;
        memcpy(next, block, had < len ? had : len);
        give(block, file, line);
    }
    return next;
}

void heap_count(void)
{
    counted = CRYPTO_set_mem_functions(take, change, give) == 1;
}

void heap_guard(size_t bytes)
{
    guard = bytes;
}

bool heap_is_counted(void)
{
    return counted;
}

struct heap heap_now(void)
{
    return heap;
}
