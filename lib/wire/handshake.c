/* SPDX-License-Identifier: MIT */
#include "wire/handshake.h"

bool sd_handshake_consistent(const struct sd_handshake *h)
{
    if (h->frag_off > h->length || h->frag_len > h->length - h->frag_off)
        return false;
    return h->frag_len || !h->length;
}

bool sd_handshake_whole(const struct sd_handshake *h)
{
    return !h->frag_off && h->frag_len == h->length;
}

static enum sd_handshake_status parse_message(struct sd_rd *r, struct sd_handshake *h)
{
    struct sd_rd head = sd_rd_sub(r, SD_HANDSHAKE_HEADER_LEN);
    if (head.bad)
        return SD_HANDSHAKE_NO_HEADER;
    h->type = sd_rd_u8(&head);
    h->length = sd_rd_u24(&head);
    h->message_seq = sd_rd_u16(&head);
    h->frag_off = sd_rd_u24(&head);
    h->frag_len = sd_rd_u24(&head);
    if (!sd_handshake_consistent(h))
        return SD_HANDSHAKE_INCONSISTENT;
    h->body = sd_rd_bytes(r, h->frag_len);
    return r->bad ? SD_HANDSHAKE_CUT : SD_HANDSHAKE_OK;
}

enum sd_handshake_status sd_handshake_next(struct sd_rd *r, struct sd_handshake *h)
{
    *h = (struct sd_handshake){0};
    if (sd_rd_done(r))
        return SD_HANDSHAKE_END;
    enum sd_handshake_status st = parse_message(r, h);
    r->bad = st != SD_HANDSHAKE_OK;
    return st;
}

static void write_header(struct sd_wr *w, const struct sd_handshake *h)
{
    sd_wr_u8(w, h->type);
    sd_wr_u24(w, h->length);
    sd_wr_u16(w, h->message_seq);
    sd_wr_u24(w, h->frag_off);
    sd_wr_u24(w, h->frag_len);
}

void sd_handshake_build(struct sd_wr *w, const struct sd_handshake *h)
{
    bool fits = h->length >> 24 == 0 && h->body.len == h->frag_len;
    if (!fits || !sd_handshake_consistent(h)) {
        w->bad = true;
        return;
    }
    write_header(w, h);
    sd_wr_bytes(w, h->body.p, h->body.len);
}

size_t sd_handshake_open(struct sd_wr *w, uint8_t type, uint16_t message_seq)
{
    write_header(w, &(struct sd_handshake){.type = type, .message_seq = message_seq});
    return sd_wr_len(w);
}

/* The length stands twice, as that of the message and that of the fragment. */
void sd_handshake_close(struct sd_wr *w, size_t mark)
{
    if (w->bad)
        return;
    size_t len = sd_wr_len(w) - mark;
    struct sd_wr head = sd_wr_init(w->start + mark - 11, 11);
    struct sd_wr tail = sd_wr_init(w->start + mark - 3, 3);
    w->bad = len >> 24 != 0;
    sd_wr_u24(&head, (uint32_t)len & 0xffffff);
    sd_wr_u24(&tail, (uint32_t)len & 0xffffff);
}
