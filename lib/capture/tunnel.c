/* SPDX-License-Identifier: MIT */
/* Packets in packets: GRE, VXLAN, GTP-U. */
#include "capture/internal.h"

enum { PORT_GTPU = 2152, PORT_VXLAN = 4789 };

/* Flags of RFC 2784, RFC 2890 and, with version 1, RFC 2637. */
enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACK = 0x0080,
    GRE_VERSION = 0x0007
};

enum sd_fate sd_decap_gre(struct sd_walk *w, struct sd_unread *p)
{
    uint16_t flags = sd_rd_u16(&p->rd), type = sd_rd_u16(&p->rd);
    if (flags & GRE_CHECKSUM)
        sd_rd_u32(&p->rd);
    if (flags & GRE_KEY)
        sd_rd_u32(&p->rd);
    if (flags & GRE_SEQUENCE)
        sd_rd_u32(&p->rd);
    if (flags & GRE_ACK && (flags & GRE_VERSION) == 1)
        sd_rd_u32(&p->rd);
    if (p->rd.bad)
        return SD_FATE_MALFORMED;
    if (flags & GRE_ROUTING || (flags & GRE_VERSION) > 1)
        return SD_FATE_OTHER;
    return sd_decap_ethertype(w, type, p);
}

/* RFC 7348 section 5: the flag I is always set. */
static enum sd_fate take_vxlan(struct sd_walk *w, struct sd_unread *p)
{
    struct sd_rd r = p->rd;
    struct sd_span h = sd_rd_bytes(&r, 8);
    if (!h.len || !(h.p[0] & 0x08) || h.p[7])
        return SD_FATE_NONE;
    p->rd = r;
    return sd_decap_ethernet(w, p);
}

enum {
    GTP_VERSION_1 = 0x30,
    GTP_VERSION = 0xf0,
    GTP_EXTENSION = 0x04,
    GTP_OPTIONAL = 0x07,
    GTP_GPDU = 255
};

/* 3GPP TS 29.281 section 5.2: each has its length, in units of 4 bytes, and the next type. */
static void skip_gtp_extensions(struct sd_rd *r, uint8_t next)
{
    while (next && !r->bad) {
        size_t length = 4 * (size_t)sd_rd_u8(r);
        r->bad = r->bad || !length;
        sd_rd_bytes(r, length - 2);
        next = sd_rd_u8(r);
    }
}

/* 3GPP TS 29.281 section 5.1. */
static enum sd_fate take_gtpu(struct sd_walk *w, struct sd_unread *p)
{
    struct sd_unread in = *p;
    struct sd_span h = sd_rd_bytes(&in.rd, 8);
    if (!h.len || (h.p[0] & GTP_VERSION) != GTP_VERSION_1 || h.p[1] != GTP_GPDU)
        return SD_FATE_NONE;
    size_t length = sd_be16(h.p + 2);
    if (length > sd_unread_sent(&in))
        return SD_FATE_NONE;
    sd_unread_end(&in, length);
    if (h.p[0] & GTP_OPTIONAL) {
        sd_rd_u24(&in.rd); /* sequence number, N-PDU number */
        uint8_t next = sd_rd_u8(&in.rd);
        if (h.p[0] & GTP_EXTENSION)
            skip_gtp_extensions(&in.rd, next);
    }
    if (in.rd.bad)
        return SD_FATE_NONE;
    *p = in;
    return sd_decap_ip(w, p);
}

enum sd_fate sd_decap_udp_tunnel(struct sd_walk *w, uint16_t port, struct sd_unread *p)
{
    if (port == PORT_VXLAN)
        return take_vxlan(w, p);
    if (port == PORT_GTPU)
        return take_gtpu(w, p);
    return SD_FATE_NONE;
}
