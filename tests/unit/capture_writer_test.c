/* SPDX-License-Identifier: MIT */
#include "capture_image.h"

#include <errno.h>

#include "capture/writer.h"

static struct sd_span span(const char *text)
{
    return (struct sd_span){(const uint8_t *)text, strlen(text)};
}

/* What was written, in memory. */
struct output {
    FILE *stream;
    char *p;
    size_t len;
    struct sd_writer *w;
};

static void output_open(struct output *o)
{
    *o = (struct output){0};
    o->stream = open_memstream(&o->p, &o->len);
    assert_non_null(o->stream);
    o->w = sd_writer_new(o->stream, "test");
    assert_non_null(o->w);
}

static struct sd_reader *output_read(struct output *o, const struct sd_reader_config *config)
{
    assert_int_equal(sd_writer_finish(o->w), 0);
    sd_writer_free(o->w);
    fclose(o->stream);
    struct sd_reader *r = read_bytes(o->p, o->len, config);
    free(o->p);
    return r;
}

static struct sd_frame frame(uint32_t interface, uint16_t linktype, int64_t time, const char *data)
{
    return (struct sd_frame){.time = time,
                             .data = span(data),
                             .length = (uint32_t)strlen(data) + 100,
                             .interface = interface,
                             .linktype = linktype};
}

static void expect_same(struct sd_reader *r, const struct sd_frame *wrote, uint32_t interface)
{
    struct sd_frame f = expect_frame(r);
    assert_int_equal(f.time, wrote->time);
    assert_int_equal(f.length, wrote->length);
    assert_int_equal(f.linktype, wrote->linktype);
    assert_int_equal(f.interface, interface);
    assert_int_equal(f.data.len, wrote->data.len);
    assert_memory_equal(f.data.p, wrote->data.p, f.data.len);
}

static void expect_comment(struct sd_reader *r, const char *text)
{
    struct sd_span s;
    assert_true(sd_reader_comment(r, &s));
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.p, text, s.len);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct output o;
    struct sd_span text;
    const struct sd_span comments[] = {span("flight 4 never came"), span(""), span("second")};
    struct sd_frame first = frame(0, 1, INT64_C(1700000000123456789), "a frame");
    struct sd_frame second = frame(0, 1, INT64_C(1700000000123456790), "four");
    output_open(&o);
    assert_int_equal(sd_writer_frame(o.w, &first, comments, 3), 0);
    assert_int_equal(sd_writer_frame(o.w, &second, NULL, 0), 0);
    struct sd_reader *r = output_read(&o, NULL);
    expect_same(r, &first, 0);
    expect_comment(r, "flight 4 never came");
    expect_comment(r, "");
    expect_comment(r, "second");
    assert_false(sd_reader_comment(r, &text));
    expect_same(r, &second, 0);
    assert_false(sd_reader_comment(r, &text));
    expect_end(r, SD_READER_END, "");
}

static void interfaces_get_blocks_of_their_own_in_the_order_of_their_frames(void **state)
{
    (void)state;
    struct output o;
    struct sd_frame high = frame(40000, 113, 1, "cooked"), low = frame(0, 1, 2, "ether");
    struct sd_frame other = frame(0, 101, 3, "same number, another link type");
    output_open(&o);
    assert_int_equal(sd_writer_frame(o.w, &high, NULL, 0), 0);
    assert_int_equal(sd_writer_interface(o.w, 0, 1, 96, "lo"), 0);
    assert_int_equal(sd_writer_frame(o.w, &low, NULL, 0), 0);
    assert_int_equal(sd_writer_frame(o.w, &high, NULL, 0), 0);
    assert_int_equal(sd_writer_frame(o.w, &other, NULL, 0), 0);
    struct sd_reader *r = output_read(&o, NULL);
    expect_same(r, &high, 0);
    expect_same(r, &low, 1);
    expect_same(r, &high, 0);
    expect_same(r, &other, 2);
    assert_string_equal(sd_reader_interface(r, 1)->name, "lo");
    assert_int_equal(sd_reader_interface(r, 1)->snaplen, 96);
    assert_int_equal(sd_reader_interface(r, 0)->snaplen, 0);
    expect_end(r, SD_READER_END, "");
}

static void collect(void *arg, struct sd_span text)
{
    struct image *m = arg;
    add_bytes(m, text.p, text.len);
    add_bytes(m, "|", 1);
}

static void the_key_log_comes_back(void **state)
{
    (void)state;
    struct output o;
    struct image log = {0};
    struct sd_reader_config config = {.keylog = collect, .arg = &log};
    output_open(&o);
    assert_int_equal(sd_writer_keylog(o.w, span("")), 0);
    assert_int_equal(sd_writer_keylog(o.w, span("CLIENT_RANDOM 1 2\n")), 0);
    expect_end(output_read(&o, &config), SD_READER_END, "");
    assert_int_equal(log.len, 19);
    assert_memory_equal(log.p, "CLIENT_RANDOM 1 2\n|", 19);
    image_free(&log);
}

static void a_key_log_that_is_too_long_for_a_block_is_parted_between_lines(void **state)
{
    (void)state;
    enum { LINE = 1000, LINES = 20000 };
    struct output o;
    struct image text = {0}, log = {0};
    struct sd_reader_config config = {.keylog = collect, .arg = &log};
    for (unsigned i = 0; i < LINES; i++) {
        char line[LINE];
        memset(line, 'a', sizeof line - 1);
        line[LINE - 1] = '\n';
        add_bytes(&text, line, sizeof line);
    }
    output_open(&o);
    assert_int_equal(sd_writer_keylog(o.w, (struct sd_span){text.p, text.len}), 0);
    expect_end(output_read(&o, &config), SD_READER_END, "");
    assert_int_equal(log.len, text.len + 3);
    for (size_t i = 0; i < log.len; i++)
        if (log.p[i] == '|')
            assert_int_equal(log.p[i - 1], '\n');
    image_free(&text);
    image_free(&log);
}

static void statistics_come_back(void **state)
{
    (void)state;
    struct output o;
    struct sd_frame f = frame(3, 1, 5, "x");
    output_open(&o);
    assert_int_equal(sd_writer_frame(o.w, &f, NULL, 0), 0);
    assert_int_equal(sd_writer_statistics(o.w, 3, 100, 7), 0);
    assert_int_equal(sd_writer_statistics(o.w, 2, 100, 7), -EINVAL);
    assert_int_equal(sd_writer_statistics(o.w, 99, 100, 7), -EINVAL);
    struct sd_reader *r = output_read(&o, NULL);
    expect_same(r, &f, 0);
    struct sd_frame none;
    assert_int_equal(sd_reader_next(r, &none), SD_READER_END);
    assert_int_equal(sd_reader_dropped(r), 7);
    sd_reader_close(r);
}

static void a_long_comment_is_cut_between_characters_and_too_many_are_left_out(void **state)
{
    (void)state;
    enum { MANY = 200 };
    struct output o;
    struct image m = {0};
    struct sd_span comments[MANY], got;
    while (m.len < 70000)
        add_bytes(&m, "\xc3\xa4", 2); /* one character: 65535 would be in its middle */
    for (unsigned i = 0; i < MANY; i++)
        comments[i] = (struct sd_span){m.p, m.len};
    struct sd_frame f = frame(0, 1, 5, "x");
    output_open(&o);
    assert_int_equal(sd_writer_frame(o.w, &f, comments, MANY), 0);
    assert_int_equal(sd_writer_frame(o.w, &f, NULL, 0), 0);
    struct sd_reader *r = output_read(&o, NULL);
    expect_same(r, &f, 0);
    size_t n = 0;
    for (; sd_reader_comment(r, &got); n++)
        assert_int_equal(got.len, 65534);
    assert_in_range(n, 100, MANY - 1);
    expect_same(r, &f, 0);
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static void a_frame_that_no_reader_would_take_is_refused(void **state)
{
    (void)state;
    struct output o;
    struct image m = {0};
    add_pattern(&m, SD_FRAME_MAX + 1, 0);
    struct sd_frame f = frame(0, 1, 5, "");
    output_open(&o);
    f.data = (struct sd_span){m.p, SD_FRAME_MAX + 1};
    assert_int_equal(sd_writer_frame(o.w, &f, NULL, 0), -EINVAL);
    f.data.len = f.length = SD_FRAME_MAX;
    f.interface = 65536;
    assert_int_equal(sd_writer_frame(o.w, &f, NULL, 0), -EINVAL);
    f.interface = 65535;
    assert_int_equal(sd_writer_frame(o.w, &f, NULL, 0), 0);
    struct sd_reader *r = output_read(&o, NULL);
    expect_same(r, &f, 0);
    expect_end(r, SD_READER_END, "");
    image_free(&m);
}

static void check_full_disk(int buffering, int frame_result)
{
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    setvbuf(full, NULL, buffering, 4096);
    struct sd_frame f = frame(0, 1, 5, "x");
    struct sd_writer *w = sd_writer_new(full, "test");
    assert_int_equal(sd_writer_frame(w, &f, NULL, 0), frame_result);
    assert_int_equal(sd_writer_finish(w), -ENOSPC);
    assert_int_equal(sd_writer_frame(w, &f, NULL, 0), -ENOSPC);
    assert_int_equal(sd_writer_keylog(w, span("x\n")), -ENOSPC);
    assert_int_equal(sd_writer_finish(w), -ENOSPC);
    sd_writer_free(w);
    fclose(full);
}

static void a_full_disk_is_reported_and_said_again(void **state)
{
    (void)state;
    check_full_disk(_IOFBF, 0);
    check_full_disk(_IONBF, -ENOSPC);
}

/* The output of a tshark command line, or NULL without tshark. */
static char *tshark(const char *file, char *text, size_t room)
{
    char command[256];
    snprintf(command, sizeof command,
             "command -v tshark >/dev/null && tshark -n -r %s -T fields -e frame.time_epoch"
             " -e frame.len -e frame.comment -e frame.interface_name 2>&1",
             file);
    FILE *p = popen(command, "r");
    if (!p)
        return NULL;
    size_t n = fread(text, 1, room - 1, p);
    text[n] = '\0';
    return pclose(p) == 0 ? text : NULL;
}

static void tshark_reads_it_with_the_comments(void **state)
{
    (void)state;
    char path[] = "/tmp/capture_writer_XXXXXX", text[4096];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *out = fdopen(fd, "w");
    struct sd_writer *w = sd_writer_new(out, "test");
    struct sd_frame f = frame(0, 1, INT64_C(1700000000123456789), "a frame of nothing");
    const struct sd_span comments[] = {span("flight 4 never came"), span("second")};
    assert_int_equal(sd_writer_interface(w, 0, 1, 0, "veth7"), 0);
    assert_int_equal(sd_writer_keylog(w, span("CLIENT_RANDOM 00 00\n")), 0);
    assert_int_equal(sd_writer_frame(w, &f, comments, 2), 0);
    assert_int_equal(sd_writer_frame(w, &f, NULL, 0), 0);
    assert_int_equal(sd_writer_statistics(w, 0, 2, 0), 0);
    assert_int_equal(sd_writer_finish(w), 0);
    sd_writer_free(w);
    fclose(out);
    char *said = tshark(path, text, sizeof text);
    unlink(path);
    if (!said)
        skip();
    assert_non_null(strstr(said, "1700000000.123456789\t118\tflight 4 never came,second\tveth7"));
    assert_non_null(strstr(said, "1700000000.123456789\t118\t\tveth7"));
    assert_null(strstr(said, "damaged"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(interfaces_get_blocks_of_their_own_in_the_order_of_their_frames),
        cmocka_unit_test(the_key_log_comes_back),
        cmocka_unit_test(a_key_log_that_is_too_long_for_a_block_is_parted_between_lines),
        cmocka_unit_test(statistics_come_back),
        cmocka_unit_test(a_long_comment_is_cut_between_characters_and_too_many_are_left_out),
        cmocka_unit_test(a_frame_that_no_reader_would_take_is_refused),
        cmocka_unit_test(a_full_disk_is_reported_and_said_again),
        cmocka_unit_test(tshark_reads_it_with_the_comments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
