/* SPDX-License-Identifier: MIT */
/* Bounded reader and writer: the only way bytes from the network are touched.
 *
 * Both are sticky: the first access out of bounds sets `bad`, moves nothing
 * and makes every later access yield zero, so a parser reads a whole structure
 * and asks once, at the end, whether it was there. */
#ifndef SD_BASE_CURSOR_H
#define SD_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes; never owns, never NULL-checked by length 0. */
struct sd_span {
    const uint8_t *p;
    size_t len;
};

struct sd_rd {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct sd_rd sd_rd_init(const void *data, size_t len)
{
    const uint8_t *p = data;
    return (struct sd_rd){.p = p, .end = len ? p + len : p};
}

static inline size_t sd_rd_left(const struct sd_rd *r)
{
    return (size_t)(r->end - r->p);
}

/* n bytes, or an empty span and `bad`. */
static inline struct sd_span sd_rd_bytes(struct sd_rd *r, size_t n)
{
    if (r->bad || n > sd_rd_left(r)) {
        r->bad = true;
        return (struct sd_span){0};
    }
    struct sd_span s = {r->p, n};
    if (n)
        r->p += n;
    return s;
}

/* n bytes, at most 8, as a number in network order. In the header because the
 * gate's cost under a flood is mostly these. */
static inline uint64_t sd_rd_uint(struct sd_rd *r, size_t n)
{
    struct sd_span s = sd_rd_bytes(r, n);
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++)
        v = v << 8 | s.p[i];
    return v;
}

static inline uint8_t sd_rd_u8(struct sd_rd *r)
{
    return (uint8_t)sd_rd_uint(r, 1);
}

static inline uint16_t sd_rd_u16(struct sd_rd *r)
{
    return (uint16_t)sd_rd_uint(r, 2);
}

static inline uint32_t sd_rd_u24(struct sd_rd *r)
{
    return (uint32_t)sd_rd_uint(r, 3);
}

static inline uint32_t sd_rd_u32(struct sd_rd *r)
{
    return (uint32_t)sd_rd_uint(r, 4);
}

static inline uint64_t sd_rd_u48(struct sd_rd *r)
{
    return sd_rd_uint(r, 6);
}

/* What is left, without consuming it. */
static inline struct sd_span sd_rd_rest(const struct sd_rd *r)
{
    return (struct sd_span){r->p, r->bad ? 0 : sd_rd_left(r)};
}

/* A reader narrowed to the next n bytes; a failure makes both bad. */
static inline struct sd_rd sd_rd_sub(struct sd_rd *r, size_t n)
{
    struct sd_span s = sd_rd_bytes(r, n);
    struct sd_rd sub = sd_rd_init(s.p, s.len);
    sub.bad = r->bad;
    return sub;
}

/* Vectors of RFC 8446 section 3.4: a length of 1, 2 or 3 bytes, then the body. */
static inline struct sd_rd sd_rd_vec8(struct sd_rd *r)
{
    return sd_rd_sub(r, sd_rd_u8(r));
}

static inline struct sd_rd sd_rd_vec16(struct sd_rd *r)
{
    return sd_rd_sub(r, sd_rd_u16(r));
}

static inline struct sd_rd sd_rd_vec24(struct sd_rd *r)
{
    return sd_rd_sub(r, sd_rd_u24(r));
}

/* True when nothing failed and everything was consumed. */
static inline bool sd_rd_done(const struct sd_rd *r)
{
    return !r->bad && r->p == r->end;
}

struct sd_wr {
    uint8_t *start, *p, *end;
    bool bad;
};

struct sd_wr sd_wr_init(void *buf, size_t cap);
void sd_wr_u8(struct sd_wr *w, uint8_t v);
void sd_wr_u16(struct sd_wr *w, uint16_t v);
void sd_wr_u24(struct sd_wr *w, uint32_t v);
void sd_wr_u32(struct sd_wr *w, uint32_t v);
void sd_wr_u48(struct sd_wr *w, uint64_t v);
void sd_wr_bytes(struct sd_wr *w, const void *data, size_t n);
/* Opens a vector whose length field has `width` (1 to 3) bytes and returns its
 * mark; closing writes the length, and fails when it does not fit the field. */
size_t sd_wr_open(struct sd_wr *w, unsigned width);
void sd_wr_close(struct sd_wr *w, size_t mark, unsigned width);

/* Bytes written so far; 0 once anything failed. */
static inline size_t sd_wr_len(const struct sd_wr *w)
{
    return w->bad ? 0 : (size_t)(w->p - w->start);
}

#endif
