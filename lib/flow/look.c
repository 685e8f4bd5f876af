/* SPDX-License-Identifier: MIT */
#include "flow/look.h"

#include "wire/handshake.h"
#include "wire/hello.h"

static void look_at_hello(struct sd_look *l, const struct sd_handshake *h)
{
    struct sd_client_hello ch;
    struct sd_rd r = sd_rd_init(l->records->body.p, l->records->body.len);
    sd_rd_bytes(&r, SD_HANDSHAKE_HEADER_LEN);
    struct sd_span body = sd_rd_rest(&r); /* of a message that is cut, h->body is empty */
    body.len = body.len < h->frag_len ? body.len : h->frag_len;
    sd_rd_bytes(&r, 2);
    l->random = sd_rd_bytes(&r, SD_RANDOM_LEN);
    l->readable =
        sd_client_hello_parse(&ch, body, h->length) != SD_HELLO_BAD && ch.missing > SD_HELLO_COOKIE;
    if (l->readable)
        l->cookie = ch.cookie;
}

static void look_at_message(struct sd_look *l)
{
    const struct sd_record *rec = sd_look_first(l);
    struct sd_handshake h;
    l->message = SD_NO_MESSAGE;
    l->random = l->cookie = (struct sd_span){0};
    l->readable = false;
    if (!rec || rec->type != SD_CT_HANDSHAKE || rec->epoch)
        return;
    struct sd_rd r = sd_rd_init(rec->body.p, rec->body.len);
    enum sd_handshake_status s = sd_handshake_next(&r, &h);
    if (s != SD_HANDSHAKE_OK && s != SD_HANDSHAKE_CUT)
        return;
    l->message = h.type;
    if (h.type == SD_HS_CLIENT_HELLO && !h.frag_off)
        look_at_hello(l, &h);
}

void sd_look_at(struct sd_look *l, const struct sd_datagram *d, size_t cid_len)
{
    l->datagram = d;
    l->snapped = d->payload.len < d->length;
    l->cids = false;
    l->cid_len = cid_len;
    l->rest = sd_records_init(d->payload.p, d->payload.len, cid_len);
    l->status = SD_RECORD_OK;
    for (l->count = 0; l->count < SD_LOOK_RECORDS; l->count++) {
        struct sd_record *rec = &l->records[l->count];
        l->status = sd_record_next(&l->rest, rec);
        l->cids |= rec->cid.len || l->status == SD_RECORD_CID;
        if (l->status != SD_RECORD_OK)
            break;
    }
    look_at_message(l);
}

const struct sd_look *sd_look_with(const struct sd_look *l, size_t cid_len, struct sd_look *own)
{
    bool may_have = l->cids || l->status == SD_RECORD_OK;
    if (l->cid_len == cid_len || !may_have)
        return l;
    sd_look_at(own, l->datagram, cid_len);
    return own;
}

struct sd_look_walk sd_look_walk(const struct sd_look *l)
{
    struct sd_look_walk w;
    w.look = l;
    w.at = 0;
    w.rest = l->rest;
    return w;
}

enum sd_record_status sd_look_next(struct sd_look_walk *w, const struct sd_record **rec)
{
    const struct sd_look *l = w->look;
    *rec = &l->records[w->at];
    if (w->at < l->count) {
        w->at++;
        return SD_RECORD_OK;
    }
    if (l->status != SD_RECORD_OK)
        return l->status;
    *rec = &w->beyond;
    return sd_record_next(&w->rest, &w->beyond);
}

struct sd_span sd_look_trailing(const struct sd_look *l)
{
    struct sd_look_walk w = sd_look_walk(l);
    struct sd_span payload = l->datagram->payload;
    const struct sd_record *rec;
    enum sd_record_status s = l->status;
    size_t end = 0;
    if (s == SD_RECORD_END) /* as nearly always */
        return (struct sd_span){0};
    while ((s = sd_look_next(&w, &rec)) == SD_RECORD_OK)
        end = rec->offset + rec->header.len + rec->body.len;
    if (s != SD_RECORD_TYPE || !end)
        return (struct sd_span){0};
    return (struct sd_span){payload.p + end, payload.len - end};
}

bool sd_look_zero(struct sd_span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.p[i])
            return false;
    return true;
}
