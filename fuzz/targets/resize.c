/* SPDX-License-Identifier: MIT */
#include "targets/resize.h"

#include <string.h>

#include "harness/common.h"
#include "wire/handshake.h"
#include "wire/junk.h"
#include "wire/record.h"
#include "wire/refragment.h"

/* What must be the same before and after. */
struct sums {
    size_t records;   /* of epoch 0: they get new numbers */
    size_t sealed;    /* bytes of records that stay as they are */
    size_t handshake; /* bytes of messages, without headers */
};

struct pieces {
    struct sums sums;
    size_t mtu;
    uint64_t next_seq;
};

static size_t message_bytes(struct sd_span body)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    struct sd_handshake h;
    size_t sum = 0;
    while (sd_handshake_next(&r, &h) == SD_HANDSHAKE_OK)
        sum += h.body.len;
    return sum;
}

static size_t add(struct sums *s, const uint8_t *data, size_t len, uint64_t *seq)
{
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    size_t n = 0;
    for (; sd_record_next(&it, &rec) == SD_RECORD_OK; n++) {
        if (rec.unified || rec.epoch) {
            s->sealed += rec.header.len + rec.body.len;
            continue;
        }
        fuzz_check(!seq || rec.seq == *seq, "the record numbers of the pieces have gaps");
        if (seq)
            ++*seq;
        s->records++;
        if (rec.type == SD_CT_HANDSHAKE)
            s->handshake += message_bytes(rec.body);
    }
    return n;
}

static void on_piece(void *arg, const uint8_t *data, size_t len)
{
    struct pieces *p = arg;
    size_t records = add(&p->sums, data, len, &p->next_seq);
    fuzz_check(records, "a piece is not a datagram");
    fuzz_check(len <= p->mtu || records == 1, "a piece of %zu bytes", len);
    fuzz_note_bytes(data, len);
}

static void check_pieces(struct sd_span d, size_t mtu)
{
    struct sums whole = {0};
    struct pieces p = {.mtu = mtu, .next_seq = 7};
    struct sd_refragment r = {.mtu = mtu, .next_seq = 7, .emit = on_piece, .arg = &p};
    sd_refragment(&r, d.p, d.len);
    if (mtu < 64) {
        fuzz_check(!p.sums.records && !p.sums.sealed,
                   "pieces are made that are too small for a record");
        return;
    }
    add(&whole, d.p, d.len, NULL);
    fuzz_check(p.sums.sealed == whole.sealed && p.sums.handshake == whole.handshake,
               "the pieces together are not the datagram");
    fuzz_check(r.next_seq == p.next_seq, "the next record number is wrong");
}

static void fill(void *buf, size_t len)
{
    memset(buf, 'j', len);
}

/* In a buffer of `cap` bytes. */
static void check_junk(size_t room, size_t cap, bool filled)
{
    static uint8_t buf[40000];
    struct sums s = {0};
    struct sd_wr w = sd_wr_init(buf, cap);
    sd_junk_build(&w, room, filled ? fill : NULL);
    fuzz_check(w.bad == (!sd_junk_fits(room) || room > cap),
               "junk is refused where it fits, or made where it does not");
    fuzz_check(w.bad || sd_wr_len(&w) == room, "junk of another size");
    if (!w.bad && room)
        fuzz_check(add(&s, buf, room, NULL) && !s.handshake && !s.sealed,
                   "junk does not consist of records");
}

void resize_check(struct sd_span d)
{
    static const size_t mtus[] = {40, 64, 228, 548, 1232};
    enum { MTUS = sizeof mtus / sizeof *mtus, RECORD = SD_RECORD_HEADER_LEN + SD_RECORD_BODY_MAX };
    if (d.len % 4 || !d.len)
        return; /* it takes four times as long as everything else */
    check_pieces(d, mtus[d.len / 4 % MTUS]);
    check_junk(d.len, d.len, true);
    check_junk(d.len, d.len / 2, false);
    if (d.len % 64 != 4)
        return; /* the input selects one of the long ones */
    size_t which = d.p[d.len - 1] % 16, more = which / 2 * 4;
    check_junk(which % 2 ? 2 * RECORD + more - 16 : RECORD + more, 40000, more & 4);
}
