/* SPDX-License-Identifier: MIT */
/* Packed captures. Without zlib there is nothing to pack with, and only the refusal is left. */
#include "capture_image.h"

#if __has_include(<zlib.h>)
#include <zlib.h>
#endif

static const uint8_t gzip_magic[] = {0x1f, 0x8b, 8, 0};

/* False when the library was built without zlib. */
static bool can_unpack(void)
{
    struct sd_frame f;
    struct sd_reader *r = read_bytes(gzip_magic, sizeof gzip_magic, NULL);
    enum sd_reader_status status = sd_reader_next(r, &f);
    sd_reader_close(r);
    return status != SD_READER_FOREIGN;
}

static void a_build_without_zlib_says_so(void **state)
{
    (void)state;
    if (can_unpack())
        skip();
    expect_end(read_bytes(gzip_magic, sizeof gzip_magic, NULL), SD_READER_FOREIGN,
               "compressed with gzip, which this build cannot read");
}

#ifdef ZLIB_VERSION

enum { FRAMES = 900, FRAME = 1000 };

static struct image many_frames(void)
{
    struct image m = {0};
    pcap_header(&m, 0xa1b2c3d4, 4, 1);
    for (unsigned i = 0; i < FRAMES; i++)
        pcap_frame(&m, i, 0, FRAME);
    return m;
}

/* Adds one gzip member that holds the bytes. */
static void pack(struct image *out, const uint8_t *data, size_t n, int level)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    uLong bound = deflateBound(&z, (uLong)n);
    uint8_t *packed = malloc(bound), *copy = malloc(n);
    assert_non_null(packed);
    assert_non_null(copy);
    memcpy(copy, data, n);
    z.next_in = copy;
    z.avail_in = (uInt)n;
    z.next_out = packed;
    z.avail_out = (uInt)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    add_bytes(out, packed, bound - z.avail_out);
    deflateEnd(&z);
    free(packed);
    free(copy);
}

static void expect_many_frames(struct sd_reader *r)
{
    for (unsigned i = 0; i < FRAMES; i++)
        assert_pattern(expect_frame(r).data, FRAME, i);
    expect_end(r, SD_READER_END, "");
}

static void a_packed_capture_is_read_like_the_plain_one(void **state)
{
    (void)state;
    if (!can_unpack())
        skip();
    struct image m = many_frames(), packed = {0};
    for (int level = 0; level <= 9; level += 9) {
        pack(&packed, m.p, m.len, level);
        expect_many_frames(read_image(&packed));
        packed.len = 0;
    }
    image_free(&packed);
    image_free(&m);
}

static void members_follow_each_other_and_padding_behind_them_is_nothing(void **state)
{
    (void)state;
    if (!can_unpack())
        skip();
    struct image m = many_frames(), packed = {0};
    pack(&packed, m.p, 1, 6);
    pack(&packed, m.p + 1, 300000, 6);
    pack(&packed, m.p, 0, 6);
    pack(&packed, m.p + 300001, m.len - 300001, 6);
    expect_many_frames(read_image(&packed));
    add_bytes(&packed, "\0\0\0\0\0\0\0\0", 8);
    expect_many_frames(read_image(&packed));
    image_free(&packed);
    image_free(&m);
}

static uint64_t frames_until(const struct image *packed, size_t n, enum sd_reader_status *status)
{
    struct sd_reader *r = read_bytes(packed->p, n, NULL);
    struct sd_frame f;
    uint64_t frames = 0;
    while ((*status = sd_reader_next(r, &f)) == SD_READER_FRAME)
        assert_pattern(f.data, FRAME, (unsigned)frames++);
    assert_int_not_equal(*sd_reader_reason(r), '\0');
    sd_reader_close(r);
    return frames;
}

static void cut_packed_data_give_what_comes_before_the_cut(void **state)
{
    (void)state;
    if (!can_unpack())
        skip();
    struct image m = many_frames(), packed = {0};
    enum sd_reader_status status;
    pack(&packed, m.p, m.len, 6);
    for (size_t n = 4; n < packed.len; n += n < 200 || n + 40 > packed.len ? 1 : 97) {
        uint64_t frames = frames_until(&packed, n, &status);
        assert_int_equal(status, SD_READER_TRUNCATED);
        assert_true(frames <= FRAMES);
    }
    assert_int_equal(frames_until(&packed, packed.len - 8, &status), FRAMES);
    image_free(&packed);
    image_free(&m);
}

static void damaged_packed_data_are_named(void **state)
{
    (void)state;
    if (!can_unpack())
        skip();
    struct image m = many_frames(), packed = {0};
    enum sd_reader_status status;
    pack(&packed, m.p, m.len, 6);
    packed.p[packed.len - 6] ^= 1; /* the checksum */
    assert_int_equal(frames_until(&packed, packed.len, &status), FRAMES);
    assert_int_equal(status, SD_READER_CORRUPT);
    for (size_t i = 10; i < packed.len; i += 131) {
        packed.p[i] ^= 0x55;
        struct sd_reader *r = read_image(&packed);
        struct sd_frame f;
        while (sd_reader_next(r, &f) == SD_READER_FRAME)
            continue;
        sd_reader_close(r);
        packed.p[i] ^= 0x55;
    }
    expect_end(read_bytes("\x1f\x8b\x08\xff garbage", 12, NULL), SD_READER_CORRUPT,
               "the gzip data is damaged");
    image_free(&packed);
    image_free(&m);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_build_without_zlib_says_so),
#ifdef ZLIB_VERSION
        cmocka_unit_test(a_packed_capture_is_read_like_the_plain_one),
        cmocka_unit_test(members_follow_each_other_and_padding_behind_them_is_nothing),
        cmocka_unit_test(cut_packed_data_give_what_comes_before_the_cut),
        cmocka_unit_test(damaged_packed_data_are_named),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
