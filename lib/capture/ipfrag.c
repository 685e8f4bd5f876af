/* SPDX-License-Identifier: MIT */
#include "capture/ipfrag.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

enum {
    PACKET_MAX = 65535,
    PIECES_MAX = 256, /* of one packet, about 256 bytes each: no network makes smaller ones */
    RECENT = 64,
    PROTOCOL_UDP = 17,
    UDP_HEADER = 8
};

struct piece {
    struct piece *next; /* by offset */
    uint32_t offset, length, captured;
    uint8_t data[];
};

struct packet_key {
    struct sd_addr src, dst;
    uint32_t id;
    uint8_t protocol;
};

struct packet {
    struct sd_node node;
    struct packet *older, *newer;
    struct packet_key key;
    struct piece *first, *last;
    unsigned pieces;
    uint32_t have, total; /* total 0 = the last fragment is missing */
    int64_t begun;        /* time of the fragment that came first */
    uint64_t number;      /* of the fragment with offset 0 */
    int64_t time;
    bool silent; /* not reported: it contradicts itself, or was seen whole before */
    bool broken; /* takes no more fragments (RFC 5722 section 3) */
};

struct sd_ipfrag {
    struct sd_ipfrag_config config;
    struct sd_table packets;
    struct packet *oldest, *newest;
    size_t bytes;
    /* Packets that became whole. Two interfaces of one host may show a packet twice: then an
     * incomplete second copy is no loss. */
    uint64_t recent[RECENT];
    unsigned next_recent;
};

struct sd_ipfrag *sd_ipfrag_new(const struct sd_ipfrag_config *config)
{
    struct sd_ipfrag *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->config = *config;
    if (!sd_table_init(&t->packets)) {
        free(t);
        return NULL;
    }
    return t;
}

static void drop_pieces(struct sd_ipfrag *t, struct packet *p)
{
    while (p->first) {
        struct piece *next = p->first->next;
        t->bytes -= sizeof *next + p->first->captured;
        free(p->first);
        p->first = next;
    }
    p->last = NULL;
    p->pieces = 0;
}

static void drop(struct sd_ipfrag *t, struct packet *p)
{
    drop_pieces(t, p);
    *(p->older ? &p->older->newer : &t->oldest) = p->newer;
    *(p->newer ? &p->newer->older : &t->newest) = p->older;
    sd_table_remove(&t->packets, &p->node);
    t->bytes -= sizeof *p;
    free(p);
}

void sd_ipfrag_free(struct sd_ipfrag *t)
{
    if (!t)
        return;
    while (t->oldest)
        drop(t, t->oldest);
    sd_table_fini(&t->packets);
    free(t);
}

static uint64_t packet_hash(const struct sd_ipfrag *t, const struct packet_key *k)
{
    uint8_t bytes[2 * SD_ADDR_BYTES + 5];
    size_t n = sd_addr_bytes(&k->src, bytes);
    struct sd_wr w = sd_wr_init(bytes + n, sizeof bytes - n);
    uint8_t dst[SD_ADDR_BYTES];
    sd_wr_bytes(&w, dst, sd_addr_bytes(&k->dst, dst));
    sd_wr_u32(&w, k->id);
    sd_wr_u8(&w, k->protocol);
    return sd_hash(t->config.key, bytes, n + sd_wr_len(&w));
}

static bool same_packet(const struct sd_node *n, const void *key)
{
    const struct packet_key *a = &sd_container(n, const struct packet, node)->key, *b = key;
    return a->id == b->id && a->protocol == b->protocol && sd_addr_eq(&a->src, &b->src) &&
           sd_addr_eq(&a->dst, &b->dst);
}

static bool was_recent(const struct sd_ipfrag *t, uint64_t hash)
{
    for (unsigned i = 0; i < RECENT; i++)
        if (t->recent[i] == hash)
            return true;
    return false;
}

static struct packet *begin_reassembly(struct sd_ipfrag *t, const struct packet_key *k,
                                       uint64_t hash, int64_t time)
{
    while (t->oldest && (t->packets.count >= t->config.max_packets))
        drop(t, t->oldest);
    struct packet *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->key = *k;
    p->begun = time;
    p->silent = was_recent(t, hash);
    p->older = t->newest;
    *(t->newest ? &t->newest->newer : &t->oldest) = p;
    t->newest = p;
    t->bytes += sizeof *p;
    sd_table_add(&t->packets, &p->node, hash);
    return p;
}

static void drop_until_fits(struct sd_ipfrag *t, const struct packet *keep, size_t size)
{
    while (t->oldest && t->oldest != keep && t->bytes + size > t->config.max_bytes)
        drop(t, t->oldest);
}

/* Fragments that overlap may be forged: the packet is dropped, with the fragments still to
 * come. */
static void break_packet(struct sd_ipfrag *t, struct packet *p)
{
    p->broken = p->silent = true;
    drop_pieces(t, p);
}

/* Finds the piece after which f belongs (NULL = at the front). False when f overlaps another
 * piece; *again is true when it only repeats that piece. */
static bool find_place(const struct packet *p, const struct sd_fragment *f, struct piece **before,
                       bool *again)
{
    struct piece *left = NULL, *right = p->first;
    if (p->last && p->last->offset < f->offset) {
        left = p->last;
        right = NULL;
    }
    while (right && right->offset < f->offset) {
        left = right;
        right = right->next;
    }
    *before = left;
    *again = right && right->offset == f->offset && right->length == f->length;
    bool overlaps = (left && left->offset + left->length > f->offset) ||
                    (right && f->offset + f->length > right->offset);
    return !overlaps;
}

static bool contradicts_total(const struct packet *p, const struct sd_fragment *f)
{
    uint32_t end = f->offset + f->length;
    if (f->more)
        return p->total && end >= p->total;
    return (p->total && p->total != end) || (p->last && p->last->offset + p->last->length > end);
}

static bool insert_piece(struct sd_ipfrag *t, struct packet *p, const struct sd_fragment *f,
                         struct piece *before)
{
    size_t size = sizeof(struct piece) + f->data.len;
    drop_until_fits(t, p, size);
    struct piece *n = t->bytes + size > t->config.max_bytes ? NULL : malloc(size);
    if (!n)
        return false;
    *n =
        (struct piece){.offset = f->offset, .length = f->length, .captured = (uint32_t)f->data.len};
    if (f->data.len)
        memcpy(n->data, f->data.p, f->data.len);
    n->next = before ? before->next : p->first;
    *(before ? &before->next : &p->first) = n;
    if (!n->next)
        p->last = n;
    t->bytes += size;
    p->pieces++;
    p->have += f->length;
    if (!f->more)
        p->total = f->offset + f->length;
    if (!f->offset) {
        p->number = f->number;
        p->time = f->time;
    }
    return true;
}

/* Copies the bytes up to the first gap. */
static size_t gather(const struct packet *p, uint8_t *out)
{
    size_t len = 0;
    for (const struct piece *i = p->first; i && i->offset == len; i = i->next) {
        memcpy(out + len, i->data, i->captured);
        len += i->captured;
    }
    return len;
}

static bool finish_packet(struct sd_ipfrag *t, struct packet *p, struct sd_whole *whole)
{
    uint8_t *data = malloc(p->total);
    if (data) {
        *whole = (struct sd_whole){.data = data,
                                   .len = gather(p, data),
                                   .length = p->total,
                                   .fragments = (uint16_t)p->pieces};
        t->recent[t->next_recent++ % RECENT] = p->node.hash;
    }
    drop(t, p);
    return data != NULL;
}

/* Only the length of the last fragment may be other than a multiple of 8 (RFC 791). */
static bool legal(const struct sd_fragment *f)
{
    return f->length && f->offset < PACKET_MAX && f->length <= PACKET_MAX - f->offset &&
           f->data.len <= f->length && (!f->more || f->length % 8 == 0);
}

bool sd_ipfrag_add(struct sd_ipfrag *t, const struct sd_fragment *f, struct sd_whole *whole)
{
    if (!legal(f))
        return false;
    struct packet_key k = {f->src, f->dst, f->id, f->protocol};
    uint64_t hash = packet_hash(t, &k);
    struct sd_node *n = sd_table_find(&t->packets, hash, same_packet, &k);
    struct packet *p =
        n ? sd_container(n, struct packet, node) : begin_reassembly(t, &k, hash, f->time);
    if (!p || p->broken)
        return false;
    struct piece *before;
    bool again;
    if (!find_place(p, f, &before, &again)) {
        if (!again)
            break_packet(t, p);
        return false;
    }
    if (contradicts_total(p, f) || p->pieces == PIECES_MAX) {
        break_packet(t, p);
        return false;
    }
    if (!insert_piece(t, p, f, before)) {
        p->silent = true; /* not lost: we had no room */
        return false;
    }
    return p->have == p->total && finish_packet(t, p, whole);
}

static void report(struct sd_ipfrag *t, const struct packet *p)
{
    const struct piece *i = p->first;
    if (p->silent || !t->config.incomplete || p->key.protocol != PROTOCOL_UDP || !i || i->offset)
        return;
    struct sd_rd r = sd_rd_init(i->data, i->captured);
    struct sd_ip_incomplete out = {.number = p->number,
                                   .time = p->time,
                                   .src = p->key.src,
                                   .dst = p->key.dst,
                                   .have = p->have,
                                   .total = p->total};
    sd_addr_set_port(&out.src, sd_rd_u16(&r));
    sd_addr_set_port(&out.dst, sd_rd_u16(&r));
    sd_rd_bytes(&r, UDP_HEADER - 4);
    out.payload = sd_rd_rest(&r);
    if (!r.bad)
        t->config.incomplete(t->config.arg, &out);
}

static void give_up_oldest(struct sd_ipfrag *t)
{
    report(t, t->oldest);
    drop(t, t->oldest);
}

void sd_ipfrag_expire(struct sd_ipfrag *t, int64_t now)
{
    /* The times of a capture may jump by any amount. */
    while (t->oldest && now > t->oldest->begun &&
           (uint64_t)now - (uint64_t)t->oldest->begun > (uint64_t)SD_IPFRAG_TIMEOUT)
        give_up_oldest(t);
}

int64_t sd_ipfrag_oldest(const struct sd_ipfrag *t)
{
    return t->oldest ? t->oldest->begun : INT64_MAX;
}

void sd_ipfrag_flush(struct sd_ipfrag *t)
{
    while (t->oldest)
        give_up_oldest(t);
}
