/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"

#include <string.h>

struct sd_wr sd_wr_init(void *buf, size_t cap)
{
    uint8_t *p = buf;
    return (struct sd_wr){.start = p, .p = p, .end = cap ? p + cap : p};
}

/* The next n bytes, for the caller to write; NULL: nothing is to be written. */
static uint8_t *claim_bytes(struct sd_wr *w, size_t n)
{
    if (w->bad || n > (size_t)(w->end - w->p)) {
        w->bad = true;
        return NULL;
    }
    if (!n)
        return NULL;
    uint8_t *to = w->p;
    w->p += n;
    return to;
}

void sd_wr_bytes(struct sd_wr *w, const void *data, size_t n)
{
    uint8_t *to = claim_bytes(w, n);
    if (to)
        memcpy(to, data, n);
}

static void put_uint(uint8_t *to, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static void wr_uint(struct sd_wr *w, uint64_t v, size_t n)
{
    uint8_t *to = claim_bytes(w, n);
    if (to)
        put_uint(to, v, n);
}

void sd_wr_u8(struct sd_wr *w, uint8_t v)
{
    wr_uint(w, v, 1);
}

void sd_wr_u16(struct sd_wr *w, uint16_t v)
{
    wr_uint(w, v, 2);
}

void sd_wr_u24(struct sd_wr *w, uint32_t v)
{
    wr_uint(w, v, 3);
}

void sd_wr_u32(struct sd_wr *w, uint32_t v)
{
    wr_uint(w, v, 4);
}

void sd_wr_u48(struct sd_wr *w, uint64_t v)
{
    wr_uint(w, v, 6);
}

size_t sd_wr_open(struct sd_wr *w, unsigned width)
{
    wr_uint(w, 0, width);
    return (size_t)(w->p - w->start);
}

void sd_wr_close(struct sd_wr *w, size_t mark, unsigned width)
{
    if (w->bad)
        return;
    size_t body = (size_t)(w->p - w->start) - mark;
    if (body >> 8 * width) {
        w->bad = true;
        return;
    }
    put_uint(w->start + mark - width, body, width);
}
