/* SPDX-License-Identifier: MIT */
/* Numbers of a capture file, in whatever byte order its writer's machine had. */
#ifndef SD_CAPTURE_ORDER_H
#define SD_CAPTURE_ORDER_H

#include "base/cursor.h"

static inline uint16_t sd_order_u16(struct sd_rd *r, bool big)
{
    struct sd_span s = sd_rd_bytes(r, 2);
    if (!s.len)
        return 0;
    return (uint16_t)(big ? s.p[0] << 8 | s.p[1] : s.p[1] << 8 | s.p[0]);
}

static inline uint32_t sd_order_u32(struct sd_rd *r, bool big)
{
    struct sd_span s = sd_rd_bytes(r, 4);
    if (!s.len)
        return 0;
    uint32_t little =
        s.p[0] | (uint32_t)s.p[1] << 8 | (uint32_t)s.p[2] << 16 | (uint32_t)s.p[3] << 24;
    return big ? __builtin_bswap32(little) : little;
}

static inline uint64_t sd_order_u64(struct sd_rd *r, bool big)
{
    uint64_t first = sd_order_u32(r, big), second = sd_order_u32(r, big);
    return big ? first << 32 | second : second << 32 | first;
}

#endif
