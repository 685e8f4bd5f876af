/* SPDX-License-Identifier: MIT */
/* Capture files for fuzz_pcap, byte by byte: formats, byte orders, blocks, options, times, gzip. */
#include <string.h>

#include "targets/pcap_seeds.h"

#include "../../tests/unit/capture_build.h"

static const struct v4 udp4 = {.protocol = 17};

static void le(struct sd_wr *w, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        sd_wr_u8(w, (uint8_t)(v >> 8 * i));
}

/* The old format, in every variant. */
static void seed_classic(struct fuzz_seeder *s)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34, 0xd4c3b2a1};
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        uint8_t bytes[256];
        struct build b;
        struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
        build_udp(&b);
        put_v4(&b, udp4);
        le(&w, magics[i], 4);
        le(&w, i == 3 ? 0x04000200 : 0x00040002, 4);
        le(&w, 0, 8);
        le(&w, i == 3 ? 0x00000400 : 0x00040000, 4);
        le(&w, i == 3 ? 0x65000000 : 101, 4);
        le(&w, 1704067200, 4);
        le(&w, 5, 4);
        le(&w, i == 3 ? __builtin_bswap32(build_len(&b)) : build_len(&b), 4);
        le(&w, i == 3 ? __builtin_bswap32(build_len(&b)) : build_len(&b), 4);
        le(&w, 0, i == 2 ? 8 : 0);
        sd_wr_bytes(&w, build_bytes(&b), build_len(&b));
        fuzz_seed(s, bytes, sd_wr_len(&w));
    }
}

static void u(struct sd_wr *w, uint32_t v, unsigned bytes, bool big)
{
    le(w,
       big && bytes == 4 ? __builtin_bswap32(v)
       : big             ? (uint64_t)(v >> 8 | (v & 255) << 8)
                         : v,
       bytes);
}

static void block(struct sd_wr *w, bool big, uint32_t type, const void *body, size_t len)
{
    u(w, type, 4, big);
    u(w, (uint32_t)len + 12, 4, big);
    sd_wr_bytes(w, body, len);
    u(w, (uint32_t)len + 12, 4, big);
}

/* pcapng of either byte order: resolution, offset, name, a packet of each kind, statistics, keys.
 */
static void seed_sections(struct fuzz_seeder *s, bool big)
{
    uint8_t bytes[1024], body[256];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes), b = sd_wr_init(body, sizeof body);
    u(&b, 0x1a2b3c4d, 4, big);
    u(&b, 1, 2, big);
    sd_wr_bytes(&b, "\0\0\377\377\377\377\377\377\377\377", 10);
    block(&w, big, 0x0a0d0d0a, body, sd_wr_len(&b));
    b = sd_wr_init(body, sizeof body);
    u(&b, 101, 2, big);
    u(&b, 0, 2, big);
    u(&b, 128, 4, big);
    u(&b, 2, 2, big);
    u(&b, 4, 2, big);
    sd_wr_bytes(&b, "eth0", 4);
    u(&b, 9, 2, big);
    u(&b, 1, 2, big);
    sd_wr_bytes(&b, big ? "\x9e\0\0\0" : "\x0b\0\0\0", 4);
    u(&b, 14, 2, big);
    u(&b, 8, 2, big);
    sd_wr_bytes(&b, "\0\0\1\0\0\0\0\1", 8);
    block(&w, big, 1, body, sd_wr_len(&b));
    block(&w, big, 3, big ? "\0\0\0\4ABCD" : "\4\0\0\0ABCD", 8);
    b = sd_wr_init(body, sizeof body);
    u(&b, 0x544c534b, 4, big);
    u(&b, 5, 4, big);
    sd_wr_bytes(&b, "LINE\n\0\0\0", 8);
    block(&w, big, 10, body, sd_wr_len(&b));
    b = sd_wr_init(body, sizeof body);
    sd_wr_bytes(&b, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
    u(&b, 5, 2, big);
    u(&b, 8, 2, big);
    sd_wr_bytes(&b, "\1\0\0\0\0\0\0\1", 8);
    block(&w, big, 5, body, sd_wr_len(&b));
    fuzz_seed(s, bytes, sd_wr_len(&w));
}

/* A comment that is longer than its block, at the very end. */
static void seed_option(struct fuzz_seeder *s)
{
    uint8_t bytes[256];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    block(&w, false, 0x0a0d0d0a, "\x4d\x3c\x2b\x1a\1\0\0\0\377\377\377\377\377\377\377\377", 16);
    block(&w, false, 1, "\x65\0\0\0\0\0\0\0", 8);
    block(&w, false, 6, "\0\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0ABCD\1\0\x40\0text", 32);
    fuzz_seed(s, bytes, sd_wr_len(&w));
}

/* Each kind of broken block, once: after it the file goes on or ends. */
static void seed_wrong_blocks(struct fuzz_seeder *s)
{
    static const struct {
        uint32_t type;
        size_t len;
        const char *body;
    } wrong[] = {
        {6, 20, "\7\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0"},   /* no such interface */
        {6, 8, "\0\0\0\0\0\0\0\0"},                            /* too short */
        {6, 20, "\0\0\0\0\0\0\0\0\0\0\0\0\x44\0\0\0\4\0\0\0"}, /* longer than its block */
        {2, 20, "\7\0\0\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0\0"},
        {3, 0, ""},
        {3, 4, "\x20\0\0\0"},
        {5, 4, "\0\0\0\0"},
        {5, 12, "\7\0\0\0\0\0\0\0\0\0\0\0"},
        {5, 24, "\0\0\0\0\0\0\0\0\0\0\0\0\7\0\x08\0\1\0\0\0\0\0\0\0"},
        {10, 8, "\x4b\x53\x4c\x54\x20\0\0\0"},
        {10, 12, "\1\2\3\4\4\0\0\0text"},
        {99, 4, "what"},
        {1, 4, "\1\0\0\0"}, /* an interface block must be whole */
    };
    uint8_t bytes[1024];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    block(&w, false, 0x0a0d0d0a, "\x4d\x3c\x2b\x1a\1\0\0\0\377\377\377\377\377\377\377\377", 16);
    block(&w, false, 3, "\4\0\0\0ABCD", 8);
    block(&w, false, 1, "\x65\0\0\0\2\0\0\0", 8);
    block(&w, false, 3, "\4\0\0\0ABCD", 8);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        block(&w, false, wrong[i].type, wrong[i].body, wrong[i].len);
    fuzz_seed(s, bytes, sd_wr_len(&w));
}

/* Extreme times: resolutions, and offsets that do not fit. */
static void seed_times(struct fuzz_seeder *s)
{
    static const struct {
        uint8_t resolution;
        const char *offset;
    } some[] = {{0, "\0\0\0\0\0\0\0\x7f"},          {9, "\0\0\0\0\0\0\0\x80"},
                {12, "\1\0\0\0\0\0\0\0"},           {60, "\xff\xff\xff\xff\2\0\0\0"},
                {0x8a, "\0\0\0\0\xfe\xff\xff\xff"}, {0xff, "\0\0\0\0\0\0\0\0"}};
    uint8_t bytes[1024], body[64];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    block(&w, false, 0x0a0d0d0a, "\x4d\x3c\x2b\x1a\1\0\0\0\377\377\377\377\377\377\377\377", 16);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        struct sd_wr b = sd_wr_init(body, sizeof body);
        sd_wr_bytes(&b, "\x65\0\0\0\0\0\0\0\x09\0\1\0", 12);
        sd_wr_u32(&b, (uint32_t)some[i].resolution << 24);
        sd_wr_bytes(&b, "\x0e\0\x08\0", 4);
        sd_wr_bytes(&b, some[i].offset, 8);
        block(&w, false, 1, body, sd_wr_len(&b));
        b = sd_wr_init(body, sizeof body);
        le(&b, i, 4);
        sd_wr_bytes(&b, i % 2 ? "\0\0\0\0\1\0\0\0" : "\xff\xff\xff\x7f\xff\xff\xff\xff", 8);
        sd_wr_bytes(&b, "\4\0\0\0\4\0\0\0ABCD", 12);
        block(&w, false, 6, body, sd_wr_len(&b));
    }
    fuzz_seed(s, bytes, sd_wr_len(&w));
}

static uint32_t crc(const uint8_t *p, size_t len)
{
    uint32_t c = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        c ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
    }
    return ~c;
}

/* Packed with gzip: one stored block; two members with other bytes after them. */
static void seed_packed(struct fuzz_seeder *s)
{
    static const uint8_t classic[] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0,   0, 0, 0,
                                      0,    0,    0,    0,    0, 0, 4, 0, 101, 0, 0, 0};
    uint8_t bytes[256];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    for (int member = 0; member < 2; member++) {
        size_t len = member ? 0 : sizeof classic;
        sd_wr_bytes(&w, "\x1f\x8b\x08\0\0\0\0\0\0\3\1", 11);
        le(&w, len, 2);
        le(&w, ~len, 2);
        sd_wr_bytes(&w, classic, len);
        le(&w, crc(classic, len), 4);
        le(&w, len, 4);
    }
    fuzz_seed(s, bytes, sd_wr_len(&w));
    sd_wr_bytes(&w, "behind it", 9);
    fuzz_seed(s, bytes, sd_wr_len(&w));
    fuzz_seed(s, bytes, 50);
}

void pcap_format_seeds(struct fuzz_seeder *s)
{
    seed_sections(s, false);
    seed_sections(s, true);
    seed_packed(s);
    seed_option(s);
    seed_classic(s);
    seed_wrong_blocks(s);
    seed_times(s);
}
