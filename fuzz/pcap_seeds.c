/* Captures for fuzz_pcap: every wrapping there is a header for, written by our writer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/writer.h"
#include "common.h"
#include "make.h"

#include "../tests/unit/capture_build.h"

struct seed_file {
    struct sd_writer *writer;
    FILE *to;
    char *image;
    size_t size;
    uint64_t number;
};

static void file_begin(struct seed_file *f)
{
    *f = (struct seed_file){0};
    f->to = open_memstream(&f->image, &f->size);
    f->writer = f->to ? sd_writer_new(f->to, "seeds") : NULL;
    fuzz_check(f->writer, "no memory for a seed");
}

static void file_frame(struct seed_file *f, uint16_t linktype, const struct build *b)
{
    static const struct sd_span comment = {(const uint8_t *)"seed", 4};
    const struct sd_frame frame = {.number = ++f->number,
                                   .time = INT64_C(1704067200000000000) + (int64_t)f->number * 1000,
                                   .data = {build_bytes(b), build_len(b)},
                                   .length = build_len(b),
                                   .interface = linktype == 1 ? 0 : linktype,
                                   .linktype = linktype};
    sd_writer_frame(f->writer, &frame, &comment, f->number % 3 == 0);
}

static void file_end(struct seed_file *f, struct fuzz_seeder *s)
{
    sd_writer_finish(f->writer);
    sd_writer_free(f->writer);
    fclose(f->to);
    fuzz_seed(s, f->image, f->size);
    free(f->image);
}

static const struct v4 udp4 = {.protocol = 17};

static void seed_one(struct fuzz_seeder *s, uint16_t linktype, const struct build *b)
{
    struct seed_file f;
    file_begin(&f);
    file_frame(&f, linktype, b);
    file_end(&f, s);
}

static void seed_links(struct fuzz_seeder *s)
{
    struct build b;
    build_udp(&b);
    put_v4(&b, udp4);
    put_ethernet(&b, 0x0800);
    seed_one(s, 1, &b);
    build_udp(&b);
    put_v6(&b, 17);
    put_tag(&b, 0x86dd);
    put_tag(&b, 0x8100);
    put_ethernet(&b, 0x88a8);
    seed_one(s, 1, &b);
    build_udp(&b);
    put_v4(&b, udp4);
    put_pppoe(&b);
    put_ethernet(&b, 0x8864);
    seed_one(s, 1, &b);
    build_udp(&b);
    put_v4(&b, udp4);
    put(&b, "\0\x01\x21\x40", 4);
    put_ethernet(&b, 0x8847);
    seed_one(s, 1, &b);
}

static void seed_other_links(struct fuzz_seeder *s)
{
    static const struct {
        uint16_t linktype;
        size_t len;
        const char *header;
    } links[] = {{101, 0, ""},
                 {228, 0, ""},
                 {0, 4, "\2\0\0\0"},
                 {108, 4, "\0\0\0\2"},
                 {9, 4, "\xff\3\0\x21"},
                 {51, 8, "\x11\0\0\1\0\100\0\x21"},
                 {113, 16, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0"},
                 {276, 20, "\x08\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct build b;
        build_udp(&b);
        put_v4(&b, udp4);
        put(&b, links[i].header, links[i].len);
        seed_one(s, links[i].linktype, &b);
    }
}

static void seed_tunnels(struct fuzz_seeder *s)
{
    struct build b;
    build_udp(&b);
    put_v4(&b, udp4);
    put(&b, "\xb0\x80\x08\0sumskey!seqs", 16); /* GRE with everything */
    put_v4(&b, (struct v4){.protocol = 47, .options = 1});
    seed_one(s, 101, &b);
    build_udp(&b);
    put_v6(&b, 17);
    put_ethernet(&b, 0x86dd);
    put(&b, "\x08\0\0\0\0\0\1\0", 8);
    put_udp(&b, 5000, 4789); /* VXLAN */
    put_v4(&b, udp4);
    seed_one(s, 101, &b);
    build_udp(&b);
    put_v4(&b, udp4);
    uint16_t inner = build_len(&b);
    put(&b, "\0\0\0\x85\1\0\0\0", 8);
    put(&b, (uint8_t[]){0x34, 255, (uint8_t)((inner + 8) >> 8), (uint8_t)(inner + 8), 0, 0, 0, 1},
        8);
    put_udp(&b, 2152, 2152); /* GTP-U */
    put_v6(&b, 17);
    seed_one(s, 101, &b);
    build_udp(&b);
    put_v4(&b, udp4);
    put_v6(&b, 4);
    put_v4(&b, (struct v4){.protocol = 41});
    seed_one(s, 101, &b);
}

static void seed_carriers(struct fuzz_seeder *s)
{
    static const struct {
        size_t len;
        const char *header;
    } carriers[] = {{4, "\1\0\0\0"},                                              /* CAPWAP */
                    {4, "\x40\1\0\x19"},                                          /* TURN channel */
                    {24, "\0\x17\0\x20\x21\x12\xa4\x42TransactionI\0\x13\0\x19"}, /* TURN data */
                    {28, "\0\x09\0\x10\x21\x12\xa4\x42TransactionI\0\x0c\0\4\x40\1\0\0"},
                    {24, "\1\1\0\x1d\x21\x12\xa4\x42TransactionI\xc0\1\0\x19"},
                    {16, "\x10\0\0\1ZRTPsomething"}};
    for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++) {
        struct build b;
        build_start(&b);
        put_zeros(&b, i == 2 ? 3 : 0);
        put(&b, a_record, sizeof a_record);
        put(&b, carriers[i].header, carriers[i].len);
        put_udp(&b, 3478, 40000);
        put_v4(&b, udp4);
        seed_one(s, 101, &b);
    }
}

/* One packet in IP fragments, the last one first, and one that never becomes whole. */
static void seed_fragments(struct fuzz_seeder *s, bool six)
{
    struct seed_file f;
    file_begin(&f);
    for (uint16_t id = 1; id <= 2; id++) {
        for (uint16_t part = 0; part < 3; part++) {
            struct build b;
            uint16_t at = (uint16_t)(2 - part);
            build_start(&b);
            if (at == 0)
                put(&b, "\x16\xfe\xfd\0\0\0\0\0", 8);
            else
                put_zeros(&b, 16);
            if (at == 0)
                put(&b, "\x9c\x40\x11\x51\0\x30\0\0", 8);
            uint16_t offset = (uint16_t)(at * 2);
            if (six) {
                put_v6_fragment(&b, 17, (uint16_t)(offset << 3 | (at < 2)), id);
                put_extension(&b, 44, 0);
                put_v6(&b, 0);
            } else {
                put_v4(&b, (struct v4){.protocol = 17,
                                       .id = id,
                                       .place = (uint16_t)(offset | (at < 2 ? 0x2000 : 0))});
            }
            if (id == 1 || part)
                file_frame(&f, 101, &b);
        }
    }
    file_end(&f, s);
}

static void seed_icmp(struct fuzz_seeder *s)
{
    struct build b;
    build_udp(&b);
    put_v4(&b, udp4);
    put(&b, "\3\4\0\0\0\0\5\0", 8);
    put_v4(&b, (struct v4){.protocol = 1});
    seed_one(s, 101, &b);
    build_udp(&b);
    put_v6(&b, 17);
    put(&b, "\2\0\0\0\0\0\5\0", 8);
    put_v6(&b, 58);
    seed_one(s, 101, &b);
}

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

/* Packed with gzip, as it is: one stored block; two members, and something behind them. */
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

void fuzz_seeds(struct fuzz_seeder *s)
{
    seed_sections(s, false);
    seed_sections(s, true);
    seed_packed(s);
    seed_option(s);
    seed_links(s);
    seed_other_links(s);
    seed_tunnels(s);
    seed_carriers(s);
    seed_fragments(s, false);
    seed_fragments(s, true);
    seed_icmp(s);
    seed_classic(s);
}
