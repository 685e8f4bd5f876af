/* SPDX-License-Identifier: MIT */
/* What ip.c and icmp.c both read in IP headers. */
#include <string.h>

#include "capture/internal.h"

struct sd_addr sd_ip_addr4(const uint8_t *bytes)
{
    struct sd_addr a = {.in = {.sin_family = AF_INET}};
    memcpy(&a.in.sin_addr, bytes, sizeof a.in.sin_addr);
    return a;
}

struct sd_addr sd_ip_addr6(const uint8_t *bytes)
{
    struct sd_addr a = {.in6 = {.sin6_family = AF_INET6}};
    memcpy(&a.in6.sin6_addr, bytes, sizeof a.in6.sin6_addr);
    return a;
}

/* The authentication header counts in 4 bytes, the others in 8 (RFC 4302 section 2.2). */
bool sd_ip_extension(struct sd_rd *r, uint8_t *protocol)
{
    size_t unit;
    switch (*protocol) {
    case SD_PROTOCOL_HOP_BY_HOP:
    case SD_PROTOCOL_ROUTING:
    case SD_PROTOCOL_OPTIONS:
    case SD_PROTOCOL_MOBILITY:
    case SD_PROTOCOL_HIP:
    case SD_PROTOCOL_SHIM6:
        unit = 8;
        break;
    case SD_PROTOCOL_AH:
        unit = 4;
        break;
    default:
        return false;
    }
    uint8_t next = sd_rd_u8(r);
    size_t length = sd_rd_u8(r);
    sd_rd_bytes(r, (unit == 8 ? 8 + 8 * length : 8 + 4 * length) - 2);
    if (r->bad)
        return false;
    *protocol = next;
    return true;
}
