/* SPDX-License-Identifier: MIT */
#include "dtls_regress/heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* A process has one libcrypto, which has one allocator: hence global state. */
static struct regress_heap heap;
static bool counted;
static size_t guard;

enum { GUARD_BYTE = 0xa5 };

/* Before each block: its size, and how many guarded bytes follow it. */
union block_header {
    struct {
        size_t len, guard;
        bool freed;
    };
    max_align_t align;
};

static unsigned char *guard_of(union block_header *h)
{
    return (unsigned char *)(h + 1) + h->len;
}

static void *count_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    union block_header *h = len && len < SIZE_MAX / 2 ? malloc(sizeof *h + len + guard) : NULL;
    if (!h)
        return NULL;
    h->len = len;
    h->guard = guard;
    h->freed = false;
    memset(guard_of(h), GUARD_BYTE, guard);
    heap.bytes += len;
    heap.allocations++;
    heap.asked += len;
    return h + 1;
}

static void count_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (!block)
        return;
    union block_header *h = (union block_header *)block - 1;
    if (h->guard && h->freed) {
        heap.freed_twice++;
        return;
    }
    h->freed = true;
    heap.bytes -= h->len;
    for (size_t i = 0; i < h->guard; i++)
        heap.overrun += guard_of(h)[i] != GUARD_BYTE;
    if (!h->guard)
        free(h);
}

static void *count_realloc(void *block, size_t len, const char *file, int line)
{
    if (!len) {
        count_free(block, file, line);
        return NULL;
    }
    void *next = count_malloc(len, file, line);
    if (next && block) {
        const size_t had = ((union block_header *)block - 1)->len;
        memcpy(next, block, had < len ? had : len);
        count_free(block, file, line);
    }
    return next;
}

void regress_heap_count(void)
{
    counted = CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) == 1;
}

void regress_heap_guard(size_t bytes)
{
    guard = bytes;
}

bool regress_heap_is_counted(void)
{
    return counted;
}

struct regress_heap regress_heap_now(void)
{
    return heap;
}
