/* SPDX-License-Identifier: MIT */
/* pcapng (draft-ietf-opsawg-pcapng). A block with wrong content is left out; a block whose two
 * lengths disagree ends the reading. */
#include "capture/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    BLOCK_MIN = 12,
    BLOCK_MAX = 16 << 20,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, /* obsolete */
    BLOCK_SIMPLE = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED = 6,
    BLOCK_SECRETS = 10,
    BLOCK_SECTION = 0x0a0d0d0a
};

enum {
    OPT_END = 0,
    OPT_COMMENT = 1,
    IF_NAME = 2,
    IF_TSRESOL = 9,
    IF_TSOFFSET = 14,
    ISB_IFDROP = 5,
    ISB_OSDROP = 7
};

static const uint32_t secrets_tls_key_log = 0x544c534b;

struct block {
    uint32_t type;
    uint64_t offset;
    struct sd_rd body;
};

struct option {
    uint16_t code;
    struct sd_span value;
};

static size_t padded_size(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/* False at the end; an option that cannot be parsed counts as the end. */
static bool next_option(const struct sd_reader *r, struct sd_rd *rd, struct option *o)
{
    if (sd_rd_left(rd) < 4)
        return false;
    o->code = sd_order_u16(rd, r->big);
    size_t len = sd_order_u16(rd, r->big);
    struct sd_span all = sd_rd_bytes(rd, padded_size(len));
    o->value = (struct sd_span){all.p, len};
    return o->code != OPT_END && !rd->bad;
}

bool sd_pcapng_comment(struct sd_reader *r, struct sd_span *text)
{
    struct option o;
    while (next_option(r, &r->options, &o)) {
        if (o.code != OPT_COMMENT)
            continue;
        *text = o.value;
        return true;
    }
    return false;
}

static uint64_t power_of_ten(unsigned n)
{
    uint64_t p = 1;
    while (n--)
        p *= 10;
    return p;
}

/* if_tsresol: a negative power of ten, or of two when the top bit is set. */
static void set_resolution(struct sd_interface *i, uint8_t resolution)
{
    unsigned exponent = resolution & 0x7f;
    *i = (struct sd_interface){.info = i->info, .offset = i->offset, .factor = 1, .divisor = 1};
    if (resolution & 0x80) {
        i->factor = SD_FRAME_SEC;
        i->shift = exponent;
    } else if (exponent <= 9) {
        i->factor = power_of_ten(9 - exponent);
    } else {
        /* In units finer than 10^-28 s, 64 bits count less than a nanosecond. */
        i->divisor = exponent <= 28 ? power_of_ten(exponent - 9) : UINT64_MAX;
    }
}

static int64_t nanoseconds(const struct sd_interface *i, uint64_t stamp)
{
    unsigned __int128 wide = (unsigned __int128)stamp * i->factor;
    if (i->divisor != 1)
        wide /= i->divisor;
    wide >>= i->shift;
    int64_t ns = wide > INT64_MAX ? INT64_MAX : (int64_t)wide, sum;
    if (__builtin_add_overflow(ns, i->offset, &sum))
        return i->offset < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static int64_t seconds_to_ns(int64_t seconds)
{
    int64_t ns;
    if (__builtin_mul_overflow(seconds, SD_FRAME_SEC, &ns))
        return seconds < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

static void interface_option(const struct sd_reader *r, struct sd_interface *i,
                             const struct option *o)
{
    struct sd_rd value = sd_rd_init(o->value.p, o->value.len);
    if (o->code == IF_TSRESOL && o->value.len == 1)
        set_resolution(i, sd_rd_u8(&value));
    else if (o->code == IF_TSOFFSET && o->value.len == 8)
        i->offset = seconds_to_ns((int64_t)sd_order_u64(&value, r->big));
    else if (o->code == IF_NAME)
        snprintf(i->info.name, sizeof i->info.name, "%.*s", (int)o->value.len,
                 (const char *)o->value.p);
}

/* Frames name interfaces by their order: without this block all later ones would be wrong. */
static bool interface_block(struct sd_reader *r, struct block *b)
{
    uint16_t linktype = sd_order_u16(&b->body, r->big);
    sd_rd_bytes(&b->body, 2);
    uint32_t snaplen = sd_order_u32(&b->body, r->big);
    if (b->body.bad) {
        sd_reader_end(r, SD_READER_CORRUPT, "an interface block is too short; it ends");
        return false;
    }
    struct sd_interface *i = sd_reader_add_interface(r);
    if (!i)
        return false;
    i->info.linktype = linktype;
    i->info.snaplen = snaplen;
    struct option o;
    while (next_option(r, &b->body, &o))
        interface_option(r, i, &o);
    return true;
}

/* Interface `index` of the current section, or NULL. */
static struct sd_interface *find_interface(struct sd_reader *r, uint32_t index)
{
    return index < r->interface_count - r->section ? &r->interfaces[r->section + index] : NULL;
}

/* The counters begin with the capture: the last block of an interface has the sum. */
static void statistics_block(struct sd_reader *r, struct block *b)
{
    struct sd_interface *i = find_interface(r, sd_order_u32(&b->body, r->big));
    sd_rd_bytes(&b->body, 8); /* time */
    if (!i || b->body.bad) {
        sd_reader_damaged(r, b->offset, "statistics of an unknown interface");
        return;
    }
    uint64_t dropped = 0;
    struct option o;
    while (next_option(r, &b->body, &o)) {
        struct sd_rd value = sd_rd_init(o.value.p, o.value.len);
        if (o.code == ISB_IFDROP || o.code == ISB_OSDROP)
            dropped += sd_order_u64(&value, r->big);
    }
    i->info.dropped = dropped;
}

static void secrets_block(struct sd_reader *r, struct block *b)
{
    uint32_t type = sd_order_u32(&b->body, r->big);
    struct sd_span text = sd_rd_bytes(&b->body, sd_order_u32(&b->body, r->big));
    if (b->body.bad)
        sd_reader_damaged(r, b->offset, "secrets that are longer than their block");
    else if (type == secrets_tls_key_log && r->config.keylog)
        r->config.keylog(r->config.arg, text);
}

static bool give_frame(struct sd_reader *r, struct sd_frame *f, const struct sd_interface *i,
                       struct sd_span data, uint32_t length)
{
    *f = (struct sd_frame){
        .number = ++r->frames,
        .data = data,
        .length = length > data.len ? length : (uint32_t)data.len,
        .interface = (uint32_t)(i - r->interfaces),
        .linktype = i->info.linktype,
    };
    return true;
}

/* Enhanced packet blocks, and the packet blocks before them: those have a shorter
 * interface number and a drop count in its place. */
static bool packet_block(struct sd_reader *r, struct block *b, struct sd_frame *f)
{
    uint32_t index;
    if (b->type == BLOCK_ENHANCED) {
        index = sd_order_u32(&b->body, r->big);
    } else {
        index = sd_order_u16(&b->body, r->big);
        sd_rd_bytes(&b->body, 2);
    }
    uint64_t stamp = (uint64_t)sd_order_u32(&b->body, r->big) << 32;
    stamp |= sd_order_u32(&b->body, r->big);
    uint32_t captured = sd_order_u32(&b->body, r->big);
    uint32_t length = sd_order_u32(&b->body, r->big);
    struct sd_interface *i = find_interface(r, index);
    if (!i || b->body.bad) {
        sd_reader_damaged(r, b->offset, "a packet of an unknown interface");
        return false;
    }
    struct sd_span data = sd_rd_bytes(&b->body, captured);
    if (b->body.bad || captured > SD_FRAME_MAX) {
        sd_reader_damaged(r, b->offset, "a packet that is longer than its block");
        return false;
    }
    sd_rd_bytes(&b->body, padded_size(captured) - captured);
    r->options = b->body;
    give_frame(r, f, i, data, length);
    f->time = nanoseconds(i, stamp);
    return true;
}

/* There is no captured length: it is the smallest of the block's, the packet's and the
 * interface's. */
static bool simple_block(struct sd_reader *r, struct block *b, struct sd_frame *f)
{
    uint32_t length = sd_order_u32(&b->body, r->big);
    struct sd_interface *i = find_interface(r, 0);
    if (!i || b->body.bad) {
        sd_reader_damaged(r, b->offset, "a packet of an unknown interface");
        return false;
    }
    struct sd_span data = sd_rd_rest(&b->body);
    uint32_t most = i->info.snaplen && i->info.snaplen < length ? i->info.snaplen : length;
    if (most > data.len || most > SD_FRAME_MAX) {
        sd_reader_damaged(r, b->offset, "a simple packet that is longer than its block");
        return false;
    }
    data.len = most;
    r->options = sd_rd_init(NULL, 0);
    return give_frame(r, f, i, data, length);
}

/* The byte order has to be known before the first length in a section can be read. */
static bool section_order(struct sd_reader *r)
{
    struct sd_rd rd = sd_rd_init(r->source.p + 8, 4);
    uint32_t magic = sd_order_u32(&rd, false);
    if (magic != 0x1a2b3c4d && magic != 0x4d3c2b1a)
        return false;
    r->big = magic == 0x4d3c2b1a;
    r->section = r->interface_count;
    return true;
}

/* SD_READER_FRAME: a whole block was read. */
static enum sd_reader_status read_block(struct sd_reader *r, struct block *b)
{
    struct sd_bytes *s = &r->source;
    if (!sd_bytes_want(s, BLOCK_MIN))
        return sd_reader_short(r, "a block");
    struct sd_rd rd = sd_rd_init(s->p, BLOCK_MIN);
    b->type = sd_order_u32(&rd, r->big);
    b->offset = sd_bytes_offset(s);
    if (b->type == BLOCK_SECTION && !section_order(r))
        return sd_reader_end(r, SD_READER_CORRUPT, "a section header without a byte-order mark");
    uint32_t length = sd_order_u32(&rd, r->big);
    if (length < BLOCK_MIN || length > BLOCK_MAX || length % 4)
        return sd_reader_end(r, SD_READER_CORRUPT, "a block has the impossible length %" PRIu32,
                             length);
    if (!sd_bytes_want(s, length))
        return sd_reader_short(r, "a block");
    b->body = sd_rd_init(s->p + 8, length - BLOCK_MIN);
    rd = sd_rd_init(s->p + length - 4, 4);
    uint32_t again = sd_order_u32(&rd, r->big);
    if (again != length)
        return sd_reader_end(r, SD_READER_CORRUPT,
                             "the two lengths of a block differ (%" PRIu32 " and %" PRIu32 ")",
                             length, again);
    s->p += length;
    return SD_READER_FRAME;
}

/* True when the block gave a frame. */
static bool take_block(struct sd_reader *r, struct block *b, struct sd_frame *f)
{
    switch (b->type) {
    case BLOCK_ENHANCED:
    case BLOCK_PACKET:
        return packet_block(r, b, f);
    case BLOCK_SIMPLE:
        return simple_block(r, b, f);
    case BLOCK_INTERFACE:
        interface_block(r, b);
        return false;
    case BLOCK_STATISTICS:
        statistics_block(r, b);
        return false;
    case BLOCK_SECRETS:
        secrets_block(r, b);
        return false;
    default:
        return false;
    }
}

enum sd_reader_status sd_pcapng_next(struct sd_reader *r, struct sd_frame *f)
{
    struct block b;
    do {
        enum sd_reader_status status = read_block(r, &b);
        if (status != SD_READER_FRAME)
            return status;
    } while (!take_block(r, &b, f) && r->status == SD_READER_FRAME);
    return r->status;
}
