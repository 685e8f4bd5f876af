/* SPDX-License-Identifier: MIT */
/* TURN over TCP (RFC 8656 section 2.1): STUN messages and ChannelData, one after the other in each
 * direction. Segments are read in order. After a hole, and where a capture begins in the middle, a
 * stream is found again at a segment that begins with a message. */
#include <stdlib.h>
#include <string.h>

#include "capture/internal.h"

enum {
    TCP_HEADER = 20,
    STREAMS = 256, /* directions of connections */
    WAYS = 4,
    STUN_HEADER = 20,
    STUN_COOKIE = 0x2112a442,
    CHANNEL_HEADER = 4,
    /* The longest record, its header and those around it. */
    MESSAGE_MAX = (1 << 14) + 2048 + 256
};

struct stream {
    uint64_t tag;  /* seeded hash of both addresses; 0 = free */
    uint32_t next; /* sequence number */
    uint32_t have; /* bytes of a message that is not whole yet */
    bool lost;     /* a hole was before `next` */
    uint8_t *bytes;
};

struct sd_streams {
    struct stream at[STREAMS];
    unsigned used;
};

struct sd_streams *sd_streams_new(void)
{
    return calloc(1, sizeof(struct sd_streams));
}

void sd_streams_free(struct sd_streams *s)
{
    for (size_t i = 0; s && i < STREAMS; i++)
        free(s->at[i].bytes);
    free(s);
}

/* --- messages --- */

/* Of the message that begins here, with its padding; 0 = it is none of TURN. At least four bytes
 * of it are there. */
static size_t message_length(struct sd_span p)
{
    size_t body = sd_be16(p.p + 2);
    if (p.p[0] <= 3)
        return body % 4 ? 0 : STUN_HEADER + body;
    if (p.p[0] >> 4 == 4)
        return CHANNEL_HEADER + (body + 3) / 4 * 4;
    return 0;
}

static bool is_stun(struct sd_span p)
{
    struct sd_rd r = sd_rd_init(p.p, p.len);
    uint32_t head = sd_rd_u32(&r), cookie = sd_rd_u32(&r);
    return !r.bad && head >> 24 <= 3 && cookie == STUN_COOKIE;
}

/* Two bytes say that it is a channel: the data must be records. */
static bool is_channel_of_records(struct sd_span p)
{
    if (p.len <= CHANNEL_HEADER || p.p[0] >> 4 != 4)
        return false;
    size_t body = sd_be16(p.p + 2), left = p.len - CHANNEL_HEADER;
    struct sd_span data = {p.p + CHANNEL_HEADER, body < left ? body : left};
    return data.len && sd_payload_kind(data, body) == SD_PAYLOAD_DTLS;
}

static bool begins_message(struct sd_span p)
{
    return p.len >= CHANNEL_HEADER && message_length(p) && (is_stun(p) || is_channel_of_records(p));
}

/* --- streams --- */

static uint64_t stream_tag(const struct sd_decap *d, const struct sd_addr *src,
                           const struct sd_addr *dst)
{
    uint8_t all[2 * SD_ADDR_BYTES];
    size_t n = sd_addr_bytes(src, all);
    n += sd_addr_bytes(dst, all + n);
    uint64_t tag = sd_hash(d->config.key, all, n);
    return tag ? tag : 1;
}

static struct stream *stream_set(struct sd_streams *s, uint64_t tag)
{
    return &s->at[tag % STREAMS & ~(size_t)(WAYS - 1)];
}

static struct stream *find_stream(struct sd_streams *s, uint64_t tag)
{
    struct stream *set = stream_set(s, tag);
    for (unsigned i = 0; s->used && i < WAYS; i++)
        if (set[i].tag == tag)
            return &set[i];
    return NULL;
}

static struct stream *begin_stream(struct sd_streams *s, uint64_t tag, uint32_t seq)
{
    struct stream *set = stream_set(s, tag), *to = &set[tag >> 62]; /* when all are taken */
    for (unsigned i = 0; i < WAYS; i++)
        if (!set[i].tag)
            to = &set[i];
    s->used += !to->tag;
    *to = (struct stream){.tag = tag, .next = seq, .bytes = to->bytes};
    return to;
}

static void end_stream(struct sd_streams *s, struct stream *t)
{
    t->tag = 0;
    t->have = 0;
    s->used--;
}

/* Adds to the message under way until it has `want` bytes. False when it has fewer. */
static bool gather_message(struct stream *t, struct sd_span *data, size_t want)
{
    size_t more = want > t->have ? want - t->have : 0;
    more = more < data->len ? more : data->len;
    if (!t->bytes)
        t->bytes = malloc(MESSAGE_MAX);
    if (!t->bytes)
        return false;
    memcpy(t->bytes + t->have, data->p, more);
    t->have += (uint32_t)more;
    *data = (struct sd_span){data->p + more, data->len - more};
    return t->have >= want;
}

/* The next whole message, in the segment itself or gathered from several. 1 = there is one, 0 = it
 * needs more bytes, -1 = this is not TURN. */
static int next_message(struct stream *t, struct sd_span *data, struct sd_span *message)
{
    if (t->have && !gather_message(t, data, CHANNEL_HEADER))
        return 0;
    if (!t->have && data->len < CHANNEL_HEADER)
        return gather_message(t, data, CHANNEL_HEADER);
    size_t length = message_length(t->have ? (struct sd_span){t->bytes, t->have} : *data);
    if (!length || length > MESSAGE_MAX)
        return -1;
    if (!t->have && data->len >= length) {
        *message = (struct sd_span){data->p, length};
        *data = (struct sd_span){data->p + length, data->len - length};
        return 1;
    }
    if (!gather_message(t, data, length))
        return 0;
    *message = (struct sd_span){t->bytes, length};
    t->have = 0;
    return 1;
}

/* --- segments --- */

struct segment {
    struct sd_addr src, dst;
    uint32_t seq;
    struct sd_span data;
    uint32_t sent; /* bytes of data, captured or not */
};

/* What of it is new. False when nothing is, or a hole ends before it in mid-message. */
static bool fit(struct stream *t, struct segment *s)
{
    int32_t ahead = (int32_t)(s->seq - t->next);
    size_t known = ahead < 0 ? (size_t) - (int64_t)ahead : 0;
    if (known >= s->data.len && ahead < 0)
        return false;
    s->data = (struct sd_span){s->data.p + known, s->data.len - known};
    t->next = s->seq + s->sent;
    t->lost |= ahead > 0;
    if (t->lost)
        t->have = 0;
    if (t->lost && !begins_message(s->data))
        return false;
    t->lost = false;
    return true;
}

static enum sd_fate take_segment(struct sd_walk *w, const struct sd_ip *ip, struct stream *t,
                                 struct segment *s)
{
    bool snapped = s->data.len < s->sent;
    enum sd_fate fate = SD_FATE_OTHER;
    struct sd_span message;
    int got = 0;
    if (!fit(t, s))
        return fate;
    while (s->data.len && (got = next_message(t, &s->data, &message)) > 0) {
        struct sd_datagram d = {.number = w->frame->number,
                                .time = w->frame->time,
                                .src = s->src,
                                .dst = s->dst,
                                .payload = message,
                                .length = (uint32_t)message.len,
                                .fragments = w->fragments,
                                .ttl = ip->ttl,
                                .df = ip->df,
                                .interface = w->frame->interface};
        sd_decap_emit(w->d, &d);
        fate = SD_FATE_DATAGRAM;
    }
    t->lost = snapped;
    if (got < 0)
        end_stream(w->d->streams, t);
    return fate;
}

enum sd_fate sd_decap_tcp(struct sd_walk *w, const struct sd_ip *ip, struct sd_unread *p)
{
    struct segment s = {.src = ip->src, .dst = ip->dst};
    struct sd_span h = sd_rd_bytes(&p->rd, TCP_HEADER);
    size_t header = h.len ? 4 * (size_t)(h.p[12] >> 4) : 0;
    if (header < TCP_HEADER)
        return SD_FATE_OTHER;
    sd_rd_bytes(&p->rd, header - TCP_HEADER);
    s.sent = (uint32_t)sd_unread_sent(p);
    s.data = sd_rd_rest(&p->rd);
    if (p->rd.bad || !s.data.len)
        return SD_FATE_OTHER;
    struct sd_streams *all = w->d->streams;
    if (!all->used && !begins_message(s.data))
        return SD_FATE_OTHER;
    sd_addr_set_port(&s.src, sd_be16(h.p));
    sd_addr_set_port(&s.dst, sd_be16(h.p + 2));
    s.seq = (uint32_t)sd_be16(h.p + 4) << 16 | sd_be16(h.p + 6);
    uint64_t tag = stream_tag(w->d, &s.src, &s.dst);
    struct stream *t = find_stream(all, tag);
    if (!t && begins_message(s.data))
        t = begin_stream(all, tag, s.seq);
    return t ? take_segment(w, ip, t, &s) : SD_FATE_OTHER;
}
