/* SPDX-License-Identifier: MIT */
/* fuzz/harness/heap.c and pool.c: where OpenSSL gets its memory while it is fuzzed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdint.h>
#include <string.h>

#include "harness/common.h"
#include "harness/poison.h"
#include "harness/pool.h"

enum { MANY = 300 };

static const size_t sizes[] = {0,    1,    15,   16,    17,     40,     64,     100,    127,    500,
                               1000, 4096, 5000, 20000, 131072, 262127, 262128, 262129, 1 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void blocks_are_apart_and_keep_their_bytes(void **state)
{
    (void)state;
    uint8_t *blocks[SIZES][2];
    for (size_t i = 0; i < SIZES; i++)
        for (unsigned n = 0; n < 2; n++) {
            blocks[i][n] = fuzz_heap_alloc(sizes[i]);
            assert_non_null(blocks[i][n]);
            assert_int_equal((uintptr_t)blocks[i][n] % 16, 0);
            assert_int_equal(pool_size(blocks[i][n]), sizes[i]);
            memset(blocks[i][n], (int)(2 * i + n), sizes[i]);
        }
    for (size_t i = 0; i < SIZES; i++)
        for (unsigned n = 0; n < 2; n++) {
            for (size_t at = 0; at < sizes[i]; at++)
                assert_int_equal(blocks[i][n][at], 2 * i + n);
            fuzz_heap_free(blocks[i][n]);
        }
    pool_next_run();
}

/* A freed block is not given out again before the run is over. */
static void a_freed_block_is_given_out_in_the_next_run(void **state)
{
    (void)state;
    pool_next_run();
    void *freed = fuzz_heap_alloc(100);
    fuzz_heap_free(freed);
    void *others[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        others[i] = fuzz_heap_alloc(100);
        assert_ptr_not_equal(others[i], freed);
    }
    for (unsigned i = 0; i < MANY; i++)
        fuzz_heap_free(others[i]);
    pool_next_run();
    bool found = false;
    for (unsigned i = 0; i < MANY + 1; i++) {
        void *again = fuzz_heap_alloc(100);
        found |= again == freed;
    }
    assert_true(found);
}

static void growing_moves_and_keeps_what_was_there(void **state)
{
    (void)state;
    char *small = fuzz_heap_realloc(NULL, 6);
    memcpy(small, "bytes", 6);
    char *large = fuzz_heap_realloc(small, 5000);
    assert_ptr_not_equal(small, large);
    assert_string_equal(large, "bytes");
    char *cut = fuzz_heap_realloc(large, 2);
    assert_memory_equal(cut, "by", 2);
    assert_null(fuzz_heap_realloc(cut, 0));
}

static void the_account_is_that_of_malloc(void **state)
{
    (void)state;
    const struct fuzz_heap before = fuzz_heap_mark();
    void *one = fuzz_heap_alloc(100), *two = fuzz_heap_alloc(1000);
    fuzz_heap_free(one);
    const struct fuzz_heap held = fuzz_heap_now();
    assert_int_equal(held.blocks, before.blocks + 1);
    assert_int_equal(held.bytes, before.bytes + 1000);
    assert_int_equal(held.peak, before.bytes + 1100);
    fuzz_heap_fail(2);
    void *three = fuzz_heap_alloc(10);
    assert_non_null(three);
    assert_null(fuzz_heap_realloc(two, 2000));
    fuzz_heap_fail(0);
    fuzz_heap_free(two);
    fuzz_heap_free(three);
    fuzz_heap_free(NULL);
    assert_int_equal(fuzz_heap_now().bytes, before.bytes);
    assert_int_equal(fuzz_heap_now().blocks, before.blocks);
}

#ifdef FUZZ_ASAN
static void a_sanitizer_sees_what_is_nobodys(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        uint8_t *block = fuzz_heap_alloc(sizes[i]);
        assert_true(__asan_address_is_poisoned(block - 1));
        assert_true(__asan_address_is_poisoned(block + sizes[i]));
        assert_null(__asan_region_is_poisoned(block, sizes[i]));
        fuzz_heap_free(block);
        assert_true(!sizes[i] || __asan_address_is_poisoned(block));
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_apart_and_keep_their_bytes),
        cmocka_unit_test(a_freed_block_is_given_out_in_the_next_run),
        cmocka_unit_test(growing_moves_and_keeps_what_was_there),
        cmocka_unit_test(the_account_is_that_of_malloc),
#ifdef FUZZ_ASAN
        cmocka_unit_test(a_sanitizer_sees_what_is_nobodys),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
