/* SPDX-License-Identifier: MIT */
/* Reassembly of IP fragments against a map of bytes. A packet becomes whole when its last byte
 * comes, and has the bytes that were sent. A packet with fragments that overlap or contradict each
 * other never becomes whole (RFC 5722 section 3).
 *
 * An operation has four bytes: which packet and how, offset, length, how much of it the capture
 * has. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/ipfrag.h"
#include "harness/common.h"
#include "harness/gate_kit.h"
#include "harness/make.h"

enum { PACKETS = 8, UNIT = 8, BYTES = 256 * UNIT, PIECES_FEW = 200, STEP_S = 7 };

enum how { HOW_MORE, HOW_LAST, HOW_TIME, HOW_ILLEGAL, HOWS };

struct packet {
    bool begun, broken;
    int64_t when;
    uint32_t total, end;       /* 0: not known; bytes that came */
    uint16_t piece_len[BYTES]; /* length of the fragment that begins here; 0: none */
    uint32_t have, fragments, captured_to;
    bool there[BYTES], snapped;
};

struct world {
    struct sd_ipfrag *t;
    struct packet packets[PACKETS];
    int64_t now;
    unsigned reports;
};

static struct world w;

static uint8_t pattern(unsigned packet, uint32_t at)
{
    return (uint8_t)(packet * 31 + at * 7 + (at >> 8));
}

static void incomplete(void *arg, const struct sd_ip_incomplete *i)
{
    (void)arg;
    w.reports++;
    fuzz_check(!i->total || i->have < i->total, "a packet with %u of %u bytes is not incomplete",
               i->have, i->total);
    fuzz_note_bytes(i->payload.p, i->payload.len);
}

static void forget(struct packet *p)
{
    memset(p, 0, sizeof *p);
}

static bool overlaps(const struct packet *p, const struct sd_fragment *f)
{
    for (uint32_t i = f->offset; i < f->offset + f->length; i++)
        if (p->there[i])
            return true;
    return false;
}

static bool contradicts(const struct packet *p, const struct sd_fragment *f)
{
    uint32_t end = f->offset + f->length;
    if (f->more)
        return p->total && end >= p->total;
    return (p->total && p->total != end) || p->end > end;
}

/* What must happen to it; true: the packet is whole. */
static bool expect(struct packet *p, const struct sd_fragment *f)
{
    if (!p->begun) {
        p->begun = true;
        p->when = f->time;
    }
    if (p->broken || p->piece_len[f->offset] == f->length)
        return false;
    if (overlaps(p, f) || contradicts(p, f)) {
        p->broken = true;
        return false;
    }
    memset(p->there + f->offset, true, f->length);
    p->piece_len[f->offset] = (uint16_t)f->length;
    p->have += f->length;
    p->fragments++;
    p->snapped |= f->data.len < f->length;
    if (p->end < f->offset + f->length)
        p->end = f->offset + f->length;
    if (!f->more)
        p->total = p->end;
    return p->total == p->have;
}

static void check_whole(unsigned which, const struct packet *p, const struct sd_whole *whole)
{
    fuzz_check(whole->length == p->total && whole->fragments == p->fragments,
               "a packet of %u bytes in %u fragments, %u in %u were sent", whole->length,
               whole->fragments, p->total, p->fragments);
    fuzz_check(whole->len <= whole->length && (p->snapped || whole->len == whole->length),
               "%zu bytes of %u", whole->len, whole->length);
    for (uint32_t i = 0; i < whole->len; i++)
        fuzz_check(whole->data[i] == pattern(which, i), "byte %u is not the one that was sent", i);
    fuzz_note(whole->len);
}

static void add(unsigned which, bool more, uint32_t offset, uint32_t length, uint32_t captured)
{
    struct packet *p = &w.packets[which];
    uint8_t bytes[BYTES];
    struct sd_whole whole = {0};
    for (uint32_t i = 0; i < captured; i++)
        bytes[i] = pattern(which, offset + i);
    uint8_t *copy = fuzz_copy(make_span(bytes, captured));
    struct sd_fragment f = {.src = kit_addr(which & 4 ? KIT_SIX : KIT_FOUR, 1, 0),
                            .dst = kit_addr(which & 4 ? KIT_SIX : KIT_FOUR, 2, 0),
                            .id = which & 1,
                            .protocol = which & 2 ? 17 : 132,
                            .more = more,
                            .offset = offset,
                            .length = length,
                            .data = {copy, captured},
                            .number = 1,
                            .time = w.now};
    bool legal = length && (!more || length % UNIT == 0);
    bool wanted = legal && p->fragments < PIECES_FEW && expect(p, &f);
    bool got = sd_ipfrag_add(w.t, &f, &whole);
    fuzz_check(got == wanted, "a packet is %s", got ? "whole too early" : "not whole");
    if (got) {
        check_whole(which, p, &whole);
        forget(p);
    }
    free(whole.data);
    free(copy);
}

static void pass(uint8_t steps)
{
    w.now += (steps % 8) * STEP_S * (int64_t)SD_SEC;
    sd_ipfrag_expire(w.t, w.now);
    for (unsigned i = 0; i < PACKETS; i++)
        if (w.packets[i].begun && w.now - w.packets[i].when > SD_IPFRAG_TIMEOUT)
            forget(&w.packets[i]);
}

static void apply(uint8_t which, uint8_t place, uint8_t size, uint8_t cut)
{
    uint32_t offset = place * UNIT, length = size;
    switch (which / PACKETS % HOWS) {
    case HOW_MORE:
        length = (size % 32) * UNIT;
        break;
    case HOW_TIME:
        pass(place);
        return;
    default:
        break;
    }
    if (length > BYTES - offset)
        length = BYTES - offset;
    uint32_t captured = cut < length && cut & 128 ? cut : length;
    add(which % PACKETS, which / PACKETS % HOWS != HOW_LAST, offset, length, captured);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    struct fuzz_heap before = fuzz_heap_now();
    const struct sd_ipfrag_config config = {
        .key = {1, 2}, .max_packets = 2 * PACKETS, .max_bytes = 1 << 20, .incomplete = incomplete};
    memset(&w, 0, sizeof w);
    w.now = INT64_C(1704067200000000000);
    w.t = sd_ipfrag_new(&config);
    while (sd_rd_left(&in) >= 4 && w.t) {
        struct sd_span op = sd_rd_bytes(&in, 4);
        apply(op.p[0], op.p[1], op.p[2], op.p[3]);
    }
    if (w.t)
        sd_ipfrag_flush(w.t);
    fuzz_note(w.reports);
    sd_ipfrag_free(w.t);
    struct fuzz_heap after = fuzz_heap_now();
    fuzz_check(after.blocks == before.blocks, "the heap leaks");
    return 0;
}

static void put(struct sd_wr *to, unsigned packet, enum how how, unsigned place, unsigned size,
                unsigned cut)
{
    sd_wr_u8(to, (uint8_t)(packet + PACKETS * how));
    sd_wr_u8(to, (uint8_t)place);
    sd_wr_u8(to, (uint8_t)size);
    sd_wr_u8(to, (uint8_t)cut);
}

/* In order, from the end, from the middle; with an overlap, a repetition, a second end; too late.
 */
void fuzz_seeds(struct fuzz_seeder *s)
{
    static const uint8_t orders[6][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2},
                                         {1, 2, 0}, {0, 2, 1}, {2, 0, 1}};
    for (unsigned i = 0; i < 6; i++) {
        uint8_t bytes[256];
        struct sd_wr w_ = sd_wr_init(bytes, sizeof bytes);
        for (unsigned n = 0; n < 3; n++) {
            unsigned part = orders[i][n];
            put(&w_, i, part == 2 ? HOW_LAST : HOW_MORE, part * 4, part == 2 ? 13 : 4,
                i == 3 ? 130 : 0);
            put(&w_, i + 1, part == 2 ? HOW_LAST : HOW_MORE, part * 4, part == 2 ? 13 : 4 + (i & 1),
                0);
            if (i == 4)
                put(&w_, 0, HOW_TIME, 5, 0, 0);
        }
        fuzz_seed(s, bytes, sd_wr_len(&w_));
    }
}
