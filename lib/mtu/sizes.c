/* SPDX-License-Identifier: MIT */
#include "mtu/sizes.h"

#include <stddef.h>

enum { HEADERS_V4 = 20 + 8, HEADERS_V6 = 40 + 8 };

static const struct {
    unsigned size;
    const char *reason;
} sizes[] = {
    {576, "the smallest packet every IPv4 host accepts (RFC 791)"},
    {1260, "UDP payload of 1232 bytes over IPv4"},
    {1280, "the minimum MTU of IPv6 (RFC 8200)"},
    {1350, "tunnel with a cautious margin"},
    {1380, "IPsec ESP tunnel"},
    {1390, "mobile network: GTP with a margin"},
    {1400, "VPN with an MTU set by hand"},
    {1420, "WireGuard over IPv6: 80 bytes of overhead"},
    {1440, "WireGuard over IPv4: 60 bytes of overhead"},
    {1450, "VXLAN over IPv4: 50 bytes of overhead"},
    {1454, "PPPoE over an L2TP wholesale network"},
    {1460, "L2TP over IPv4: 40 bytes of overhead"},
    {1476, "GRE over IPv4: 24 bytes of overhead"},
    {1480, "IPIP or 6in4: 20 bytes of overhead"},
    {1492, "PPPoE: 8 bytes of overhead"},
    {1500, "Ethernet"},
    {9000, "Ethernet with jumbo frames"},
    {65535, "loopback: the largest IP packet"},
};

enum { COUNT = sizeof sizes / sizeof *sizes };

const char *sd_mtu_reason(unsigned size)
{
    for (size_t i = 0; i < COUNT; i++)
        if (sizes[i].size == size)
            return sizes[i].reason;
    return NULL;
}

unsigned sd_mtu_likely(unsigned low, unsigned high)
{
    unsigned best = 0, best_off = 0, middle = low + (high - low) / 2;
    for (size_t i = 0; i < COUNT; i++) {
        unsigned s = sizes[i].size, off = s > middle ? s - middle : middle - s;
        if (s >= low && s <= high && (!best || off < best_off)) {
            best = s;
            best_off = off;
        }
    }
    return best;
}

unsigned sd_mtu_payload(unsigned packet, bool ipv6)
{
    unsigned headers = ipv6 ? HEADERS_V6 : HEADERS_V4;
    return packet > headers ? packet - headers : 0;
}

unsigned sd_mtu_packet(unsigned payload, bool ipv6)
{
    return payload + (ipv6 ? HEADERS_V6 : HEADERS_V4);
}
