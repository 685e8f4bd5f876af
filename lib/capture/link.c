/* SPDX-License-Identifier: MIT */
/* Link types (https://www.tcpdump.org/linktypes.html) and ethertypes. */
#include "capture/internal.h"

enum linktype {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_PPP_HDLC = 50,
    LINK_PPP_ETHER = 51,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_SLL2 = 276
};

enum { MAC = 6, ETHERNET_LENGTH_MAX = 1500, TAGS_MAX = 8 };

/* IEEE 802.2 LLC and SNAP in front of an ethertype (RFC 1042). */
static enum sd_fate take_snap(struct sd_walk *w, size_t length, struct sd_unread *p)
{
    sd_unread_end(p, length);
    uint64_t snap = sd_rd_u48(&p->rd);
    uint16_t type = sd_rd_u16(&p->rd);
    if (snap != UINT64_C(0xaaaa03000000) || p->rd.bad)
        return SD_FATE_OTHER;
    return sd_decap_ethertype(w, type, p);
}

enum sd_fate sd_decap_ethernet(struct sd_walk *w, struct sd_unread *p)
{
    struct sd_span h = sd_rd_bytes(&p->rd, 2 * MAC + 2);
    if (!h.len)
        return SD_FATE_MALFORMED;
    if (++w->depth > SD_NESTING_MAX)
        return SD_FATE_MALFORMED;
    uint16_t type = sd_be16(h.p + 2 * (size_t)MAC);
    if (type <= ETHERNET_LENGTH_MAX)
        return take_snap(w, type, p);
    return sd_decap_ethertype(w, type, p);
}

/* The protocol field may be one byte when both ends agreed on it (RFC 1661 section 6.5):
 * only its last byte is odd. */
static enum sd_fate take_ppp(struct sd_walk *w, struct sd_unread *p)
{
    uint16_t protocol = sd_rd_u8(&p->rd);
    if (!(protocol & 1))
        protocol = (uint16_t)(protocol << 8 | sd_rd_u8(&p->rd));
    if (p->rd.bad)
        return SD_FATE_MALFORMED;
    switch (protocol) {
    case 0x0021:
    case 0x0057:
        return sd_decap_ip(w, p);
    case 0x0281:
        return sd_decap_ethertype(w, SD_ETHERTYPE_MPLS, p);
    default:
        return SD_FATE_OTHER;
    }
}

/* RFC 2516 section 4; code 0 is the session stage. */
static enum sd_fate take_pppoe(struct sd_walk *w, struct sd_unread *p)
{
    struct sd_span h = sd_rd_bytes(&p->rd, 6);
    if (!h.len)
        return SD_FATE_MALFORMED;
    if (h.p[0] != 0x11 || h.p[1] != 0)
        return SD_FATE_OTHER;
    sd_unread_end(p, sd_be16(h.p + 4));
    return take_ppp(w, p);
}

/* The labels do not say what follows them. An IP header begins with its version. An Ethernet
 * frame comes with or without a control word, whose first two bytes are 0 (RFC 4448 section
 * 4.6); hardly any address begins like that. */
static enum sd_fate take_mpls(struct sd_walk *w, struct sd_unread *p)
{
    struct sd_span label;
    do
        label = sd_rd_bytes(&p->rd, 4);
    while (label.len && !(label.p[2] & 1));
    struct sd_rd peek = p->rd;
    uint16_t begin = sd_rd_u16(&peek);
    if (peek.bad)
        return SD_FATE_MALFORMED;
    if (begin >> 12 == 4 || begin >> 12 == 6)
        return sd_decap_ip(w, p);
    if (begin == 0)
        sd_rd_u32(&p->rd);
    return sd_decap_ethernet(w, p);
}

enum sd_fate sd_decap_ethertype(struct sd_walk *w, uint16_t type, struct sd_unread *p)
{
    for (unsigned tags = 0; tags < TAGS_MAX; tags++) {
        switch (type) {
        case SD_ETHERTYPE_IPV4:
        case SD_ETHERTYPE_IPV6:
            return sd_decap_ip(w, p);
        case SD_ETHERTYPE_VLAN:
        case SD_ETHERTYPE_QINQ:
        case SD_ETHERTYPE_QINQ_OLD:
            sd_rd_u16(&p->rd);
            type = sd_rd_u16(&p->rd);
            continue;
        case SD_ETHERTYPE_PPPOE:
            return take_pppoe(w, p);
        case SD_ETHERTYPE_PPP:
            return take_ppp(w, p);
        case SD_ETHERTYPE_MPLS:
        case SD_ETHERTYPE_MPLS_UPSTREAM:
            return take_mpls(w, p);
        case SD_ETHERTYPE_TEB:
            return sd_decap_ethernet(w, p);
        default:
            return SD_FATE_OTHER;
        }
    }
    return SD_FATE_MALFORMED;
}

/* AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on
 * FreeBSD and 30 on macOS. */
static bool is_ip_family(uint32_t family)
{
    return family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
}

/* The family is in the byte order of the capturing machine (NULL), or in that of the
 * network (LOOP); either way only one of both readings is small. */
static enum sd_fate take_loopback(struct sd_walk *w, struct sd_unread *p)
{
    uint32_t family = sd_rd_u32(&p->rd);
    if (p->rd.bad)
        return SD_FATE_MALFORMED;
    if (!is_ip_family(family) && !is_ip_family(__builtin_bswap32(family)))
        return SD_FATE_OTHER;
    return sd_decap_ip(w, p);
}

/* Address and control field of RFC 1662, Cisco's HDLC with an ethertype, or neither. */
static enum sd_fate take_ppp_link(struct sd_walk *w, struct sd_unread *p)
{
    struct sd_rd peek = p->rd;
    uint16_t begin = sd_rd_u16(&peek);
    if (begin == 0xff03)
        p->rd = peek;
    if (begin != 0x0f00 && begin != 0x8f00)
        return take_ppp(w, p);
    uint16_t type = sd_rd_u16(&peek);
    p->rd = peek;
    return sd_decap_ethertype(w, type, p);
}

static enum sd_fate take_cooked(struct sd_walk *w, size_t header, size_t protocol,
                                struct sd_unread *p)
{
    struct sd_span h = sd_rd_bytes(&p->rd, header);
    if (!h.len)
        return SD_FATE_MALFORMED;
    return sd_decap_ethertype(w, sd_be16(h.p + protocol), p);
}

enum sd_fate sd_decap_link(struct sd_walk *w, uint16_t linktype, struct sd_unread *p)
{
    switch (linktype) {
    case LINK_ETHERNET:
        return sd_decap_ethernet(w, p);
    case LINK_SLL:
        return take_cooked(w, 16, 14, p);
    case LINK_SLL2:
        return take_cooked(w, 20, 0, p);
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_IPV4:
    case LINK_IPV6:
        return sd_decap_ip(w, p);
    case LINK_NULL:
    case LINK_LOOP:
        return take_loopback(w, p);
    case LINK_PPP:
    case LINK_PPP_HDLC:
        return take_ppp_link(w, p);
    case LINK_PPP_ETHER:
        return take_pppoe(w, p);
    default:
        return SD_FATE_OTHER;
    }
}
