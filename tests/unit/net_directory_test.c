/* SPDX-License-Identifier: MIT */
/* lib/net/directory.c: who has a peer, read by all threads while one changes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "base/hash.h"
#include "net/directory.h"

static uint64_t hash_of(uint64_t n)
{
    return sd_hash((struct sd_hash_key){1, 2}, &n, sizeof n);
}

static void what_was_added_is_found_until_it_is_removed(void **state)
{
    (void)state;
    enum { N = 5000 };
    struct sd_directory d;
    assert_true(sd_directory_init(&d, N));
    for (uint64_t i = 0; i < N; i++)
        assert_true(sd_directory_add(&d, hash_of(i), (unsigned)(i % SD_DIRECTORY_MEMBERS)));
    for (uint64_t i = 0; i < N; i += 2)
        sd_directory_remove(&d, hash_of(i), (unsigned)(i % SD_DIRECTORY_MEMBERS));
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(sd_directory_find(&d, hash_of(i)),
                         i % 2 ? (int)(i % SD_DIRECTORY_MEMBERS) : -1);
    sd_directory_fini(&d);
}

/* Every bucket overflows, and all of it is undone. */
static void a_full_one_says_so_and_empties_again(void **state)
{
    (void)state;
    struct sd_directory d;
    assert_true(sd_directory_init(&d, 16));
    uint64_t n = 0;
    while (sd_directory_add(&d, hash_of(n), 3))
        n++;
    assert_int_equal(n, (d.mask + 1) * SD_DIRECTORY_SLOTS);
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(sd_directory_find(&d, hash_of(i)), 3);
    assert_int_equal(sd_directory_find(&d, hash_of(n)), -1);
    for (uint64_t i = n; i--;)
        sd_directory_remove(&d, hash_of(i), 3);
    for (size_t i = 0; i <= d.mask; i++)
        assert_int_equal(d.buckets[i].passed, 0);
    sd_directory_fini(&d);
}

static void only_its_own_member_removes_it(void **state)
{
    (void)state;
    struct sd_directory d;
    assert_true(sd_directory_init(&d, 4));
    assert_true(sd_directory_add(&d, hash_of(1), 5));
    sd_directory_remove(&d, hash_of(1), 6);
    assert_int_equal(sd_directory_find(&d, hash_of(1)), 5);
    sd_directory_fini(&d);
}

enum { STAYING = 40, ROUNDS = 20000 };

static void *look_all_the_time(void *arg)
{
    const struct sd_directory *d = arg;
    uintptr_t missed = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        missed += sd_directory_find(d, hash_of(i % STAYING)) != 1;
    return (void *)missed;
}

/* In a small one the entries that come and go share buckets with those that stay. */
static void who_stays_is_found_while_others_come_and_go(void **state)
{
    (void)state;
    struct sd_directory d;
    pthread_t reader;
    void *missed;
    assert_true(sd_directory_init(&d, 32));
    for (uint64_t i = 0; i < STAYING; i++)
        assert_true(sd_directory_add(&d, hash_of(i), 1));
    assert_int_equal(pthread_create(&reader, NULL, look_all_the_time, &d), 0);
    for (uint64_t i = STAYING; i < STAYING + ROUNDS; i++) {
        assert_true(sd_directory_add(&d, hash_of(i), 2));
        sd_directory_remove(&d, hash_of(i), 2);
    }
    assert_int_equal(pthread_join(reader, &missed), 0);
    assert_int_equal((uintptr_t)missed, 0);
    sd_directory_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found_until_it_is_removed),
        cmocka_unit_test(a_full_one_says_so_and_empties_again),
        cmocka_unit_test(only_its_own_member_removes_it),
        cmocka_unit_test(who_stays_is_found_while_others_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
