/* SPDX-License-Identifier: MIT */
/* IPv4, IPv6 and its extension headers, and fragments of both. */
#include "capture/internal.h"

#include <stdlib.h>
#include <string.h>

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, EXTENSIONS_MAX = 16 };
enum { DONT_FRAGMENT = 0x4000, MORE_FRAGMENTS = 0x2000, OFFSET = 0x1fff };

static enum sd_fate take_protocol(struct sd_walk *w, struct sd_ip *ip, uint8_t protocol,
                                  struct sd_unread *p);

static enum sd_fate take_fragment(struct sd_walk *w, struct sd_ip *ip, struct sd_fragment *f,
                                  size_t header, struct sd_unread *p)
{
    f->src = ip->src;
    f->dst = ip->dst;
    f->length = (uint32_t)sd_unread_sent(p);
    f->data = sd_rd_rest(&p->rd);
    f->number = w->frame->number;
    f->time = w->frame->time;
    struct sd_whole whole;
    if (!sd_ipfrag_add(w->d->frag, f, &whole))
        return SD_FATE_FRAGMENT;
    if (!w->fragments)
        w->fragments = whole.fragments;
    ip->length = header + whole.length;
    struct sd_unread all = {.rd = sd_rd_init(whole.data, whole.len),
                            .missing = whole.length - whole.len};
    enum sd_fate fate = take_protocol(w, ip, f->protocol, &all);
    free(whole.data);
    return fate;
}

/* RFC 8200 section 4.5. A fragment that is the whole packet is no fragment (RFC 6946). */
static enum sd_fate take_fragment_header(struct sd_walk *w, struct sd_ip *ip, struct sd_unread *p)
{
    size_t header = ip->length - sd_unread_sent(p);
    struct sd_span h = sd_rd_bytes(&p->rd, 8);
    if (!h.len)
        return SD_FATE_MALFORMED;
    uint16_t place = sd_be16(h.p + 2);
    struct sd_fragment f = {.id = (uint32_t)sd_be16(h.p + 4) << 16 | sd_be16(h.p + 6),
                            .protocol = h.p[0],
                            .more = place & 1,
                            .offset = place & 0xfff8};
    if (!f.more && !f.offset)
        return take_protocol(w, ip, f.protocol, p);
    return take_fragment(w, ip, &f, header, p);
}

static enum sd_fate take_protocol(struct sd_walk *w, struct sd_ip *ip, uint8_t protocol,
                                  struct sd_unread *p)
{
    bool six = ip->src.sa.sa_family == AF_INET6;
    if (protocol == SD_PROTOCOL_UDP)
        return sd_decap_udp(w, ip, p);
    for (unsigned i = 0; i < EXTENSIONS_MAX && sd_ip_extension(&p->rd, &protocol); i++)
        ;
    if (p->rd.bad)
        return SD_FATE_MALFORMED;
    switch (protocol) {
    case SD_PROTOCOL_UDP:
        return sd_decap_udp(w, ip, p);
    case SD_PROTOCOL_TCP:
        return sd_decap_tcp(w, ip, p);
    case SD_PROTOCOL_ICMP:
        return six ? SD_FATE_OTHER : sd_decap_icmp4(w, ip, p);
    case SD_PROTOCOL_ICMP6:
        return six ? sd_decap_icmp6(w, ip, p) : SD_FATE_OTHER;
    case SD_PROTOCOL_IPV4:
    case SD_PROTOCOL_IPV6:
        return sd_decap_ip(w, p);
    case SD_PROTOCOL_GRE:
        return sd_decap_gre(w, p);
    case SD_PROTOCOL_FRAGMENT:
        return six ? take_fragment_header(w, ip, p) : SD_FATE_OTHER;
    default:
        return SD_FATE_OTHER;
    }
}

/* The total length is 0 when a network card is to cut the packet into several. */
static enum sd_fate take_ipv4(struct sd_walk *w, struct sd_unread *p)
{
    size_t sent = sd_unread_sent(p);
    struct sd_span h = sd_rd_bytes(&p->rd, IPV4_HEADER);
    if (!h.len)
        return SD_FATE_MALFORMED;
    size_t header = 4 * (size_t)(h.p[0] & 15), total = sd_be16(h.p + 2);
    uint16_t place = sd_be16(h.p + 6);
    struct sd_ip ip = {.src = sd_ip_addr4(h.p + 12),
                       .dst = sd_ip_addr4(h.p + 16),
                       .length = total ? total : sent,
                       .ttl = h.p[8],
                       .df = place & DONT_FRAGMENT};
    if (header < IPV4_HEADER || ip.length < header)
        return SD_FATE_MALFORMED;
    if (header > IPV4_HEADER)
        sd_rd_bytes(&p->rd, header - IPV4_HEADER);
    if (p->rd.bad)
        return SD_FATE_MALFORMED;
    sd_unread_end(p, ip.length - header);
    if (!(place & (MORE_FRAGMENTS | OFFSET)))
        return take_protocol(w, &ip, h.p[9], p);
    struct sd_fragment f = {.id = sd_be16(h.p + 4),
                            .protocol = h.p[9],
                            .more = place & MORE_FRAGMENTS,
                            .offset = 8 * (uint32_t)(place & OFFSET)};
    return take_fragment(w, &ip, &f, header, p);
}

/* The payload length is 0 in a jumbogram (RFC 2675), or when a network card is to set it. */
static enum sd_fate take_ipv6(struct sd_walk *w, struct sd_unread *p)
{
    struct sd_span h = sd_rd_bytes(&p->rd, IPV6_HEADER);
    if (!h.len)
        return SD_FATE_MALFORMED;
    size_t payload = sd_be16(h.p + 4);
    if (payload)
        sd_unread_end(p, payload);
    struct sd_ip ip = {.src = sd_ip_addr6(h.p + 8),
                       .dst = sd_ip_addr6(h.p + 24),
                       .length = IPV6_HEADER + sd_unread_sent(p),
                       .ttl = h.p[7],
                       .df = true};
    return take_protocol(w, &ip, h.p[6], p);
}

enum sd_fate sd_decap_ip(struct sd_walk *w, struct sd_unread *p)
{
    struct sd_rd peek = p->rd;
    uint8_t version = sd_rd_u8(&peek) >> 4;
    if (++w->depth > SD_NESTING_MAX)
        return SD_FATE_MALFORMED;
    if (version == 4)
        return take_ipv4(w, p);
    if (version == 6)
        return take_ipv6(w, p);
    return SD_FATE_MALFORMED;
}
