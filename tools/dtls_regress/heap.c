#include "dtls_regress/heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* libcrypto has one allocator a process. */
static struct heap heap;
static bool counted;

/* Before each block: its size. */
union header {
    size_t len;
    max_align_t align;
};

static void *take(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    union header *h = len && len < SIZE_MAX - sizeof *h ? malloc(sizeof *h + len) : NULL;
    if (!h)
        return NULL;
    h->len = len;
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
    heap.bytes -= h->len;
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

bool heap_is_counted(void)
{
    return counted;
}

struct heap heap_now(void)
{
    return heap;
}
