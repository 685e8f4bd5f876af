/* SPDX-License-Identifier: MIT */
/* lib/capture/tcp: the messages of TURN in a stream, however it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture_seen.h"

enum { RAW = 101, CHANNELS = 3, FIRST_SEQ = 0xffffffe0 /* it wraps */ };

/* An Allocate request, and records in a channel, each padded. */
struct stream {
    uint8_t bytes[512];
    size_t len;
};

static void add(struct stream *s, const void *bytes, size_t len)
{
    memcpy(s->bytes + s->len, bytes, len);
    s->len += len;
}

static struct stream a_stream(void)
{
    static const uint8_t allocate[] = "\0\3\0\0\x21\x12\xa4\x42twelve bytes";
    static const uint8_t channel[] = {0x40, 1, 0, sizeof a_record};
    struct stream s = {.len = 0};
    add(&s, allocate, 20);
    for (int i = 0; i < CHANNELS; i++) {
        add(&s, channel, sizeof channel);
        add(&s, a_record, sizeof a_record);
        add(&s, "\0\0\0", -sizeof a_record & 3);
    }
    return s;
}

static void segment(struct sd_decap *d, const struct stream *s, size_t from, size_t to, size_t cut)
{
    struct build b;
    build_start(&b);
    put(&b, s->bytes + from, to - from);
    put_zeros(&b, 4); /* checksum, urgent pointer */
    put16(&b, 512);
    put16(&b, 0x5018);
    put32(&b, 1);
    put32(&b, (uint32_t)(FIRST_SEQ + from));
    put16(&b, 3478);
    put16(&b, 40000);
    put_v4(&b, (struct v4){.protocol = 6});
    give(d, &b, RAW, build_len(&b) - cut);
}

static void check_record(const struct seen *seen)
{
    assert_int_equal(seen->last.carrier, SD_CARRIER_TURN_CHANNEL);
    assert_int_equal(seen->last.length, sizeof a_record);
    assert_memory_equal(seen->last.payload.p, a_record, sizeof a_record);
    assert_int_equal(sd_addr_port(&seen->last.dst), 3478);
}

static void segments_of_any_size_give_the_same_messages(void **state)
{
    (void)state;
    struct stream s = a_stream();
    for (size_t first = 8; first <= s.len; first++)
        for (size_t size = 1; size <= 40; size++) {
            struct seen seen;
            struct sd_decap *d = open_decap(&seen);
            segment(d, &s, 0, first, 0);
            for (size_t at = first; at < s.len; at += size)
                segment(d, &s, at, at + size < s.len ? at + size : s.len, 0);
            assert_int_equal(seen.datagrams, 1 + CHANNELS);
            check_record(&seen);
            sd_decap_free(d);
        }
}

static void what_comes_again_is_read_once(void **state)
{
    (void)state;
    struct stream s = a_stream();
    struct seen seen;
    struct sd_decap *d = open_decap(&seen);
    segment(d, &s, 0, 30, 0);
    segment(d, &s, 0, 30, 0);
    segment(d, &s, 10, 60, 0);
    segment(d, &s, 20, 60, 0);
    segment(d, &s, 50, s.len, 0);
    assert_int_equal(seen.datagrams, 1 + CHANNELS);
    check_record(&seen);
    sd_decap_free(d);
}

/* 20 + 32 bytes are the first two messages. */
static void after_a_hole_the_next_beginning_counts(void **state)
{
    (void)state;
    struct stream s = a_stream();
    struct seen seen;
    struct sd_decap *d = open_decap(&seen);
    segment(d, &s, 0, 22, 0);
    segment(d, &s, 30, 52, 0); /* no beginning */
    assert_int_equal(seen.datagrams, 1);
    segment(d, &s, 52, s.len, 0);
    assert_int_equal(seen.datagrams, 1 + CHANNELS - 1);
    check_record(&seen);
    sd_decap_free(d);
}

static void a_cut_segment_is_a_hole(void **state)
{
    (void)state;
    struct stream s = a_stream();
    struct seen seen;
    struct sd_decap *d = open_decap(&seen);
    segment(d, &s, 0, 52, 10);
    segment(d, &s, 52, 84, 0);
    assert_int_equal(seen.datagrams, 2);
    check_record(&seen);
    sd_decap_free(d);
}

static void in_the_middle_records_in_a_channel_tell(void **state)
{
    (void)state;
    struct stream s = a_stream();
    struct seen seen;
    struct sd_decap *d = open_decap(&seen);
    segment(d, &s, 20, s.len, 0);
    assert_int_equal(seen.datagrams, CHANNELS);
    check_record(&seen);
    s.bytes[20 + 4 + 1] = 3; /* TLS */
    sd_decap_free(d);
    d = open_decap(&seen);
    segment(d, &s, 20, s.len, 0);
    assert_int_equal(seen.datagrams, 0);
    sd_decap_free(d);
}

static void what_is_no_longer_turn_is_left_alone(void **state)
{
    (void)state;
    struct stream s = a_stream();
    struct seen seen;
    struct sd_decap *d = open_decap(&seen);
    s.bytes[20] = 'P';
    segment(d, &s, 0, s.len, 0);
    assert_int_equal(seen.datagrams, 1);
    segment(d, &s, 20, s.len, 0);
    assert_int_equal(seen.datagrams, 1);
    sd_decap_free(d);
}

static void any_bytes_in_any_order_do_no_harm(void **state)
{
    (void)state;
    uint32_t x = 4711;
    unsigned datagrams = 0;
    for (int i = 0; i < 1000; i++) {
        struct seen seen;
        struct sd_decap *d = open_decap(&seen);
        for (int n = 0; n < 10; n++) {
            struct stream s = a_stream();
            s.bytes[next_random(&x) % s.len] = (uint8_t)next_random(&x);
            size_t from = n ? next_random(&x) % s.len : 0;
            size_t to = from + next_random(&x) % (s.len - from + 1);
            segment(d, &s, from, to, to > from ? next_random(&x) % (to - from) : 0);
        }
        datagrams += seen.datagrams;
        sd_decap_free(d);
    }
    assert_true(datagrams > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_of_any_size_give_the_same_messages),
        cmocka_unit_test(what_comes_again_is_read_once),
        cmocka_unit_test(after_a_hole_the_next_beginning_counts),
        cmocka_unit_test(a_cut_segment_is_a_hole),
        cmocka_unit_test(in_the_middle_records_in_a_channel_tell),
        cmocka_unit_test(what_is_no_longer_turn_is_left_alone),
        cmocka_unit_test(any_bytes_in_any_order_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
