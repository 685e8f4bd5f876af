/* SPDX-License-Identifier: MIT */
#include "harness/pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/common.h"
#include "harness/poison.h"

void *__real_malloc(size_t size);
void __real_free(void *block);

/* Sizes of blocks, heads included: four in each doubling from 32 bytes on, multiples of 16. */
enum { SMALLEST = 32, LARGEST = 1 << 18, CLASSES = 56, APART = CLASSES, SLAB = 1 << 22 };

/* In front of each block, with the alignment of the block, and poisoned: nobody may touch the bytes
 * before a block. */
struct head {
    _Alignas(max_align_t) struct head *next; /* in a list of free ones */
    uint32_t size;
    uint16_t class; /* APART: from malloc() */
    uint16_t live;
};

enum { HEAD = sizeof(struct head) };

static struct {
    struct head *ready, *freed, *first_freed; /* first_freed: the end of the list */
} lists[CLASSES];
static uint8_t *slab, *slab_end;
static enum { UNKNOWN, POOLED, PLAIN } mode;

/* These functions read and write bytes that they poisoned. A helper without this mark would not be
 * inlined into them. */
#define HEADS __attribute__((no_sanitize("address")))

HEADS static struct head *head_of(const void *block)
{
    return (struct head *)((uintptr_t)block - HEAD);
}

HEADS static void *block_of(struct head *h)
{
    return (uint8_t *)h + HEAD;
}

/* The smallest class that holds `need`, and its size. */
HEADS static unsigned class_of(size_t need, size_t *room)
{
    need = (need + 15) & ~(size_t)15;
    if (need <= SMALLEST) {
        *room = SMALLEST;
        return 0;
    }
    const unsigned log = 63U - (unsigned)__builtin_clzll(need - 1);
    const size_t step = ((size_t)1 << log) / 4, steps = (need - 1) / step - 3; /* 1 to 4 */
    *room = ((size_t)1 << log) + steps * step;
    return (log - 5) * 4 + (unsigned)steps;
}

/* Slabs are never given back; freed blocks are used again. LeakSanitizer takes everything that a
 * slab points to for used, so leaks are found by counting blocks. */
HEADS static bool new_slab(void)
{
    void *p = mmap(NULL, SLAB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    ASAN_POISON_MEMORY_REGION(p, SLAB);
    LSAN_ROOT_REGION(p, SLAB);
    slab = p;
    slab_end = slab + SLAB;
    return true;
}

HEADS static struct head *take(unsigned class, size_t room)
{
    struct head *h = lists[class].ready;
    if (h) {
        lists[class].ready = h->next;
        __builtin_prefetch(h->next); /* the next run's first use of it would miss the caches */
        return h;
    }
    if ((size_t)(slab_end - slab) < room && !new_slab())
        return NULL;
    h = (struct head *)(void *)slab;
    slab += room;
    h->class = (uint16_t) class;
    return h;
}

HEADS static struct head *take_apart(size_t size)
{
    struct head *h = size < UINT32_MAX ? __real_malloc(HEAD + size) : NULL;
    if (!h)
        return NULL;
    h->class = APART;
    ASAN_POISON_MEMORY_REGION(h, HEAD);
    return h;
}

HEADS static bool is_plain(void)
{
    const char *wanted = mode == UNKNOWN ? getenv("FUZZ_HEAP") : NULL;
    if (mode == UNKNOWN)
        mode = wanted && !strcmp(wanted, "plain") ? PLAIN : POOLED;
    return mode == PLAIN;
}

HEADS void *pool_alloc(size_t size)
{
    size_t room;
    struct head *h;
    if (size > LARGEST - HEAD || is_plain()) {
        h = take_apart(size);
    } else {
        const unsigned class = class_of(HEAD + size, &room);
        h = take(class, room);
    }
    if (!h)
        return NULL;
    h->size = (uint32_t)size;
    h->live = true;
    ASAN_UNPOISON_MEMORY_REGION(block_of(h), size);
    return block_of(h);
}

HEADS static void put_freed(struct head *h)
{
    const unsigned class = h->class;
    h->next = lists[class].freed;
    lists[class].freed = h;
    if (!h->next)
        lists[class].first_freed = h;
}

HEADS void pool_free(void *block)
{
    struct head *h = head_of(block);
    if (!block)
        return;
    fuzz_check(h->live, "a block is freed twice");
    h->live = false;
    if (h->class == APART) {
        ASAN_UNPOISON_MEMORY_REGION(h, HEAD);
        __real_free(h);
        return;
    }
    ASAN_POISON_MEMORY_REGION(block, h->size);
    put_freed(h);
}

HEADS size_t pool_size(const void *block)
{
    return head_of(block)->size;
}

HEADS void pool_next_run(void)
{
    for (unsigned i = 0; i < CLASSES; i++) {
        if (!lists[i].freed)
            continue;
        lists[i].first_freed->next = lists[i].ready;
        lists[i].ready = lists[i].freed;
        lists[i].freed = NULL;
    }
}
