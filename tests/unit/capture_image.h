/* SPDX-License-Identifier: MIT */
/* Capture files built byte by byte, and read back through a descriptor. */
#ifndef CAPTURE_IMAGE_H
#define CAPTURE_IMAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/reader.h"

struct image {
    uint8_t *p;
    size_t len, room;
    bool big;
};

static inline void image_free(struct image *m)
{
    free(m->p);
    *m = (struct image){0};
}

static inline void add_bytes(struct image *m, const void *data, size_t n)
{
    if (m->len + n > m->room) {
        m->room = 2 * (m->len + n);
        m->p = realloc(m->p, m->room);
        assert_non_null(m->p);
    }
    if (n)
        memcpy(m->p + m->len, data, n);
    m->len += n;
}

static inline void add_number(struct image *m, uint64_t v, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        size_t shift = 8 * (m->big ? width - 1 - i : i);
        add_bytes(m, (const uint8_t[]){(uint8_t)(v >> shift)}, 1);
    }
}

static inline void add16(struct image *m, uint16_t v)
{
    add_number(m, v, 2);
}

static inline void add32(struct image *m, uint32_t v)
{
    add_number(m, v, 4);
}

static inline void pad(struct image *m)
{
    while (m->len % 4)
        add_bytes(m, "", 1);
}

/* n bytes that show their place and their frame: `seed`, `seed` + 1, ... */
static inline void add_pattern(struct image *m, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        add_bytes(m, (const uint8_t[]){(uint8_t)(seed + i)}, 1);
}

static inline void assert_pattern(struct sd_span s, size_t n, unsigned seed)
{
    assert_int_equal(s.len, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(s.p[i], (uint8_t)(seed + i));
}

static inline void pcap_header(struct image *m, uint32_t magic, uint16_t minor, uint32_t network)
{
    add32(m, magic);
    add16(m, 2);
    add16(m, minor);
    add_number(m, 0, 8);
    add32(m, 65535);
    add32(m, network);
}

static inline void pcap_frame(struct image *m, uint32_t seconds, uint32_t part, size_t n)
{
    add32(m, seconds);
    add32(m, part);
    add32(m, (uint32_t)n);
    add32(m, (uint32_t)n + 7);
    add_pattern(m, n, seconds);
}

/* Opens a block and returns its mark. */
static inline size_t block_open(struct image *m, uint32_t type)
{
    size_t mark = m->len;
    add32(m, type);
    add32(m, 0);
    return mark;
}

static inline void block_close(struct image *m, size_t mark)
{
    uint32_t length = (uint32_t)(m->len - mark + 4);
    size_t end = m->len;
    m->len = mark + 4;
    add32(m, length);
    m->len = end;
    add32(m, length);
}

static inline void section_block(struct image *m)
{
    size_t mark = block_open(m, 0x0a0d0d0a);
    add32(m, 0x1a2b3c4d);
    add16(m, 1);
    add16(m, 0);
    add_number(m, UINT64_MAX, 8);
    block_close(m, mark);
}

static inline void option(struct image *m, uint16_t code, const void *value, uint16_t len)
{
    add16(m, code);
    add16(m, len);
    add_bytes(m, value, len);
    pad(m);
}

static inline void option64(struct image *m, uint16_t code, uint64_t value)
{
    add16(m, code);
    add16(m, 8);
    add_number(m, value, 8);
}

static inline size_t interface_open(struct image *m, uint16_t linktype, uint32_t snaplen)
{
    size_t mark = block_open(m, 1);
    add16(m, linktype);
    add16(m, 0);
    add32(m, snaplen);
    return mark;
}

static inline void interface_block(struct image *m, uint16_t linktype)
{
    block_close(m, interface_open(m, linktype, 0));
}

/* With a time resolution; and an offset in seconds, 0 = none. */
static inline void interface_in(struct image *m, uint8_t resolution, int64_t offset)
{
    size_t mark = interface_open(m, 1, 0);
    option(m, 9, &resolution, 1);
    if (offset)
        option64(m, 14, (uint64_t)offset);
    block_close(m, mark);
}

static inline size_t packet_open(struct image *m, uint32_t interface, uint64_t stamp, size_t n)
{
    size_t mark = block_open(m, 6);
    add32(m, interface);
    add32(m, (uint32_t)(stamp >> 32));
    add32(m, (uint32_t)stamp);
    add32(m, (uint32_t)n);
    add32(m, (uint32_t)n + 7);
    add_pattern(m, n, (unsigned)stamp);
    pad(m);
    return mark;
}

static inline void packet_block(struct image *m, uint32_t interface, uint64_t stamp, size_t n)
{
    block_close(m, packet_open(m, interface, stamp, n));
}

/* All kinds of blocks that carry or describe frames: 4 frames a section. */
static inline void add_section(struct image *m, bool big)
{
    m->big = big;
    section_block(m);
    size_t mark = interface_open(m, 1, 48);
    option(m, 2, "eth0", 4);
    option(m, 9, "\x09", 1);
    option(m, 0, NULL, 0);
    block_close(m, mark);
    interface_block(m, 113);
    packet_block(m, 0, 5000000001, 13);
    packet_block(m, 1, 7000001, 14);
    mark = block_open(m, 3);
    add32(m, 60);
    add_pattern(m, 48, 1);
    block_close(m, mark);
    mark = block_open(m, 2);
    add16(m, 1);
    add16(m, 0xffff);
    add_number(m, 0, 4);
    add32(m, 9000009);
    add32(m, 3);
    add32(m, 3);
    add_pattern(m, 3, 2);
    pad(m);
    block_close(m, mark);
}

static inline void secrets_block(struct image *m, uint32_t type, const char *text, uint32_t claimed)
{
    size_t mark = block_open(m, 10);
    add32(m, type);
    add32(m, claimed);
    add_bytes(m, text, strlen(text));
    pad(m);
    block_close(m, mark);
}

static inline void statistics_block(struct image *m, uint32_t interface, uint64_t ifdrop,
                                    uint64_t osdrop)
{
    size_t mark = block_open(m, 5);
    add32(m, interface);
    add_number(m, 0, 8);
    option64(m, 4, 1000);
    option64(m, 5, ifdrop);
    option64(m, 7, osdrop);
    block_close(m, mark);
}

/* A reader for the bytes, through a file that has no name. */
static inline struct sd_reader *read_bytes(const void *data, size_t len,
                                           const struct sd_reader_config *config)
{
    char path[64];
    int fd = memfd_create("image", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct sd_reader *r = NULL;
    struct sd_err e;
    assert_int_equal(sd_reader_open(&r, path, config, &e), 0);
    close(fd);
    return r;
}

static inline struct sd_reader *read_image(const struct image *m)
{
    return read_bytes(m->p, m->len, NULL);
}

static inline struct sd_frame expect_frame(struct sd_reader *r)
{
    struct sd_frame f = {0};
    if (sd_reader_next(r, &f) != SD_READER_FRAME)
        fail_msg("no frame: %s", sd_reader_reason(r));
    return f;
}

/* The end, with words of the reason, and the reader closed. */
static inline void expect_end(struct sd_reader *r, enum sd_reader_status status, const char *words)
{
    struct sd_frame f;
    assert_int_equal(sd_reader_next(r, &f), status);
    assert_int_equal(sd_reader_next(r, &f), status);
    if (!strstr(sd_reader_reason(r), words))
        fail_msg("\"%s\" is not in \"%s\"", words, sd_reader_reason(r));
    sd_reader_close(r);
}

#endif
