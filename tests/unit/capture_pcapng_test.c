/* SPDX-License-Identifier: MIT */
#include "capture_image.h"

#define SECOND INT64_C(1000000000)

static void expect_section(struct sd_reader *r, uint64_t number, uint32_t interface)
{
    struct sd_frame f = expect_frame(r);
    assert_int_equal(f.number, number);
    assert_int_equal(f.time, 5 * SECOND + 1);
    assert_int_equal(f.interface, interface);
    assert_int_equal(f.linktype, 1);
    assert_int_equal(f.length, 20);
    assert_pattern(f.data, 13, (unsigned)5000000001);
    f = expect_frame(r);
    assert_int_equal(f.time, 7 * SECOND + 1000);
    assert_int_equal(f.interface, interface + 1);
    assert_int_equal(f.linktype, 113);
    f = expect_frame(r);
    assert_int_equal(f.time, 0);
    assert_int_equal(f.interface, interface);
    assert_int_equal(f.length, 60);
    assert_pattern(f.data, 48, 1);
    f = expect_frame(r);
    assert_int_equal(f.number, number + 3);
    assert_int_equal(f.time, 9 * SECOND + 9000);
    assert_int_equal(f.interface, interface + 1);
    assert_pattern(f.data, 3, 2);
}

static void pcapng_sections_have_a_byte_order_and_interfaces_of_their_own(void **state)
{
    (void)state;
    struct image m = {0};
    add_section(&m, false);
    add_section(&m, true);
    add_section(&m, false);
    struct sd_reader *r = read_image(&m);
    for (unsigned i = 0; i < 3; i++)
        expect_section(r, 1 + 4 * i, 2 * i);
    assert_string_equal(sd_reader_interface(r, 4)->name, "eth0");
    assert_string_equal(sd_reader_interface(r, 5)->name, "");
    assert_int_equal(sd_reader_interface(r, 4)->snaplen, 48);
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static int64_t time_of(uint8_t resolution, int64_t offset, uint64_t stamp)
{
    struct image m = {.big = resolution % 2};
    section_block(&m);
    interface_in(&m, resolution, offset);
    packet_block(&m, 0, stamp, 4);
    struct sd_reader *r = read_image(&m);
    struct sd_frame f = expect_frame(r);
    expect_end(r, SD_READER_END, "");
    image_free(&m);
    return f.time;
}

static void time_resolutions_are_powers_of_ten_or_two(void **state)
{
    (void)state;
    assert_int_equal(time_of(0, 0, 17), 17 * SECOND);
    assert_int_equal(time_of(3, 0, 17001), 17 * SECOND + 1000000);
    assert_int_equal(time_of(6, 0, 17000001), 17 * SECOND + 1000);
    assert_int_equal(time_of(9, 0, 17000000001), 17 * SECOND + 1);
    assert_int_equal(time_of(12, 0, 17000000001999), 17 * SECOND + 1);
    assert_int_equal(time_of(28, 0, UINT64_MAX), 1);
    assert_int_equal(time_of(29, 0, UINT64_MAX), 1);
    assert_int_equal(time_of(127, 0, 1), 0);
    assert_int_equal(time_of(0x80, 0, 17), 17 * SECOND);
    assert_int_equal(time_of(0x80 | 20, 0, (17 << 20) + (1 << 19)), 17 * SECOND + SECOND / 2);
    assert_int_equal(time_of(0x80 | 63, 0, UINT64_C(3) << 62), SECOND + SECOND / 2);
    assert_int_equal(time_of(0xff, 0, UINT64_MAX), 0);
}

static void time_offsets_are_added_and_never_overflow(void **state)
{
    (void)state;
    assert_int_equal(time_of(9, 1700000000, 1), 1700000000 * SECOND + 1);
    assert_int_equal(time_of(9, -1, 1), -SECOND + 1);
    assert_int_equal(time_of(0, 0, UINT64_MAX), INT64_MAX);
    assert_int_equal(time_of(0, 1, UINT64_MAX), INT64_MAX);
    assert_int_equal(time_of(9, INT64_MAX, 1), INT64_MAX);
    assert_int_equal(time_of(9, INT64_MIN, 1), INT64_MIN + 1);
}

static void comments_of_a_frame_come_one_by_one(void **state)
{
    (void)state;
    struct image m = {0};
    struct sd_span text;
    section_block(&m);
    interface_block(&m, 1);
    packet_block(&m, 0, 1, 5);
    size_t mark = packet_open(&m, 0, 2, 5);
    option(&m, 1, "first", 5);
    option(&m, 2, "\0\0\0\1", 4);
    option(&m, 1, "second", 6);
    option(&m, 0, NULL, 0);
    option(&m, 1, "behind the end", 14);
    block_close(&m, mark);
    mark = packet_open(&m, 0, 3, 5);
    option(&m, 1, "nobody asks for it", 18);
    block_close(&m, mark);
    mark = block_open(&m, 3);
    add32(&m, 0);
    block_close(&m, mark);
    struct sd_reader *r = read_image(&m);
    assert_false(sd_reader_comment(r, &text));
    expect_frame(r);
    assert_false(sd_reader_comment(r, &text));
    expect_frame(r);
    assert_true(sd_reader_comment(r, &text));
    assert_int_equal(text.len, 5);
    assert_memory_equal(text.p, "first", 5);
    assert_true(sd_reader_comment(r, &text));
    assert_memory_equal(text.p, "second", 6);
    assert_false(sd_reader_comment(r, &text));
    expect_frame(r);
    expect_frame(r); /* a simple packet block, which has none */
    assert_false(sd_reader_comment(r, &text));
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static void collect(void *arg, struct sd_span text)
{
    struct image *m = arg;
    add_bytes(m, text.p, text.len);
}

static void the_key_log_in_a_capture_is_handed_out_and_other_secrets_are_not(void **state)
{
    (void)state;
    struct image m = {.big = true}, log = {0};
    section_block(&m);
    secrets_block(&m, 0x544c534b, "CLIENT_RANDOM 1\n", 16);
    secrets_block(&m, 0x57474b4c, "wireguard", 9);
    secrets_block(&m, 0x544c534b, "CLIENT_RANDOM 22\n", 17);
    struct sd_reader_config config = {.keylog = collect, .arg = &log};
    expect_end(read_bytes(m.p, m.len, &config), SD_READER_END, "");
    assert_int_equal(log.len, 33);
    assert_memory_equal(log.p, "CLIENT_RANDOM 1\nCLIENT_RANDOM 22\n", 33);
    image_free(&log);
    secrets_block(&m, 0x544c534b, "CLIENT_RANDOM 333\n", 19);
    expect_end(read_bytes(m.p, m.len, &config), SD_READER_END, "");
    secrets_block(&m, 0x544c534b, "CLIENT_RANDOM 333\n", 21);
    expect_end(read_bytes(m.p, m.len, &config), SD_READER_CORRUPT, "longer than their block");
    image_free(&log);
    image_free(&m);
}

static void drops_are_the_sum_over_the_last_statistics_of_each_interface(void **state)
{
    (void)state;
    struct image m = {0};
    section_block(&m);
    interface_block(&m, 1);
    interface_block(&m, 1);
    statistics_block(&m, 0, 1, 2);
    statistics_block(&m, 0, 10, 20);
    statistics_block(&m, 1, 300, 0);
    struct sd_reader *r = read_image(&m);
    struct sd_frame f;
    assert_int_equal(sd_reader_next(r, &f), SD_READER_END);
    assert_int_equal(sd_reader_dropped(r), 330);
    assert_int_equal(sd_reader_interface(r, 0)->dropped, 30);
    sd_reader_close(r);
    image_free(&m);
}

static void blocks_of_other_types_are_passed_over_also_large_ones(void **state)
{
    (void)state;
    struct image m = {0};
    section_block(&m);
    interface_block(&m, 1);
    size_t mark = block_open(&m, 0xbad);
    add_pattern(&m, 3 << 20, 0);
    block_close(&m, mark);
    packet_block(&m, 0, 1, 30);
    struct sd_reader *r = read_image(&m);
    struct sd_frame f = expect_frame(r);
    assert_int_equal(f.number, 1);
    assert_pattern(f.data, 30, 1);
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

/* `add` puts a damaged block between two good ones. */
static void check_damaged(void (*add)(struct image *m), const char *words)
{
    struct image m = {0};
    section_block(&m);
    packet_block(&m, 0, 1, 30);
    interface_block(&m, 1);
    packet_block(&m, 0, 2, 30);
    add(&m);
    packet_block(&m, 0, 3, 30);
    struct sd_reader *r = read_image(&m);
    assert_pattern(expect_frame(r).data, 30, 2);
    assert_pattern(expect_frame(r).data, 30, 3);
    expect_end(r, SD_READER_CORRUPT, words);
    image_free(&m);
}

static void add_long_frame(struct image *m)
{
    size_t mark = packet_open(m, 0, 9, 4);
    m->p[mark + 20] = 100;
    block_close(m, mark);
}

static void add_huge_frame(struct image *m)
{
    packet_block(m, 0, 9, SD_FRAME_MAX + 1);
}

static void add_long_simple(struct image *m)
{
    size_t mark = block_open(m, 3);
    add32(m, 60);
    add_pattern(m, 56, 1);
    block_close(m, mark);
}

static void add_tiny_packet(struct image *m)
{
    block_close(m, block_open(m, 6));
}

static void add_lost_statistics(struct image *m)
{
    statistics_block(m, 7, 1, 1);
}

static void a_damaged_block_is_left_out_and_named_and_the_rest_is_read(void **state)
{
    (void)state;
    const char *words = "2 damaged blocks were left out, the first: a packet of an unknown"
                        " interface at byte 28";
    check_damaged(add_long_frame, words);
    check_damaged(add_huge_frame, words);
    check_damaged(add_long_simple, words);
    check_damaged(add_tiny_packet, words);
    check_damaged(add_lost_statistics, words);
}

/* A good section and frame, then `type` and `length`, then enough bytes. */
static void check_frame_of_block(uint32_t type, uint32_t length, const char *words)
{
    struct image m = {0};
    section_block(&m);
    interface_block(&m, 1);
    packet_block(&m, 0, 2, 32);
    add32(&m, type);
    add32(&m, length);
    add_pattern(&m, 64, 0);
    struct sd_reader *r = read_image(&m);
    expect_frame(r);
    expect_end(r, SD_READER_CORRUPT, words);
    image_free(&m);
}

static void a_block_with_wrong_lengths_ends_the_reading(void **state)
{
    (void)state;
    check_frame_of_block(6, 0, "impossible length 0 at byte 112");
    check_frame_of_block(6, 8, "impossible length 8 at byte 112");
    check_frame_of_block(6, 33, "impossible length 33 at byte 112");
    check_frame_of_block(6, (16 << 20) + 4, "impossible length 16777220 at byte 112");
    check_frame_of_block(6, UINT32_MAX, "impossible length 4294967295 at byte 112");
    check_frame_of_block(6, 16, "the two lengths of a block differ (16 and 117835012) at byte 112");
    check_frame_of_block(0x0a0d0d0a, 28, "without a byte-order mark at byte 112");
}

static void an_interface_block_that_is_too_short_ends_the_reading(void **state)
{
    (void)state;
    struct image m = {0};
    section_block(&m);
    size_t mark = block_open(&m, 1);
    add32(&m, 1);
    block_close(&m, mark);
    packet_block(&m, 0, 2, 32);
    expect_end(read_image(&m), SD_READER_CORRUPT, "too short; it ends at byte 44");
    image_free(&m);
}

static void there_is_a_limit_to_the_interfaces_of_a_file(void **state)
{
    (void)state;
    struct image m = {0};
    section_block(&m);
    for (unsigned i = 0; i < 65536; i++)
        interface_block(&m, 1);
    expect_end(read_image(&m), SD_READER_END, "");
    interface_block(&m, 1);
    expect_end(read_image(&m), SD_READER_CORRUPT, "more than 65536 interfaces");
    image_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcapng_sections_have_a_byte_order_and_interfaces_of_their_own),
        cmocka_unit_test(time_resolutions_are_powers_of_ten_or_two),
        cmocka_unit_test(time_offsets_are_added_and_never_overflow),
        cmocka_unit_test(comments_of_a_frame_come_one_by_one),
        cmocka_unit_test(the_key_log_in_a_capture_is_handed_out_and_other_secrets_are_not),
        cmocka_unit_test(drops_are_the_sum_over_the_last_statistics_of_each_interface),
        cmocka_unit_test(blocks_of_other_types_are_passed_over_also_large_ones),
        cmocka_unit_test(a_damaged_block_is_left_out_and_named_and_the_rest_is_read),
        cmocka_unit_test(a_block_with_wrong_lengths_ends_the_reading),
        cmocka_unit_test(an_interface_block_that_is_too_short_ends_the_reading),
        cmocka_unit_test(there_is_a_limit_to_the_interfaces_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
