/* SPDX-License-Identifier: MIT */
/* Captures for fuzz_pcap: every encapsulation that has a header, written by our writer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/writer.h"
#include "harness/common.h"
#include "harness/make.h"
#include "targets/pcap_seeds.h"

#include "../../tests/unit/capture_build.h"

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

/* Headers that are too short, or name their payload in an unusual way: link type, bytes. */
static void seed_odd_links(struct fuzz_seeder *s)
{
#define ODD(linktype, text)                                                                        \
    {                                                                                              \
        linktype, sizeof text - 1, text                                                            \
    }
    static const struct {
        uint16_t linktype;
        size_t len;
        const char *bytes;
    } odd[] = {
        ODD(1, "short"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\0\x0a\xaa\xaa\3\0\0\0\x08\0\x45"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\0\x0a\x42\x42\3\0\0\0\x08\0\x45"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\0\x06\xaa\xaa\3\0\0\0"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\x91\0\0\1\x88\x0b\0\x57\x60"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\x65\x58\2\0\0\0\0\1\2\0\0\0\0\2\x08\0\x45"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x64\x11"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x48\0\0\0\1\0\0\1\1"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x47\0\0\1\1\x60"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x47\0\0\1\1\x60\0\0\0"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x47\0\0\1\1\0\0\0\0\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"),
        ODD(1, "\2\0\0\0\0\1\2\0\0\0\0\2\x81\0\0\1\x81\0\0\1\x81\0\0\1\x81\0\0\1\x81\0\0\1"
               "\x81\0\0\1\x81\0\0\1\x81\0\0\1\x81\0"),
        ODD(9, "\x0f\0\x08\0\x45"),
        ODD(50, "\x8f\0\x86\xdd\x60"),
        ODD(9, "\x02\x81\0\0\1\1\x45\0"),
        ODD(9, "\x02"),
        ODD(14, "\x45"),
        ODD(12, "\x10"),
        ODD(229, "\x60"),
        ODD(0, "\0"),
        ODD(0, "\x18\0\0\0\x60"),
        ODD(0, "\x1c\0\0\0\x60"),
        ODD(0, "\x1e\0\0\0\x60"),
        ODD(108, "\0\0\0\x0a\x60"),
        ODD(0, "\x77\0\0\0\x60"),
        ODD(113, "short"),
        ODD(9999, "what is it"),
    };
#undef ODD
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct build b;
        build_start(&b);
        put(&b, odd[i].bytes, odd[i].len);
        seed_one(s, odd[i].linktype, &b);
    }
}

/* More nested headers than the decapsulation allows. */
static void seed_nesting(struct fuzz_seeder *s)
{
    struct build b;
    build_udp(&b);
    for (unsigned i = 0; i < 10; i++)
        put_v4(&b, (struct v4){.protocol = i ? 4 : 17});
    seed_one(s, 101, &b);
    build_udp(&b);
    put_v4(&b, udp4);
    for (unsigned i = 0; i < 10; i++)
        put_ethernet(&b, i ? 0x6558 : 0x0800);
    seed_one(s, 1, &b);
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

static const uint8_t stun_header[] = "\x21\x12\xa4\x42TransactionI";

/* A STUN message of that type in a datagram of its own. */
static void put_stun(struct build *b, uint16_t type, const void *attributes, size_t len)
{
    build_start(b);
    put(b, attributes, len);
    put(b, stun_header, 16);
    put16(b, (uint16_t)len);
    put16(b, type);
    put_udp(b, 3478, 40000);
    put_v4(b, udp4);
}

/* TURN: channels that are bound and used, to peers of both families; cut attributes; records in
 * attributes that mean something else in another RFC. */
static void seed_turn(struct fuzz_seeder *s)
{
#define BIND(number, family, peer) "\0\x0c\0\4" number "\0\0\0\x12\0" family peer
#define PEER4 "\x08\0\1\x33\x44\x55\x66\x77\x88"
    static const struct {
        uint16_t type;
        size_t len;
        const char *attributes;
    } messages[] = {
        {0x0009, 20, BIND("\x40\1", PEER4, "")},
        {0x0009, 32, BIND("\x40\2", "\x14\0\2\x33\x44", "sixteen bytes...")},
        {0x0009, 20, BIND("\x40\1", PEER4, "")},
        {0x0009, 8, "\0\x0c\0\4\x40\1\0\0"},
        {0x0009, 12, "\0\x12\0\x08\0\1\x33\x44\x55\x66\x77\x88"},
        {0x0009, 20, "\0\x0c\0\1\x40\0\0\0\0\x12\0\x08\0\1\x33\x44\x55\x66\x77\x88"},
        {0x0009, 16, "\0\x0c\0\4\x40\3\0\0\0\x12\0\4\0\1\x33\x44"},
        {0x0016, 8, "\0\x12\0\x50\0\1\x33\x44"},
        {0x0017, 20, "\0\x12\0\x08\0\1\x33\x44\x55\x66\x77\x88\0\x13\0\4\x16\xfe\xfd\0"},
        {0x0101, 32,
         "\xc0\1\0\x19\x16\xfe\xfd\0\0\0\0\0\0\0\7\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
        {0x0001, 32,
         "\x80\1\0\x19\x2e\xfe\xfd\0\0\0\0\0\0\0\7\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
        {0x0001, 8, "\xc0\1\0\4\x2e\xfe\xfd\0"},
    };
#undef BIND
#undef PEER4
    struct seed_file f;
    struct build b;
    file_begin(&f);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        put_stun(&b, messages[i].type, messages[i].attributes, messages[i].len);
        file_frame(&f, 101, &b);
    }
    for (uint8_t number = 1; number < 4; number++) {
        build_start(&b);
        put(&b, a_record, sizeof a_record);
        put(&b, (uint8_t[]){0x40, number, 0, sizeof a_record}, 4);
        put_udp(&b, 40000, 3478);
        put_v4(&b, udp4);
        file_frame(&f, 101, &b);
    }
    file_end(&f, s);
    file_begin(&f);
    for (uint8_t number = 1; number < 20; number++) {
        uint8_t bind[] = "\0\x0c\0\4\x40\0\0\0\0\x12\0\x08\0\1\x33\x44\x55\x66\x77\x88";
        bind[5] = number;
        put_stun(&b, 0x0009, bind, 20);
        file_frame(&f, 101, &b);
    }
    file_end(&f, s);
}

/* CAPWAP on its ports, and something else there; a cut packet; a TURN channel that is cut, and one
 * that is too long. */
static void seed_ports(struct fuzz_seeder *s)
{
    static const struct {
        uint16_t from, to;
        size_t len;
        const char *header;
    } some[] = {{5246, 1, 4, "\1\0\0\0"},
                {1, 5247, 4, "\1\0\0\0"},
                {5246, 5246, 4, "\2\0\0\0"},
                {1, 2, 3, "\x40\1\0"},
                {1, 2, 4, "\x40\1\1\0"},
                {1, 2, 8, "\x80\x60\0\0\0\0\0\0"},
                {1, 2, 2, "\x80\x60"},
                {1, 2, 7, "\xc0\0\0\0\1\x08\0"},
                {1, 4789, 8, "\0\0\0\0\0\0\0\0"},
                {1, 4789, 8, "\x08\0\0\0\0\0\0\1"},
                {1, 4789, 2, "\x08"}};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        struct build b;
        build_start(&b);
        if (i < 3)
            put(&b, a_record, sizeof a_record);
        put(&b, some[i].header, some[i].len);
        put_udp(&b, some[i].from, some[i].to);
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

/* Quotes in ICMP errors: cut, padded, of other protocols, after other headers, with extensions
 * after them. */
static void seed_quotes(struct fuzz_seeder *s)
{
    static const struct {
        uint8_t outer, protocol, extension, length;
        const char *header;
    } some[] = {{1, 17, 0, 0, "\3\3\0\0\0\4\0\0"},   {1, 6, 0, 0, "\x0b\0\0\0\0\0\0\0"},
                {1, 17, 0, 0, "\5\0\0\0\0\0\0\0"},   {58, 17, 0, 0, "\1\4\0\0\2\0\0\0"},
                {58, 44, 44, 0, "\3\0\0\0\0\0\0\0"}, {58, 44, 44, 9, "\3\0\0\0\0\0\0\0"},
                {58, 60, 60, 0, "\2\0\0\0\0\0\5\0"}, {58, 60, 60, 99, "\2\0\0\0\0\0\5\0"},
                {58, 6, 0, 0, "\1\0\0\0\0\0\0\0"},   {58, 17, 0, 0, "\x80\0\0\0\0\0\0\0"},
                {1, 58, 0, 0, "\3\4\0\0\0\0\5\0"}};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        struct build b;
        build_udp(&b);
        if (some[i].extension)
            put(&b,
                (uint8_t[]){17, some[i].extension == 44 ? 0 : some[i].length, 0,
                            some[i].extension == 44 ? some[i].length : 0, 0, 0, 0, 0},
                8);
        if (some[i].outer == 1)
            put_v4(&b, (struct v4){.protocol = some[i].protocol});
        else
            put_v6(&b, some[i].protocol);
        put(&b, some[i].header, 8);
        if (some[i].outer == 1)
            put_v4(&b, (struct v4){.protocol = 1});
        else
            put_v6(&b, 58);
        seed_one(s, 101, &b);
    }
    static const char *const cut[] = {"\3\4\0\0\0\0\5\0", "\3\4\0\0\0\0\5", "\2\0\0\0\0\0\5\0",
                                      "\2"};
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        struct build b;
        build_start(&b);
        put(&b, cut[i], i == 1 ? 7 : i == 3 ? 1 : 8);
        if (i < 2)
            put_v4(&b, (struct v4){.protocol = 1});
        else
            put_v6(&b, 58);
        seed_one(s, 101, &b);
    }
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    pcap_format_seeds(s);
    seed_links(s);
    seed_other_links(s);
    seed_odd_links(s);
    seed_nesting(s);
    seed_tunnels(s);
    seed_carriers(s);
    seed_turn(s);
    seed_ports(s);
    seed_quotes(s);
    seed_fragments(s, false);
    seed_fragments(s, true);
    seed_icmp(s);
}
