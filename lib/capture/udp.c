/* SPDX-License-Identifier: MIT */
#include "capture/internal.h"

enum { UDP_HEADER = 8 };

/* The length is 0 when it does not fit (RFC 2675 section 4), or when a network card is to set it.
 * Less than the IP payload: options follow (RFC 9868). More: every receiver drops it. */
enum sd_fate sd_decap_udp(struct sd_walk *w, const struct sd_ip *ip, struct sd_unread *p)
{
    size_t sent = sd_unread_sent(p);
    struct sd_span h = sd_rd_bytes(&p->rd, UDP_HEADER);
    if (!h.len)
        return SD_FATE_MALFORMED;
    uint16_t to = sd_be16(h.p + 2), length = sd_be16(h.p + 4);
    if (length && (length < UDP_HEADER || length > sent))
        return SD_FATE_MALFORMED;
    if (length)
        sd_unread_end(p, length - (size_t)UDP_HEADER);
    enum sd_fate tunnel = sd_decap_udp_tunnel(w, to, p);
    if (tunnel != SD_FATE_NONE)
        return tunnel;
    struct sd_datagram d = {.number = w->frame->number,
                            .time = w->frame->time,
                            .src = ip->src,
                            .dst = ip->dst,
                            .payload = sd_rd_rest(&p->rd),
                            .length = (uint32_t)sd_unread_sent(p),
                            .ip_length = (uint32_t)ip->length,
                            .fragments = w->fragments,
                            .ttl = ip->ttl,
                            .df = ip->df,
                            .interface = w->frame->interface};
    sd_addr_set_port(&d.src, sd_be16(h.p));
    sd_addr_set_port(&d.dst, to);
    sd_decap_emit(w->d, &d);
    return SD_FATE_DATAGRAM;
}
