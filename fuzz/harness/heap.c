/* SPDX-License-Identifier: MIT */
/* malloc() and its relatives, wrapped by the linker (--wrap): counted, and failing on request.
 * libc's own allocations (a FILE, getaddrinfo()) are not seen. Blocks that libc hands out for the
 * caller to free are counted, or the sum would become too small. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "harness/poison.h"
#include "harness/pool.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

/* Per thread: an engine may have threads of its own. */
static _Thread_local struct fuzz_heap heap;
static _Thread_local unsigned fail_in;

struct fuzz_heap fuzz_heap_now(void)
{
    return heap;
}

struct fuzz_heap fuzz_heap_mark(void)
{
    heap.peak = heap.bytes;
    return heap;
}

void fuzz_heap_fail(unsigned n)
{
    fail_in = n;
}

/* A large block costs the sanitizer a mapping and its pages in every run. So the last freed one is
 * kept, poisoned, for the next request of the same size. */
enum { LARGE = 1 << 18 };
static _Thread_local struct {
    void *block;
    size_t size;
} kept;

static void *take_kept(size_t size)
{
    if (!kept.block || kept.size != size)
        return NULL;
    void *block = kept.block;
    kept.block = NULL;
    ASAN_UNPOISON_MEMORY_REGION(block, size);
    return block;
}

/* False: the caller has to free it. */
static bool keep(void *block)
{
    size_t size = block ? malloc_usable_size(block) : 0;
    if (size < LARGE || kept.block)
        return false;
    kept.block = block;
    kept.size = size;
    ASAN_POISON_MEMORY_REGION(block, size);
    return true;
}

static void check_not_kept(const void *block)
{
    fuzz_check(!block || block != kept.block, "a block is freed twice");
}

static bool fails(void)
{
    return fail_in && --fail_in == 0;
}

static void count(size_t bytes)
{
    heap.blocks++;
    heap.bytes += bytes;
    if (heap.peak < heap.bytes)
        heap.peak = heap.bytes;
}

static void discount(size_t bytes)
{
    heap.blocks--;
    heap.bytes -= bytes;
}

static void *gained(void *block)
{
    if (block)
        count(malloc_usable_size(block));
    return block;
}

static void losing(void *block)
{
    if (block)
        discount(malloc_usable_size(block));
}

void *__wrap_malloc(size_t size)
{
    if (fails())
        return NULL;
    void *block = size < LARGE ? NULL : take_kept(size);
    return gained(block ? block : __real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : gained(__real_calloc(n, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (size && fails())
        return NULL;
    check_not_kept(block);
    size_t before = block ? malloc_usable_size(block) : 0;
    void *moved = __real_realloc(block, size);
    if (!moved && size)
        return NULL;
    if (block)
        discount(before);
    return gained(moved);
}

void __wrap_free(void *block)
{
    check_not_kept(block);
    losing(block);
    if (!keep(block))
        __real_free(block);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : gained(__real_strdup(s));
}

char *__wrap_strndup(const char *s, size_t n)
{
    return fails() ? NULL : gained(__real_strndup(s, n));
}

void *fuzz_heap_alloc(size_t size)
{
    void *block = fails() ? NULL : pool_alloc(size);
    if (block)
        count(size);
    return block;
}

void fuzz_heap_free(void *block)
{
    if (block)
        discount(pool_size(block));
    pool_free(block);
}

/* Always another block, so that an access through an old pointer is found. */
void *fuzz_heap_realloc(void *block, size_t size)
{
    if (!block)
        return fuzz_heap_alloc(size);
    void *moved = size ? fuzz_heap_alloc(size) : NULL;
    if (moved)
        memcpy(moved, block, pool_size(block) < size ? pool_size(block) : size);
    if (moved || !size)
        fuzz_heap_free(block);
    return moved;
}

uint8_t *fuzz_copy(struct sd_span bytes)
{
    unsigned fails_later = fail_in; /* the code under test did not ask for it */
    fail_in = 0;
    uint8_t *copy = malloc(bytes.len ? bytes.len : 1);
    fuzz_check(copy, "no memory for %zu bytes", bytes.len);
    if (bytes.len)
        memcpy(copy, bytes.p, bytes.len);
    fail_in = fails_later;
    return copy;
}

uint8_t *fuzz_place(struct fuzz_place *place, struct sd_span bytes)
{
    size_t room = sizeof place->bytes;
    fuzz_check(bytes.len <= room, "%zu bytes do not fit into the place", bytes.len);
    ASAN_UNPOISON_MEMORY_REGION(place->bytes, bytes.len);
    if (bytes.len)
        memcpy(place->bytes, bytes.p, bytes.len);
    ASAN_POISON_MEMORY_REGION(place->bytes + bytes.len, room - bytes.len);
    return place->bytes;
}
