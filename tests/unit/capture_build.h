/* SPDX-License-Identifier: MIT */
/* Frames built from the inside out: the payload first, then each header in front. */
#ifndef CAPTURE_BUILD_H
#define CAPTURE_BUILD_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cursor.h"

enum { BUILD_MAX = 4096 };

struct build {
    uint8_t bytes[BUILD_MAX];
    size_t at;
};

static inline void build_start(struct build *b)
{
    b->at = BUILD_MAX;
}

static inline const uint8_t *build_bytes(const struct build *b)
{
    return b->bytes + b->at;
}

static inline uint16_t build_len(const struct build *b)
{
    return (uint16_t)(BUILD_MAX - b->at);
}

static inline void put(struct build *b, const void *bytes, size_t n)
{
    if (n > b->at)
        abort();
    b->at -= n;
    memcpy(b->bytes + b->at, bytes, n);
}

static inline void put8(struct build *b, uint8_t v)
{
    put(b, &v, 1);
}

static inline void put16(struct build *b, uint16_t v)
{
    put8(b, (uint8_t)v);
    put8(b, (uint8_t)(v >> 8));
}

static inline void put32(struct build *b, uint32_t v)
{
    put16(b, (uint16_t)v);
    put16(b, (uint16_t)(v >> 16));
}

static inline void put_zeros(struct build *b, size_t n)
{
    while (n--)
        put8(b, 0);
}

/* A DTLS 1.2 record with a HelloRequest of no body: 25 bytes. */
static const uint8_t a_record[] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 7, 0, 12,
                                   0,  0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0};

static inline void put_udp(struct build *b, uint16_t from, uint16_t to)
{
    uint16_t length = (uint16_t)(build_len(b) + 8);
    put16(b, 0xdead); /* no checksum is looked at */
    put16(b, length);
    put16(b, to);
    put16(b, from);
}

static const uint8_t v4_src[] = {192, 0, 2, 1}, v4_dst[] = {198, 51, 100, 2};
static const uint8_t v6_src[] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const uint8_t v6_dst[] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

struct v4 {
    uint8_t protocol, options; /* options: in 4 bytes */
    uint16_t place, id;        /* place: flags and offset of fragments */
    bool no_length;
};

static inline void put_v4(struct build *b, struct v4 h)
{
    uint16_t length = (uint16_t)(build_len(b) + 20 + 4 * h.options);
    put_zeros(b, 4 * (size_t)h.options);
    put(b, v4_dst, 4);
    put(b, v4_src, 4);
    put16(b, 0);
    put8(b, h.protocol);
    put8(b, 61);
    put16(b, h.place);
    put16(b, h.id);
    put16(b, h.no_length ? 0 : length);
    put8(b, 0);
    put8(b, (uint8_t)(0x45 + h.options));
}

static inline void put_v6(struct build *b, uint8_t next)
{
    uint16_t length = build_len(b);
    put(b, v6_dst, 16);
    put(b, v6_src, 16);
    put8(b, 62);
    put8(b, next);
    put16(b, length);
    put32(b, 0x60000000);
}

/* An extension header of IPv6, of 8 bytes and `more` times 8. */
static inline void put_extension(struct build *b, uint8_t next, uint8_t more)
{
    put_zeros(b, 6 + 8 * (size_t)more);
    put8(b, more);
    put8(b, next);
}

static inline void put_v6_fragment(struct build *b, uint8_t next, uint16_t place, uint32_t id)
{
    put32(b, id);
    put16(b, place);
    put8(b, 0);
    put8(b, next);
}

static inline void put_ethernet(struct build *b, uint16_t type)
{
    put16(b, type);
    put(b, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
}

static inline void put_tag(struct build *b, uint16_t type)
{
    put16(b, type);
    put16(b, 100);
}

static inline void put_pppoe(struct build *b)
{
    put16(b, 0x0021);
    uint16_t length = build_len(b);
    put16(b, length);
    put16(b, 0x1234);
    put16(b, 0x1100);
}

/* The records, in UDP. */
static inline void build_udp(struct build *b)
{
    build_start(b);
    put(b, a_record, sizeof a_record);
    put_udp(b, 40000, 4433);
}

/* A reader that stops where the bytes do: a copy on the heap. */
static inline uint8_t *heap_copy(const void *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    if (len)
        memcpy(copy, data, len);
    return copy;
}

#endif
