/* SPDX-License-Identifier: MIT */
/* ICMP errors, and the UDP datagrams they quote. */
#include "capture/internal.h"

enum { ICMP_HEADER = 8, UDP_HEADER = 8, EXTENSIONS_MAX = 16 };
enum { UNREACHABLE = 3, TIME_EXCEEDED = 11, FRAGMENTATION_NEEDED = 4 };
enum { UNREACHABLE6 = 1, TOO_BIG6 = 2, TIME_EXCEEDED6 = 3 };

/* Ends the quoted packet where extensions follow it (RFC 4884 section 4). `words`: the length of
 * the quote; 0 = the quote fills the message. */
static void end_quote(struct sd_unread *p, size_t words, size_t word)
{
    if (words && words * word < sd_unread_sent(p))
        sd_unread_end(p, words * word);
}

static enum sd_fate report_icmp(struct sd_walk *w, struct sd_icmp *e, struct sd_rd *r)
{
    uint16_t from = sd_rd_u16(r), to = sd_rd_u16(r);
    if (r->bad)
        return SD_FATE_MALFORMED;
    sd_addr_set_port(&e->src, from);
    sd_addr_set_port(&e->dst, to);
    uint16_t length = sd_rd_u16(r);
    sd_rd_u16(r); /* RFC 792 wants no more than these 8 bytes */
    if (!r->bad)
        e->quoted = sd_rd_rest(r);
    if (e->quoted.len && length >= UDP_HEADER) {
        struct sd_datagram d = {.src = e->src,
                                .dst = e->dst,
                                .payload = e->quoted,
                                .length = (uint32_t)length - UDP_HEADER};
        if (d.length >= d.payload.len)
            e->lane = sd_carriers_lane(w->d->carriers, &d);
    }
    if (w->d->config.sink.icmp)
        w->d->config.sink.icmp(w->d->config.sink.arg, e);
    return SD_FATE_ICMP;
}

/* Cuts off what routers append to the packet that they quote. */
static void end_packet(struct sd_rd *r, size_t length)
{
    if (length < sd_rd_left(r))
        *r = sd_rd_init(r->p, length);
}

static enum sd_fate quote4(struct sd_walk *w, struct sd_icmp *e, struct sd_rd *r)
{
    struct sd_span h = sd_rd_bytes(r, 20);
    size_t header = h.len ? 4 * (size_t)(h.p[0] & 15) : 0;
    if (header < 20 || h.p[0] >> 4 != 4)
        return SD_FATE_MALFORMED;
    e->quoted_length = sd_be16(h.p + 2);
    if (h.p[9] != SD_PROTOCOL_UDP || sd_be16(h.p + 6) & 0x1fff)
        return SD_FATE_OTHER; /* a later fragment has no ports */
    sd_rd_bytes(r, header - 20);
    if (e->quoted_length > header)
        end_packet(r, e->quoted_length - header);
    e->src = sd_ip_addr4(h.p + 12);
    e->dst = sd_ip_addr4(h.p + 16);
    return report_icmp(w, e, r);
}

/* The quoted packet may be a first fragment, and have other headers before UDP. */
static bool skip_to_udp(struct sd_rd *r, uint8_t protocol)
{
    for (unsigned i = 0; i < EXTENSIONS_MAX && protocol != SD_PROTOCOL_UDP; i++) {
        if (protocol == SD_PROTOCOL_FRAGMENT) {
            protocol = sd_rd_u8(r);
            sd_rd_u8(r);
            uint16_t offset = sd_rd_u16(r) & 0xfff8;
            sd_rd_u32(r);
            if (r->bad || offset)
                return false;
        } else if (!sd_ip_extension(r, &protocol)) {
            return false;
        }
    }
    return protocol == SD_PROTOCOL_UDP;
}

static enum sd_fate quote6(struct sd_walk *w, struct sd_icmp *e, struct sd_rd *r)
{
    struct sd_span h = sd_rd_bytes(r, 40);
    if (!h.len || h.p[0] >> 4 != 6)
        return SD_FATE_MALFORMED;
    e->quoted_length = 40U + sd_be16(h.p + 4);
    end_packet(r, sd_be16(h.p + 4));
    if (!skip_to_udp(r, h.p[6]))
        return r->bad ? SD_FATE_MALFORMED : SD_FATE_OTHER;
    e->src = sd_ip_addr6(h.p + 8);
    e->dst = sd_ip_addr6(h.p + 24);
    return report_icmp(w, e, r);
}

static struct sd_icmp icmp_error(const struct sd_walk *w, const struct sd_ip *ip, struct sd_span h)
{
    return (struct sd_icmp){.number = w->frame->number,
                            .time = w->frame->time,
                            .from = ip->src,
                            .type = h.p[0],
                            .code = h.p[1]};
}

enum sd_fate sd_decap_icmp4(struct sd_walk *w, const struct sd_ip *ip, struct sd_unread *p)
{
    struct sd_span h = sd_rd_bytes(&p->rd, ICMP_HEADER);
    if (!h.len)
        return SD_FATE_MALFORMED;
    struct sd_icmp e = icmp_error(w, ip, h);
    if (e.type != UNREACHABLE && e.type != TIME_EXCEEDED)
        return SD_FATE_OTHER;
    if (e.type == UNREACHABLE && e.code == FRAGMENTATION_NEEDED)
        e.mtu = sd_be16(h.p + 6);
    end_quote(p, h.p[5], 4);
    return quote4(w, &e, &p->rd);
}

enum sd_fate sd_decap_icmp6(struct sd_walk *w, const struct sd_ip *ip, struct sd_unread *p)
{
    struct sd_span h = sd_rd_bytes(&p->rd, ICMP_HEADER);
    if (!h.len)
        return SD_FATE_MALFORMED;
    struct sd_icmp e = icmp_error(w, ip, h);
    if (e.type < UNREACHABLE6 || e.type > TIME_EXCEEDED6)
        return SD_FATE_OTHER;
    if (e.type == TOO_BIG6)
        e.mtu = (uint32_t)sd_be16(h.p + 4) << 16 | sd_be16(h.p + 6);
    else
        end_quote(p, h.p[4], 8);
    return quote6(w, &e, &p->rd);
}
