/* SPDX-License-Identifier: MIT */
/* lib/base: bounds of the cursor, vectors of SipHash, table and timer heap. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"
#include "base/timers.h"

static void reader_stops_at_the_end(void **state)
{
    (void)state;
    const uint8_t b[] = {1, 2, 3};
    struct sd_rd r = sd_rd_init(b, sizeof b);
    assert_int_equal(sd_rd_u16(&r), 0x0102);
    assert_int_equal(sd_rd_u16(&r), 0);
    assert_true(r.bad);
    assert_int_equal(sd_rd_u8(&r), 0); /* sticky, although a byte is left */
    assert_false(sd_rd_done(&r));
    r = sd_rd_init("x", 1);
    sd_rd_u8(&r);
    assert_true(sd_rd_done(&r));
    sd_rd_u8(&r); /* all was read, and then more than there was */
    assert_false(sd_rd_done(&r));
}

static void vector_may_not_exceed_its_parent(void **state)
{
    (void)state;
    const uint8_t b[] = {4, 1, 2, 3};
    struct sd_rd r = sd_rd_init(b, sizeof b);
    struct sd_rd v = sd_rd_vec8(&r);
    assert_true(v.bad);
    assert_true(r.bad);
    assert_int_equal(sd_rd_left(&v), 0);
}

static void writer_round_trip(void **state)
{
    (void)state;
    uint8_t b[32];
    struct sd_wr w = sd_wr_init(b, sizeof b);
    sd_wr_u8(&w, 7);
    size_t mark = sd_wr_open(&w, 2);
    sd_wr_u24(&w, 0x010203);
    sd_wr_u48(&w, UINT64_C(0x0a0b0c0d0e0f));
    sd_wr_close(&w, mark, 2);
    struct sd_rd r = sd_rd_init(b, sd_wr_len(&w));
    assert_int_equal(sd_rd_u8(&r), 7);
    struct sd_rd v = sd_rd_vec16(&r);
    assert_int_equal(sd_rd_u24(&v), 0x010203);
    assert_true(sd_rd_u48(&v) == UINT64_C(0x0a0b0c0d0e0f));
    assert_true(sd_rd_done(&v) && sd_rd_done(&r));
}

static void writer_never_passes_its_end(void **state)
{
    (void)state;
    uint8_t b[4] = {0, 0, 0, 0x55};
    struct sd_wr w = sd_wr_init(b, 3);
    sd_wr_u16(&w, 1);
    sd_wr_u16(&w, 1);
    assert_true(w.bad);
    assert_int_equal(sd_wr_len(&w), 0);
    assert_int_equal(b[3], 0x55);
}

static void vector_length_must_fit_its_field(void **state)
{
    (void)state;
    uint8_t b[400], body[300] = {0};
    struct sd_wr w = sd_wr_init(b, sizeof b);
    size_t mark = sd_wr_open(&w, 1);
    sd_wr_bytes(&w, body, sizeof body);
    sd_wr_close(&w, mark, 1);
    assert_true(w.bad);
}

static void siphash_reference_vectors(void **state)
{
    (void)state;
    /* Key 00..0f; from the reference implementation's vectors_sip64. */
    struct sd_hash_key k = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    uint8_t in[15];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)i;
    assert_true(sd_hash(k, in, 0) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(sd_hash(k, in, 15) == UINT64_C(0xa129ca6149be45e5));
}

static void address_text_and_equality(void **state)
{
    (void)state;
    char text[SD_ADDR_TEXT];
    struct sd_addr a = sd_addr_any(AF_INET6, 4433), b = sd_addr_any(AF_INET, 4433);
    assert_string_equal(sd_addr_text(&a, text), "[::]:4433");
    assert_string_equal(sd_addr_text(&b, text), "0.0.0.0:4433");
    assert_false(sd_addr_eq(&a, &b));
    inet_pton(AF_INET6, "fe80::1", &a.in6.sin6_addr);
    struct sd_addr c = a;
    c.in6.sin6_scope_id = 3;
    assert_false(sd_addr_eq(&a, &c));
    uint8_t ba[SD_ADDR_BYTES], bc[SD_ADDR_BYTES];
    size_t la = sd_addr_bytes(&a, ba), lc = sd_addr_bytes(&c, bc);
    assert_int_equal(la, lc);
    assert_memory_not_equal(ba, bc, la);
}

static void host_of_an_ipv6_address_is_its_64(void **state)
{
    (void)state;
    struct sd_addr a = sd_addr_any(AF_INET6, 1), b = sd_addr_any(AF_INET6, 2);
    inet_pton(AF_INET6, "2001:db8:0:1::1", &a.in6.sin6_addr);
    inet_pton(AF_INET6, "2001:db8:0:ff:ffff::9", &b.in6.sin6_addr);
    struct sd_addr ha = sd_addr_host(&a), hb = sd_addr_host(&b);
    assert_true(sd_addr_eq(&ha, &hb));
    inet_pton(AF_INET6, "2001:db8:0:100::1", &b.in6.sin6_addr);
    hb = sd_addr_host(&b);
    assert_false(sd_addr_eq(&ha, &hb));
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &a.in6.sin6_addr); /* of a socket for both families */
    inet_pton(AF_INET6, "::ffff:192.0.2.2", &b.in6.sin6_addr);
    ha = sd_addr_host(&a), hb = sd_addr_host(&b);
    assert_false(sd_addr_eq(&ha, &hb));
}

struct item {
    int id;
    struct sd_node node;
};

static bool same_id(const struct sd_node *n, const void *key)
{
    return sd_container(n, const struct item, node)->id == *(const int *)key;
}

static void table_finds_after_growing_and_removing(void **state)
{
    (void)state;
    enum { N = 1000 };
    struct sd_table t;
    assert_true(sd_table_init(&t));
    struct item *items = calloc(N, sizeof *items);
    assert_non_null(items);
    for (int i = 0; i < N; i++) {
        items[i].id = i;
        sd_table_add(&t, &items[i].node, (uint64_t)i % 97); /* many collisions */
    }
    for (int i = 0; i < N; i += 2)
        sd_table_remove(&t, &items[i].node);
    assert_int_equal(t.count, N / 2);
    for (int i = 0; i < N; i++) {
        struct sd_node *n = sd_table_find(&t, (uint64_t)i % 97, same_id, &i);
        assert_ptr_equal(n, i % 2 ? &items[i].node : NULL);
    }
    free(items);
    sd_table_fini(&t);
}

static void timers_come_out_in_order(void **state)
{
    (void)state;
    enum { N = 500 };
    struct sd_timers q = {0};
    struct sd_timer t[N];
    memset(t, 0, sizeof t);
    uint32_t x = 1;
    for (int i = 0; i < N; i++) {
        x = x * 1664525 + 1013904223;
        assert_true(sd_timers_set(&q, &t[i], 1 + x % 1000));
    }
    for (int i = 0; i < N; i += 3) { /* move some, cancel some */
        assert_true(sd_timers_set(&q, &t[i], 1 + (t[i].when * 7) % 1000));
        if (i % 2)
            sd_timers_cancel(&q, &t[i]);
    }
    sd_time last = 0;
    size_t left = q.count;
    while (sd_timers_next(&q) != SD_NEVER) {
        assert_null(sd_timers_due(&q, sd_timers_next(&q) - 1));
        struct sd_timer *due = sd_timers_due(&q, sd_timers_next(&q));
        assert_true(due->when >= last);
        assert_int_equal(due->slot, 0);
        last = due->when;
        left--;
    }
    assert_int_equal(left, 0);
    sd_timers_fini(&q);
}

static void error_keeps_code_and_words(void **state)
{
    (void)state;
    struct sd_err e = {0};
    assert_int_equal(sd_err_set(&e, -7, "no %s", "luck"), -7);
    assert_string_equal(e.text, "no luck");
    assert_int_equal(e.alert, -1);
    assert_int_equal(sd_err_set(NULL, -7, "nobody listens"), -7);
}

static void waiting_is_never_for_ever(void **state)
{
    (void)state;
    assert_int_equal(sd_clock_wait_ms(0), 0);
    assert_int_equal(sd_clock_wait_ms(sd_clock_now()), 0);
    assert_int_equal(sd_clock_wait_ms(SD_NEVER), INT_MAX);
    assert_in_range(sd_clock_wait_ms(sd_clock_now() + 5000 * SD_MS), 1, 5000);
}

static void random_bytes_differ(void **state)
{
    (void)state;
    uint8_t a[300] = {0}, b[300] = {0};
    assert_true(sd_random(a, sizeof a));
    assert_true(sd_random(b, sizeof b));
    assert_memory_not_equal(a, b, 32);
    assert_memory_not_equal(a + 268, b + 268, 32); /* to the end */
    assert_true(sd_random(a, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(waiting_is_never_for_ever),
        cmocka_unit_test(reader_stops_at_the_end),
        cmocka_unit_test(vector_may_not_exceed_its_parent),
        cmocka_unit_test(writer_round_trip),
        cmocka_unit_test(writer_never_passes_its_end),
        cmocka_unit_test(vector_length_must_fit_its_field),
        cmocka_unit_test(siphash_reference_vectors),
        cmocka_unit_test(address_text_and_equality),
        cmocka_unit_test(host_of_an_ipv6_address_is_its_64),
        cmocka_unit_test(table_finds_after_growing_and_removing),
        cmocka_unit_test(timers_come_out_in_order),
        cmocka_unit_test(error_keeps_code_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
