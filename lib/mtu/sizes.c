#include "mtu/sizes.h"

enum { HEADERS_V4 = 20 + 8, HEADERS_V6 = 40 + 8 };

static const struct sd_mtu_size sizes[] = {
    {576, "what every IPv4 host must take (RFC 791)"},
    {1260, "IPv4 packet with 1232 bytes of UDP payload"},
    {1280, "the minimum of IPv6 (RFC 8200)"},
    {1350, "tunnels with a cautious margin"},
    {1380, "IPsec ESP in a tunnel"},
    {1390, "mobile networks: GTP with a margin"},
    {1400, "VPN set by hand"},
    {1420, "WireGuard: 80 bytes around an IPv6 carrier"},
    {1440, "WireGuard over IPv4, without the IPv6 margin"},
    {1450, "VXLAN over IPv4: 50 bytes"},
    {1454, "PPPoE behind an L2TP wholesale network"},
    {1460, "L2TP over IPv4: 40 bytes"},
    {1476, "GRE over IPv4: 24 bytes"},
    {1480, "IPIP or 6in4: 20 bytes"},
    {1492, "PPPoE: 8 bytes"},
    {1500, "Ethernet"},
    {9000, "Ethernet with jumbo frames"},
    {65535, "loopback: the largest IP packet"},
};

enum { COUNT = sizeof sizes / sizeof *sizes };

const struct sd_mtu_size *sd_mtu_sizes(size_t *n)
{
    *n = COUNT;
    return sizes;
}

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
