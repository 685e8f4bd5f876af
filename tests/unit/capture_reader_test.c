/* SPDX-License-Identifier: MIT */
#include "capture_image.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "sukat_dtls.h"

#define SECOND INT64_C(1000000000)

static void check_pcap(uint32_t magic, bool big, int64_t unit)
{
    struct image m = {.big = big};
    pcap_header(&m, magic, 4, 113);
    for (unsigned i = 1; i <= 2; i++) {
        pcap_frame(&m, 1700000000 + i, 999999, 0);
        if (magic == 0xa1b2cd34)
            add_number(&m, 0x0102030405060708, 8);
    }
    struct sd_reader *r = read_image(&m);
    for (unsigned i = 1; i <= 2; i++) {
        struct sd_frame f = expect_frame(r);
        assert_int_equal(f.number, i);
        assert_int_equal(f.time, (1700000000 + i) * SECOND + 999999 * unit);
        assert_int_equal(f.linktype, 113);
        assert_int_equal(f.length, 7);
        assert_int_equal(f.interface, 0);
    }
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static void pcap_is_read_in_both_byte_orders_and_all_variants(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        check_pcap(0xa1b2c3d4, big, 1000);
        check_pcap(0xa1b23c4d, big, 1);
        check_pcap(0xa1b2cd34, big, 1000);
    }
}

static void a_pcap_frame_has_its_bytes_and_its_length_on_the_wire(void **state)
{
    (void)state;
    struct image m = {0};
    pcap_header(&m, 0xa1b2c3d4, 4, 1);
    pcap_frame(&m, 3, 0, 61);
    struct sd_reader *r = read_image(&m);
    struct sd_frame f = expect_frame(r);
    assert_pattern(f.data, 61, 3);
    assert_int_equal(f.length, 68);
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static void the_length_of_a_frame_check_sequence_is_no_part_of_the_link_type(void **state)
{
    (void)state;
    struct image m = {0};
    pcap_header(&m, 0xa1b2c3d4, 4, 0x44000001);
    pcap_frame(&m, 3, 0, 4);
    struct sd_reader *r = read_image(&m);
    assert_int_equal(expect_frame(r).linktype, 1);
    assert_int_equal(sd_reader_interface(r, 0)->linktype, 1);
    assert_int_equal(sd_reader_interface(r, 0)->snaplen, 65535);
    assert_null(sd_reader_interface(r, 1));
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static void the_swapped_lengths_of_old_pcap_versions_are_put_right(void **state)
{
    (void)state;
    struct image m = {0};
    pcap_header(&m, 0xa1b2c3d4, 2, 1);
    add_number(&m, 0, 8);
    add32(&m, 100);
    add32(&m, 5);
    add_pattern(&m, 5, 9);
    struct sd_reader *r = read_image(&m);
    struct sd_frame f = expect_frame(r);
    assert_pattern(f.data, 5, 9);
    assert_int_equal(f.length, 100);
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static void a_length_on_the_wire_below_the_captured_one_is_raised(void **state)
{
    (void)state;
    struct image m = {0};
    pcap_header(&m, 0xa1b2c3d4, 4, 1);
    add_number(&m, 0, 8);
    add32(&m, 5);
    add32(&m, 0);
    add_pattern(&m, 5, 9);
    struct sd_reader *r = read_image(&m);
    assert_int_equal(expect_frame(r).length, 5);
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static void an_impossible_pcap_frame_ends_the_reading_after_those_before_it(void **state)
{
    (void)state;
    struct image m = {0};
    pcap_header(&m, 0xa1b2c3d4, 4, 1);
    pcap_frame(&m, 1, 0, 4);
    add_number(&m, 0, 8);
    add32(&m, SD_FRAME_MAX + 1);
    add32(&m, 5);
    struct sd_reader *r = read_image(&m);
    expect_frame(r);
    expect_end(r, SD_READER_CORRUPT, "packet 2 has the impossible length 262145 at byte 44");
    image_free(&m);
}

static void frames_that_cross_the_window_of_the_reader_are_whole(void **state)
{
    (void)state;
    struct image m = {0};
    pcap_header(&m, 0xa1b2c3d4, 4, 1);
    for (unsigned i = 0; i < 700; i++)
        pcap_frame(&m, i, 0, 1000 + i % 7);
    pcap_frame(&m, 1, 0, SD_FRAME_MAX);
    pcap_frame(&m, 2, 0, 10);
    struct sd_reader *r = read_image(&m);
    for (unsigned i = 0; i < 700; i++)
        assert_pattern(expect_frame(r).data, 1000 + i % 7, i);
    assert_pattern(expect_frame(r).data, SD_FRAME_MAX, 1);
    assert_pattern(expect_frame(r).data, 10, 2);
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static void files_that_are_no_captures_are_told_apart(void **state)
{
    (void)state;
    expect_end(read_bytes("", 0, NULL), SD_READER_FOREIGN, "the file is empty");
    expect_end(read_bytes("abc", 3, NULL), SD_READER_FOREIGN, "begins with the bytes 61 62 63");
    expect_end(read_bytes("#!/bin/sh\n", 10, NULL), SD_READER_FOREIGN,
               "begins with the bytes 23 21 2f 62");
}

static void a_file_that_cannot_be_opened_or_read_is_an_error_with_its_name(void **state)
{
    (void)state;
    struct sd_reader *r = NULL;
    struct sd_err e;
    assert_int_equal(sd_reader_open(&r, "/nonexistent/x.pcap", NULL, &e), SDTLS_IO);
    assert_string_equal(e.text, "cannot open /nonexistent/x.pcap: No such file or directory");
    assert_null(r);
    assert_int_equal(sd_reader_open(&r, "/", NULL, &e), SDTLS_IO);
    assert_string_equal(e.text, "cannot open /: Is a directory");
    assert_null(r);
}

static void make_pcap(struct image *m)
{
    pcap_header(m, 0xa1b2c3d4, 4, 1);
    for (unsigned i = 0; i < 3; i++)
        pcap_frame(m, i, i, 20 + i);
}

static void make_pcapng(struct image *m)
{
    add_section(m, false);
    statistics_block(m, 0, 1, 2);
    secrets_block(m, 0x544c534b, "CLIENT_RANDOM 1\n", 16);
    add_section(m, true);
    size_t mark = packet_open(m, 0, 2, 5);
    option(m, 1, "comment", 7);
    block_close(m, mark);
}

/* Reads all there is, touching every byte, and returns how it ended. */
static enum sd_reader_status drain(struct sd_reader *r, uint64_t *frames)
{
    enum sd_reader_status status;
    struct sd_frame f;
    struct sd_span text;
    unsigned sum = 0;
    *frames = 0;
    while ((status = sd_reader_next(r, &f)) == SD_READER_FRAME) {
        assert_int_equal(f.number, ++*frames);
        assert_true(f.data.len <= SD_FRAME_MAX && f.data.len <= f.length);
        assert_non_null(sd_reader_interface(r, f.interface));
        for (size_t i = 0; i < f.data.len; i++)
            sum ^= f.data.p[i];
        while (sd_reader_comment(r, &text))
            for (size_t i = 0; i < text.len; i++)
                sum ^= text.p[i];
    }
    assert_true(sum <= 0xff);
    assert_true((status == SD_READER_END) == !*sd_reader_reason(r));
    sd_reader_close(r);
    return status;
}

static void check_cuts(const struct image *m)
{
    uint64_t last = 0, frames = 0;
    for (size_t n = 4; n <= m->len; n++) {
        enum sd_reader_status status = drain(read_bytes(m->p, n, NULL), &frames);
        assert_true(status == SD_READER_END || status == SD_READER_TRUNCATED);
        assert_true(frames == last || frames == last + 1);
        last = frames;
    }
}

static void a_file_cut_at_any_byte_gives_the_frames_before_the_cut(void **state)
{
    (void)state;
    struct image m = {0};
    make_pcap(&m);
    check_cuts(&m);
    expect_end(read_bytes(m.p, 10, NULL), SD_READER_TRUNCATED,
               "the file ends within the file header that begins at byte 0");
    image_free(&m);
    make_pcapng(&m);
    check_cuts(&m);
    expect_end(read_bytes(m.p, 30, NULL), SD_READER_TRUNCATED,
               "the file ends within a block that begins at byte 28");
    image_free(&m);
}

static uint32_t random_number(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void check_flips(const struct image *m, unsigned rounds)
{
    uint8_t copy[4096];
    uint32_t seed = 1;
    uint64_t frames;
    assert_true(m->len <= sizeof copy);
    for (unsigned i = 0; i < rounds; i++) {
        memcpy(copy, m->p, m->len);
        for (uint32_t k = random_number(&seed) % 8 + 1; k; k--)
            copy[random_number(&seed) % m->len] ^= (uint8_t)(1 << random_number(&seed) % 8);
        drain(read_bytes(copy, m->len, NULL), &frames);
        assert_true(frames <= m->len / 12);
    }
}

static void flipped_bits_never_lead_out_of_the_file(void **state)
{
    (void)state;
    struct image m = {0};
    make_pcap(&m);
    check_flips(&m, 2000);
    image_free(&m);
    make_pcapng(&m);
    check_flips(&m, 6000);
    image_free(&m);
}

/* A reader for the standard input, and the pipe whose reading end that is. */
static struct sd_reader *stdin_reader(int ends[2], int flags)
{
    struct sd_reader *r = NULL;
    assert_int_equal(pipe2(ends, O_CLOEXEC | flags), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    assert_int_equal(sd_reader_open(&r, "-", NULL, NULL), 0);
    return r;
}

static void a_pipe_gives_each_frame_as_soon_as_it_is_there(void **state)
{
    (void)state;
    struct image m = {0};
    int ends[2];
    struct sd_reader *r = stdin_reader(ends, 0);
    pcap_header(&m, 0xa1b2c3d4, 4, 1);
    for (unsigned i = 1; i <= 3; i++) {
        pcap_frame(&m, i, 0, 100);
        assert_int_equal(write(ends[1], m.p, m.len), m.len);
        m.len = 0;
        assert_pattern(expect_frame(r).data, 100, i);
    }
    close(ends[1]);
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static void a_pipe_that_does_not_block_is_waited_for(void **state)
{
    (void)state;
    struct image m = {0};
    int ends[2];
    struct sd_reader *r = stdin_reader(ends, O_NONBLOCK);
    pcap_header(&m, 0xa1b2c3d4, 4, 1);
    pcap_frame(&m, 1, 0, 60000);
    int child_status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fcntl(ends[1], F_SETFL, 0);
        for (size_t i = 0; i < m.len; i += 4096) {
            size_t n = m.len - i < 4096 ? m.len - i : 4096;
            if (write(ends[1], m.p + i, n) != (ssize_t)n)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    assert_pattern(expect_frame(r).data, 60000, 1);
    expect_end(r, SD_READER_END, "");
    assert_int_equal(waitpid(child, &child_status, 0), child);
    assert_int_equal(child_status, 0);
    image_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcap_is_read_in_both_byte_orders_and_all_variants),
        cmocka_unit_test(a_pcap_frame_has_its_bytes_and_its_length_on_the_wire),
        cmocka_unit_test(the_length_of_a_frame_check_sequence_is_no_part_of_the_link_type),
        cmocka_unit_test(the_swapped_lengths_of_old_pcap_versions_are_put_right),
        cmocka_unit_test(a_length_on_the_wire_below_the_captured_one_is_raised),
        cmocka_unit_test(an_impossible_pcap_frame_ends_the_reading_after_those_before_it),
        cmocka_unit_test(frames_that_cross_the_window_of_the_reader_are_whole),
        cmocka_unit_test(files_that_are_no_captures_are_told_apart),
        cmocka_unit_test(a_file_that_cannot_be_opened_or_read_is_an_error_with_its_name),
        cmocka_unit_test(a_file_cut_at_any_byte_gives_the_frames_before_the_cut),
        cmocka_unit_test(flipped_bits_never_lead_out_of_the_file),
        cmocka_unit_test(a_pipe_gives_each_frame_as_soon_as_it_is_there),
        cmocka_unit_test(a_pipe_that_does_not_block_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
