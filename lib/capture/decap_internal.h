/* Shared by the files that take a frame apart. Each function looks at one header and hands
 * what is behind it to the next one. */
#ifndef SD_CAPTURE_DECAP_INTERNAL_H
#define SD_CAPTURE_DECAP_INTERNAL_H

#include "capture/carrier.h"
#include "capture/decap.h"
#include "capture/ipfrag.h"

/* Ethernet and IP headers in one frame; a tunnel in a tunnel in a tunnel has 6 or 7. */
enum { SD_NESTING_MAX = 8 };

enum sd_ethertype {
    SD_ETHERTYPE_IPV4 = 0x0800,
    SD_ETHERTYPE_TEB = 0x6558, /* transparent Ethernet bridging (RFC 1701, RFC 7637) */
    SD_ETHERTYPE_VLAN = 0x8100,
    SD_ETHERTYPE_IPV6 = 0x86dd,
    SD_ETHERTYPE_PPP = 0x880b,
    SD_ETHERTYPE_MPLS = 0x8847,
    SD_ETHERTYPE_MPLS_UPSTREAM = 0x8848,
    SD_ETHERTYPE_PPPOE = 0x8864,
    SD_ETHERTYPE_QINQ = 0x88a8,
    SD_ETHERTYPE_QINQ_OLD = 0x9100
};

/* What a frame turned out to hold, innermost. */
enum sd_fate {
    SD_FATE_NONE, /* of a UDP payload: no tunnel */
    SD_FATE_DATAGRAM,
    SD_FATE_ICMP,
    SD_FATE_FRAGMENT,
    SD_FATE_OTHER,
    SD_FATE_MALFORMED,
    SD_FATES
};

struct sd_decap {
    struct sd_decap_config config;
    uint64_t frames;
    uint64_t fates[SD_FATES];
    struct sd_ipfrag *frag;
    struct sd_carriers *carriers;
};

/* The way into one frame. */
struct sd_walk {
    struct sd_decap *d;
    const struct sd_frame *frame;
    unsigned depth;
    uint16_t fragments; /* of the outermost fragmented packet on the way; 0 = none */
};

/* What is still to be looked into. */
struct sd_part {
    struct sd_rd rd;
    size_t missing; /* bytes that were sent behind it and not captured */
};

/* What the innermost IP header says. */
struct sd_ip {
    struct sd_addr src, dst; /* ports 0 */
    size_t length;           /* with the header, as sent */
    uint8_t ttl;
    bool df;
};

static inline uint16_t sd_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline size_t sd_part_sent(const struct sd_part *p)
{
    return sd_rd_left(&p->rd) + p->missing;
}

/* Ends the part after `sent` bytes, as a length field says: padding goes, and what such a
 * field promises beyond the captured bytes is missing. */
static inline void sd_part_end(struct sd_part *p, size_t sent)
{
    size_t left = sd_rd_left(&p->rd);
    p->missing = sent > left ? sent - left : 0;
    if (sent < left)
        p->rd = sd_rd_init(p->rd.p, sent);
}

/* link.c */
enum sd_fate sd_decap_link(struct sd_walk *w, uint16_t linktype, struct sd_part *p);
enum sd_fate sd_decap_ethernet(struct sd_walk *w, struct sd_part *p);
enum sd_fate sd_decap_ethertype(struct sd_walk *w, uint16_t type, struct sd_part *p);
enum sd_fate sd_decap_ppp(struct sd_walk *w, struct sd_part *p);
/* ip.c */
enum sd_fate sd_decap_ip(struct sd_walk *w, struct sd_part *p); /* the version tells which */
struct sd_addr sd_ip_addr4(const uint8_t *bytes);
struct sd_addr sd_ip_addr6(const uint8_t *bytes);
/* tunnel.c */
enum sd_fate sd_decap_gre(struct sd_walk *w, struct sd_part *p);
/* SD_FATE_NONE when the datagram to this port is no tunnel; *p is untouched then. */
enum sd_fate sd_decap_udp_tunnel(struct sd_walk *w, uint16_t port, struct sd_part *p);
/* udp.c */
enum sd_fate sd_decap_udp(struct sd_walk *w, const struct sd_ip *ip, struct sd_part *p);
/* icmp.c */
enum sd_fate sd_decap_icmp4(struct sd_walk *w, const struct sd_ip *ip, struct sd_part *p);
enum sd_fate sd_decap_icmp6(struct sd_walk *w, const struct sd_ip *ip, struct sd_part *p);

/* The protocol numbers of IP. */
enum sd_protocol {
    SD_PROTOCOL_HOP_BY_HOP = 0,
    SD_PROTOCOL_ICMP = 1,
    SD_PROTOCOL_IPV4 = 4,
    SD_PROTOCOL_UDP = 17,
    SD_PROTOCOL_IPV6 = 41,
    SD_PROTOCOL_ROUTING = 43,
    SD_PROTOCOL_FRAGMENT = 44,
    SD_PROTOCOL_GRE = 47,
    SD_PROTOCOL_AH = 51,
    SD_PROTOCOL_ICMP6 = 58,
    SD_PROTOCOL_OPTIONS = 60,
    SD_PROTOCOL_MOBILITY = 135,
    SD_PROTOCOL_HIP = 139,
    SD_PROTOCOL_SHIM6 = 140
};

/* Takes one extension header off (RFC 8200 section 4; not the fragment header) and makes
 * *protocol the next one. False when *protocol is none, or it is not whole. */
bool sd_ip_extension(struct sd_rd *r, uint8_t *protocol);

#endif
