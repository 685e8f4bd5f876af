/* SPDX-License-Identifier: MIT */
/* lib/capture/ipfrag: fragments in any order become the packet they were, within bounds,
 * and what is lost is reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/ipfrag.h"
#include "capture_seen.h"

static void v4(struct build *b)
{
    build_udp(b);
    put_v4(b, (struct v4){.protocol = 17, .place = 0x4000});
}

static void ipip(struct build *b)
{
    v4(b);
    put_v4(b, (struct v4){.protocol = 4});
}

/* --- the table alone --- */

struct reports {
    unsigned count;
    struct sd_ip_incomplete last;
};

static void count_report(void *arg, const struct sd_ip_incomplete *i)
{
    struct reports *t = arg;
    t->count++;
    t->last = *i;
}

static struct sd_ipfrag *open_table(struct reports *t, size_t packets, size_t bytes)
{
    *t = (struct reports){0};
    struct sd_ipfrag_config config = {.key = {3, 4},
                                      .max_packets = packets,
                                      .max_bytes = bytes,
                                      .arg = t,
                                      .incomplete = count_report};
    struct sd_ipfrag *table = sd_ipfrag_new(&config);
    assert_non_null(table);
    return table;
}

/* Byte i of a packet is i * 7, but for a UDP header with ports 40000 and 4433. */
static const uint8_t *pattern(void)
{
    static uint8_t bytes[65536];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    memcpy(bytes, "\x9c\x40\x11\x51", 4);
    return bytes;
}

static struct sd_fragment piece(uint32_t offset, uint32_t length, bool more)
{
    return (struct sd_fragment){.src = address(AF_INET, false, 0),
                                .dst = address(AF_INET, true, 0),
                                .id = 77,
                                .protocol = 17,
                                .more = more,
                                .offset = offset,
                                .length = length,
                                .data = {pattern() + offset, length},
                                .number = 10 + offset,
                                .time = offset};
}

static bool add(struct sd_ipfrag *t, uint32_t offset, uint32_t length, bool more,
                struct sd_whole *w)
{
    struct sd_fragment f = piece(offset, length, more);
    return sd_ipfrag_add(t, &f, w);
}

static void check_whole(struct sd_whole *w, uint32_t length, unsigned fragments)
{
    assert_int_equal(w->length, length);
    assert_int_equal(w->len, length);
    assert_int_equal(w->fragments, fragments);
    assert_memory_equal(w->data, pattern(), length);
    free(w->data);
}

static void any_order_gives_the_packet(void **state)
{
    (void)state;
    static const uint8_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}};
    struct reports reports;
    struct sd_whole w;
    struct sd_ipfrag *t = open_table(&reports, 10, 10000);
    for (size_t o = 0; o < 4; o++) {
        for (size_t i = 0; i < 4; i++) {
            unsigned n = orders[o][i];
            assert_int_equal(add(t, 800 * n, n == 3 ? 33 : 800, n < 3, &w), i == 3);
        }
        check_whole(&w, 2433, 4);
    }
    sd_ipfrag_flush(t);
    assert_int_equal(reports.count, 0);
    sd_ipfrag_free(t);
}

static void a_repeated_fragment_changes_nothing(void **state)
{
    (void)state;
    struct reports reports;
    struct sd_whole w;
    struct sd_ipfrag *t = open_table(&reports, 10, 10000);
    assert_false(add(t, 0, 800, true, &w));
    assert_false(add(t, 0, 800, true, &w));
    assert_false(add(t, 800, 800, true, &w));
    assert_false(add(t, 0, 800, true, &w));
    assert_true(add(t, 1600, 5, false, &w));
    check_whole(&w, 1605, 3);
    sd_ipfrag_free(t);
}

/* RFC 5722: all of the packet goes, also what comes later. */
static void overlapping_fragments_are_never_put_together(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset, length;
        bool more;
    } bad[] = {
        {392, 800, true},  /* over the end of the one before */
        {0, 808, true},    /* the same beginning, longer */
        {0, 8, true},      /* the same beginning, shorter */
        {400, 8, true},    /* inside */
        {1592, 800, true}, /* over the next one */
        {1000, 8, false},  /* a last one before others */
        {0, 2000, false},  /* over all of them */
    };
    struct reports reports;
    struct sd_whole w;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sd_ipfrag *t = open_table(&reports, 10, 10000);
        assert_false(add(t, 0, 800, true, &w));
        assert_false(add(t, 1600, 800, true, &w));
        assert_false(add(t, bad[i].offset, bad[i].length, bad[i].more, &w));
        assert_false(add(t, 800, 800, true, &w));
        assert_false(add(t, 2400, 8, false, &w));
        sd_ipfrag_flush(t);
        assert_int_equal(reports.count, 0);
        sd_ipfrag_free(t);
    }
}

/* Each would be complete, if only the last word counted, or only the sum. */
static void two_ends_contradict_each_other(void **state)
{
    (void)state;
    struct reports reports;
    struct sd_whole w;
    struct sd_ipfrag *t = open_table(&reports, 10, 10000);
    assert_false(add(t, 800, 104, false, &w));
    assert_false(add(t, 1600, 100, false, &w));
    assert_false(add(t, 0, 800, true, &w));
    assert_false(add(t, 904, 696, true, &w));
    sd_ipfrag_free(t);
    t = open_table(&reports, 10, 10000);
    assert_false(add(t, 800, 96, false, &w));
    assert_false(add(t, 1600, 8, true, &w));
    assert_false(add(t, 8, 792, true, &w));
    sd_ipfrag_free(t);
    t = open_table(&reports, 10, 10000);
    assert_false(add(t, 1600, 8, true, &w));
    assert_false(add(t, 800, 96, false, &w));
    assert_false(add(t, 8, 792, true, &w));
    sd_ipfrag_free(t);
}

static void impossible_fragments_are_not_taken(void **state)
{
    (void)state;
    struct reports reports;
    struct sd_whole w;
    struct sd_ipfrag *t = open_table(&reports, 10, 100000);
    assert_false(add(t, 0, 804, true, &w));    /* not a multiple of 8, and more follow */
    assert_false(add(t, 0, 0, false, &w));     /* empty */
    assert_false(add(t, 65528, 8, false, &w)); /* ends after 65535 */
    assert_false(add(t, 0, 65528, true, &w));
    assert_true(add(t, 65528, 7, false, &w));
    check_whole(&w, 65535, 2);
    sd_ipfrag_free(t);
}

static void packets_are_told_apart(void **state)
{
    (void)state;
    struct reports reports;
    struct sd_whole w;
    struct sd_ipfrag *t = open_table(&reports, 10, 10000);
    assert_false(add(t, 0, 800, true, &w));
    struct sd_fragment rest = piece(800, 5, false), other = rest;
    other.id++;
    assert_false(sd_ipfrag_add(t, &other, &w));
    other = rest;
    other.protocol = 47;
    assert_false(sd_ipfrag_add(t, &other, &w));
    other = rest;
    other.src = address(AF_INET, true, 0);
    assert_false(sd_ipfrag_add(t, &other, &w));
    other = rest;
    other.dst = address(AF_INET6, true, 0);
    assert_false(sd_ipfrag_add(t, &other, &w));
    assert_true(sd_ipfrag_add(t, &rest, &w));
    check_whole(&w, 805, 2);
    sd_ipfrag_free(t);
}

static void a_lost_rest_is_told_with_what_is_there(void **state)
{
    (void)state;
    struct reports reports;
    struct sd_whole w;
    struct sd_addr from = address(AF_INET, false, 40000), to = address(AF_INET, true, 4433);
    struct sd_ipfrag *t = open_table(&reports, 10, 10000);
    add(t, 800, 800, true, &w);
    add(t, 0, 800, true, &w);
    sd_ipfrag_expire(t, SD_IPFRAG_TIMEOUT + 800);
    assert_int_equal(reports.count, 0);
    sd_ipfrag_expire(t, SD_IPFRAG_TIMEOUT + 801);
    assert_int_equal(reports.count, 1);
    assert_true(sd_addr_eq(&reports.last.src, &from) && sd_addr_eq(&reports.last.dst, &to));
    assert_int_equal(reports.last.have, 1600);
    assert_int_equal(reports.last.total, 0);
    assert_int_equal(reports.last.payload.len, 792);
    assert_true(reports.last.number == 10 && reports.last.time == 0);
    add(t, 1600, 8, false, &w);
    add(t, 0, 800, true, &w);
    sd_ipfrag_flush(t);
    assert_int_equal(reports.count, 2);
    assert_int_equal(reports.last.total, 1608);
    assert_int_equal(reports.last.have, 808);
    sd_ipfrag_flush(t);
    assert_int_equal(reports.count, 2);
    sd_ipfrag_free(t);
}

static void without_its_beginning_there_is_nothing_to_tell(void **state)
{
    (void)state;
    struct reports reports;
    struct sd_whole w;
    struct sd_ipfrag *t = open_table(&reports, 10, 10000);
    add(t, 800, 800, true, &w);
    struct sd_fragment f = piece(0, 800, true);
    f.id++;
    f.protocol = 47; /* no ports */
    sd_ipfrag_add(t, &f, &w);
    f.id++;
    f.protocol = 17;
    f.data.len = 7; /* snapped in the UDP header */
    sd_ipfrag_add(t, &f, &w);
    sd_ipfrag_flush(t);
    assert_int_equal(reports.count, 0);
    sd_ipfrag_free(t);
}

/* A router's interfaces show a packet when it comes and when it goes. */
static void what_is_left_of_a_second_showing_is_no_loss(void **state)
{
    (void)state;
    struct reports reports;
    struct sd_whole w;
    struct sd_ipfrag *t = open_table(&reports, 10, 10000);
    assert_false(add(t, 800, 8, false, &w));
    assert_false(add(t, 800, 8, false, &w));
    assert_true(add(t, 0, 800, true, &w));
    free(w.data);
    assert_false(add(t, 0, 800, true, &w));
    sd_ipfrag_flush(t);
    assert_int_equal(reports.count, 0);
    sd_ipfrag_free(t);
}

static void a_snapped_fragment_leaves_a_hole(void **state)
{
    (void)state;
    struct reports reports;
    struct sd_whole w;
    struct sd_ipfrag *t = open_table(&reports, 10, 10000);
    struct sd_fragment f = piece(800, 800, true);
    f.data.len = 60;
    assert_false(sd_ipfrag_add(t, &f, &w));
    assert_false(add(t, 0, 800, true, &w));
    assert_true(add(t, 1600, 100, false, &w));
    assert_int_equal(w.length, 1700);
    assert_int_equal(w.len, 860);
    assert_memory_equal(w.data, pattern(), 860);
    free(w.data);
    sd_ipfrag_free(t);
}

static void packets_and_bytes_have_bounds(void **state)
{
    (void)state;
    struct reports reports;
    struct sd_whole w;
    struct sd_ipfrag *t = open_table(&reports, 4, 100000);
    struct sd_fragment f = piece(0, 800, true);
    for (f.id = 0; f.id < 100; f.id++)
        sd_ipfrag_add(t, &f, &w);
    sd_ipfrag_flush(t);
    assert_int_equal(reports.count, 4);
    sd_ipfrag_free(t);
    t = open_table(&reports, 1000, 5000);
    for (f.id = 0; f.id < 100; f.id++) {
        f.number = f.id;
        sd_ipfrag_add(t, &f, &w);
    }
    sd_ipfrag_flush(t);
    assert_in_range(reports.count, 2, 6);
    assert_int_equal(reports.last.number, 99);
    sd_ipfrag_free(t);
}

static void random_fragments_do_no_harm(void **state)
{
    (void)state;
    struct reports reports;
    struct sd_whole w;
    uint32_t x = 99;
    unsigned wholes = 0;
    struct sd_ipfrag *t = open_table(&reports, 16, 20000);
    for (unsigned i = 0; i < 50000; i++) {
        uint32_t offset = next_random(&x) % 4 * 8;
        struct sd_fragment f =
            piece(offset, next_random(&x) % 3 ? 8 : 8 * (next_random(&x) % 4), offset < 24);
        f.data.len = f.length;
        f.id = next_random(&x) % 20;
        f.time = i * INT64_C(100000000);
        sd_ipfrag_expire(t, f.time);
        if (!sd_ipfrag_add(t, &f, &w))
            continue;
        wholes++;
        assert_int_equal(w.len, w.length);
        assert_memory_equal(w.data, pattern(), w.len);
        free(w.data);
    }
    assert_true(wholes > 1000);
    sd_ipfrag_free(t);
}

/* --- fragments, through all of it --- */

static void fragments_become_one_datagram(void **state)
{
    (void)state;
    struct seen s;
    struct build b, whole;
    build_udp(&whole);
    struct sd_decap *d = open_decap(&s);
    for (unsigned v = 4; v <= 6; v += 2) {
        for (unsigned i = 0; i < 3; i++) {
            build_start(&b);
            put(&b, build_bytes(&whole) + 16 * i, i == 2 ? 1 : 16);
            if (v == 4) {
                put_v4(&b, (struct v4){.protocol = 17,
                                       .id = 8,
                                       .place = (uint16_t)((i < 2 ? 0x2000 : 0) | 2 * i)});
            } else {
                put_v6_fragment(&b, 17, (uint16_t)(16 * i | (i < 2)), 8);
                put_extension(&b, 44, 0);
                put_v6(&b, 60);
            }
            assert_int_equal(s.datagrams, v == 6);
            give(d, &b, 101, build_len(&b));
        }
        assert_int_equal(s.datagrams, v == 4 ? 1 : 2);
        assert_int_equal(s.last.fragments, 3);
        assert_int_equal(s.last.ip_length, v == 4 ? 53 : 81);
        assert_int_equal(s.last.payload.len, sizeof a_record);
        assert_memory_equal(s.last.payload.p, a_record, sizeof a_record);
        check_addresses(&s.last.src, &s.last.dst, v == 4 ? AF_INET : AF_INET6);
    }
    assert_int_equal(sd_decap_counts(d).fragments, 4);
    sd_decap_flush(d);
    assert_int_equal(s.incomplete, 0);
    sd_decap_free(d);
}

static void a_tunnel_may_be_fragmented(void **state)
{
    (void)state;
    struct seen s;
    struct build b, inner;
    ipip(&inner);
    inner.at += 20; /* what the outer header carries */
    struct sd_decap *d = open_decap(&s);
    for (unsigned i = 0; i < 2; i++) {
        build_start(&b);
        put(&b, build_bytes(&inner) + 24 * i, i ? build_len(&inner) - 24U : 24);
        put_v4(&b, (struct v4){.protocol = 4, .place = i ? 3 : 0x2000});
        give(d, &b, 101, build_len(&b));
    }
    sd_decap_free(d);
    assert_int_equal(s.datagrams, 1);
    assert_int_equal(s.last.fragments, 2);
    assert_int_equal(s.last.ip_length, 53);
}

static void a_lost_fragment_is_reported_after_its_time(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    build_udp(&b);
    b.at = BUILD_MAX - 32;
    put_v4(&b, (struct v4){.protocol = 17, .place = 0x2000});
    struct sd_decap *d = open_decap(&s);
    struct sd_frame f = {
        .data = {build_bytes(&b), build_len(&b)}, .length = build_len(&b), .linktype = 101};
    sd_decap_frame(d, &f);
    struct sd_frame later = {.linktype = 1, .time = INT64_C(31000000000)};
    sd_decap_frame(d, &later);
    assert_int_equal(s.incomplete, 1);
    sd_decap_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_gives_the_packet),
        cmocka_unit_test(a_repeated_fragment_changes_nothing),
        cmocka_unit_test(overlapping_fragments_are_never_put_together),
        cmocka_unit_test(two_ends_contradict_each_other),
        cmocka_unit_test(impossible_fragments_are_not_taken),
        cmocka_unit_test(packets_are_told_apart),
        cmocka_unit_test(a_lost_rest_is_told_with_what_is_there),
        cmocka_unit_test(without_its_beginning_there_is_nothing_to_tell),
        cmocka_unit_test(what_is_left_of_a_second_showing_is_no_loss),
        cmocka_unit_test(a_snapped_fragment_leaves_a_hole),
        cmocka_unit_test(packets_and_bytes_have_bounds),
        cmocka_unit_test(random_fragments_do_no_harm),
        cmocka_unit_test(fragments_become_one_datagram),
        cmocka_unit_test(a_tunnel_may_be_fragmented),
        cmocka_unit_test(a_lost_fragment_is_reported_after_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
