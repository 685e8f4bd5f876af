/* SPDX-License-Identifier: MIT */
#include "wire/refragment.h"

#include "wire/handshake.h"
#include "wire/record.h"

enum {
    PIECE_HEADERS = SD_RECORD_HEADER_LEN + SD_HANDSHAKE_HEADER_LEN,
    DATAGRAM_MAX = 65507 /* of UDP over IPv4 */
};

/* The datagram being filled. */
struct packing {
    struct sd_refragment *r;
    struct sd_wr w;
    size_t cap;
};

static void flush_datagram(struct packing *p)
{
    size_t len = sd_wr_len(&p->w);
    if (len)
        p->r->emit(p->r->arg, p->w.start, len);
    p->w = sd_wr_init(p->w.start, p->cap);
}

static size_t room_left(const struct packing *p)
{
    size_t used = sd_wr_len(&p->w);
    return used < p->r->mtu ? p->r->mtu - used : 0;
}

static void copy_record(struct packing *p, const struct sd_record *rec)
{
    size_t whole = rec->header.len + rec->body.len;
    if (whole > room_left(p))
        flush_datagram(p);
    if (rec->unified || rec->epoch) {
        sd_wr_bytes(&p->w, rec->header.p, whole);
        return;
    }
    struct sd_record again = *rec;
    again.seq = p->r->next_seq++;
    sd_record_build(&p->w, &again);
}

static void pack_piece(struct packing *p, uint16_t version, const struct sd_handshake *piece)
{
    size_t mark = sd_record_open(&p->w, SD_CT_HANDSHAKE, version, 0, p->r->next_seq++);
    sd_handshake_build(&p->w, piece);
    sd_record_close(&p->w, mark);
}

/* One message, or fragment of one, in as many pieces as it takes. */
static void pack_message(struct packing *p, uint16_t version, const struct sd_handshake *h)
{
    size_t done = 0;
    do {
        if (room_left(p) <= PIECE_HEADERS)
            flush_datagram(p);
        size_t left = h->body.len - done, fits = room_left(p) - PIECE_HEADERS;
        struct sd_handshake piece = *h;
        piece.body = (struct sd_span){h->body.p + done, left < fits ? left : fits};
        piece.frag_off = h->frag_off + (uint32_t)done;
        piece.frag_len = (uint32_t)piece.body.len;
        pack_piece(p, version, &piece);
        done += piece.body.len;
    } while (done < h->body.len);
}

static void pack_record(struct packing *p, const struct sd_record *rec)
{
    if (rec->unified || rec->epoch || rec->type != SD_CT_HANDSHAKE) {
        copy_record(p, rec);
        return;
    }
    struct sd_rd body = sd_rd_init(rec->body.p, rec->body.len);
    struct sd_handshake h;
    while (sd_handshake_next(&body, &h) == SD_HANDSHAKE_OK)
        pack_message(p, rec->version, &h);
}

void sd_refragment(struct sd_refragment *r, const uint8_t *data, size_t len)
{
    uint8_t buf[DATAGRAM_MAX];
    struct packing p = {.r = r, .cap = sizeof buf};
    if (r->mtu <= 2 * PIECE_HEADERS || r->mtu > sizeof buf)
        return;
    p.w = sd_wr_init(buf, p.cap);
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK)
        pack_record(&p, &rec);
    flush_datagram(&p);
}
