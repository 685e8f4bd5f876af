/* SPDX-License-Identifier: MIT */
/* pcap (draft-ietf-opsawg-pcap), with the variants that libpcap reads as well. */
#include "capture/internal.h"

#include <inttypes.h>

enum { FILE_HEADER = 24, FRAME_HEADER = 16, MODIFIED_FRAME_HEADER = 24 };

static enum sd_reader_status pcap_next(struct sd_reader *r, struct sd_frame *f)
{
    struct sd_bytes *s = &r->source;
    if (!sd_bytes_want(s, r->header))
        return sd_reader_short(r, "a packet header");
    struct sd_rd rd = sd_rd_init(s->p, r->header);
    uint32_t seconds = sd_order_u32(&rd, r->big), part = sd_order_u32(&rd, r->big);
    uint32_t captured = sd_order_u32(&rd, r->big), length = sd_order_u32(&rd, r->big);
    if (r->old_lengths && captured > length) {
        uint32_t swap = captured;
        captured = length;
        length = swap;
    }
    if (captured > SD_FRAME_MAX)
        return sd_reader_end(r, SD_READER_CORRUPT,
                             "packet %" PRIu64 " has the impossible length %" PRIu32, r->frames + 1,
                             captured);
    if (!sd_bytes_want(s, r->header + captured))
        return sd_reader_short(r, "a packet");
    *f = (struct sd_frame){
        .number = ++r->frames,
        .time = (int64_t)seconds * SD_FRAME_SEC + (int64_t)part * r->fraction,
        .data = {s->p + r->header, captured},
        .length = length > captured ? length : captured,
        .linktype = r->interfaces[0].info.linktype,
    };
    s->p += r->header + captured;
    return SD_READER_FRAME;
}

enum sd_reader_status sd_pcap_begin(struct sd_reader *r, struct sd_frame *f)
{
    struct sd_bytes *s = &r->source;
    if (!sd_bytes_want(s, FILE_HEADER))
        return sd_reader_short(r, "the file header");
    struct sd_rd rd = sd_rd_init(s->p, FILE_HEADER);
    r->big = s->p[0] == 0xa1;
    uint32_t magic = sd_order_u32(&rd, r->big);
    uint16_t major = sd_order_u16(&rd, r->big), minor = sd_order_u16(&rd, r->big);
    /* Up to version 2.2 always, in 2.3 with some writers, as libpcap knows. */
    r->old_lengths = major == 2 && minor <= 3;
    sd_rd_bytes(&rd, 8); /* time zone and accuracy: always 0 */
    uint32_t snaplen = sd_order_u32(&rd, r->big), network = sd_order_u32(&rd, r->big);
    r->fraction = magic == 0xa1b23c4d ? 1 : 1000;
    r->header = magic == 0xa1b2cd34 ? MODIFIED_FRAME_HEADER : FRAME_HEADER;
    struct sd_interface *i = sd_reader_add_interface(r);
    if (!i)
        return r->status;
    i->info.linktype = (uint16_t)network; /* the upper half: length of the frame check sequence */
    i->info.snaplen = snaplen;
    s->p += FILE_HEADER;
    r->next = pcap_next;
    return pcap_next(r, f);
}
