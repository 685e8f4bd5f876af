/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/flight.h"

#include <string.h>

#include "wire/record.h"

/* What the longest protection adds: IV, MAC of SHA-384 and a block of padding. */
enum { SEAL_OVERHEAD = 16 + 48 + 16, FRAGMENT_LEAST = 64 };

void puppet_flight_clear(struct puppet_flight *f)
{
    f->count = f->used = 0;
}

struct puppet_item *puppet_flight_add(struct puppet_flight *f, const struct puppet_item *item)
{
    if (f->count == PUPPET_ITEMS_MAX || item->body.len > PUPPET_STORE - f->used)
        return NULL;
    uint8_t *body = f->store + f->used;
    struct puppet_item *to = &f->item[f->count++];
    *to = *item;
    if (item->body.len)
        memcpy(body, item->body.p, item->body.len);
    to->body.p = body;
    f->used += item->body.len;
    return to;
}

uint8_t *puppet_flight_body(struct puppet_flight *f, const struct puppet_item *item)
{
    return f->store + (item->body.p - f->store);
}

void puppet_flight_drop(struct puppet_flight *f, size_t i)
{
    if (i >= f->count)
        return;
    memmove(&f->item[i], &f->item[i + 1], (f->count - i - 1) * sizeof f->item[0]);
    f->count--;
}

struct puppet_item *puppet_flight_find(struct puppet_flight *f, uint8_t message_type)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->item[i].message && f->item[i].message_type == message_type)
            return &f->item[i];
    return NULL;
}

/* --- items to datagrams --- */

struct puppet_packing {
    const struct puppet_packer *p;
    uint8_t datagram[PUPPET_DATAGRAM_MAX];
    size_t len;
};

static void flush_packed(struct puppet_packing *k)
{
    if (k->len)
        k->p->send(k->p->arg, k->datagram, k->len);
    k->len = 0;
}

static uint64_t number_of(const struct puppet_packer *p, const struct puppet_item *it)
{
    return it->seq == PUPPET_NEXT ? p->next[it->epoch != 0]++ : it->seq;
}

/* A record that fits no more goes into the next datagram. Its number is taken before: it is the
 * order of making that counts. */
static bool item_record(struct puppet_packing *k, const struct puppet_item *it, struct sd_span body)
{
    uint8_t buf[SD_RECORD_HEADER_LEN + SD_RECORD_BODY_MAX];
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    const struct puppet_packer *p = k->p;
    const struct sd_record rec = {.type = it->type,
                                  .version = it->version ? it->version : p->version,
                                  .epoch = it->epoch,
                                  .seq = number_of(p, it),
                                  .body = body};
    if (it->epoch && !it->plain && p->keys)
        puppet_seal(p->keys, p->encrypt_then_mac, &w, &rec, it->spoil);
    else
        sd_record_build(&w, &rec);
    size_t len = sd_wr_len(&w);
    if (k->len + len > p->mtu)
        flush_packed(k);
    if (!len || len > sizeof k->datagram - k->len)
        return false;
    memcpy(k->datagram + k->len, buf, len);
    k->len += len;
    return true;
}

static bool pack_raw(struct puppet_packing *k, struct sd_span bytes)
{
    if (k->len + bytes.len > k->p->mtu)
        flush_packed(k);
    if (bytes.len > sizeof k->datagram - k->len)
        return false;
    if (bytes.len)
        memcpy(k->datagram + k->len, bytes.p, bytes.len);
    k->len += bytes.len;
    return true;
}

static bool pack_fragment(struct puppet_packing *k, const struct puppet_item *it, size_t off,
                          size_t len)
{
    uint8_t buf[SD_HANDSHAKE_HEADER_LEN + PUPPET_STORE];
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    sd_handshake_build(&w, &(struct sd_handshake){.type = it->message_type,
                                                  .length = (uint32_t)it->body.len,
                                                  .message_seq = it->message_seq,
                                                  .frag_off = (uint32_t)off,
                                                  .frag_len = (uint32_t)len,
                                                  .body = {it->body.p + off, len}});
    return !w.bad && item_record(k, it, (struct sd_span){buf, sd_wr_len(&w)});
}

static size_t most_of_fragment(const struct puppet_packing *k, const struct puppet_item *it)
{
    size_t header = SD_RECORD_HEADER_LEN + SD_HANDSHAKE_HEADER_LEN +
                    (it->epoch && !it->plain ? SEAL_OVERHEAD : 0);
    size_t room = k->p->mtu > header + FRAGMENT_LEAST ? k->p->mtu - header : FRAGMENT_LEAST;
    return it->fragment && it->fragment < room ? it->fragment : room;
}

static bool item_message(struct puppet_packing *k, const struct puppet_item *it)
{
    size_t most = most_of_fragment(k, it), off = 0;
    if (it->body.len > PUPPET_STORE)
        return false;
    do {
        size_t left = it->body.len - off, n = left < most ? left : most;
        if (!pack_fragment(k, it, off, n))
            return false;
        off += n;
    } while (off < it->body.len);
    return true;
}

static bool pack_item(struct puppet_packing *k, const struct puppet_item *it)
{
    if (it->alone)
        flush_packed(k);
    if (it->raw)
        return pack_raw(k, it->body);
    return it->message ? item_message(k, it) : item_record(k, it, it->body);
}

bool puppet_pack(const struct puppet_packer *p, const struct puppet_item *items, size_t count)
{
    struct puppet_packing k = {.p = p, .len = 0};
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = pack_item(&k, &items[i]);
    flush_packed(&k);
    return ok;
}
