/* SPDX-License-Identifier: MIT */
/* What belongs to a handshake on other addresses: a session that goes on from another port, an
 * answer from another server address. */
#include "flow/internal.h"

enum { MOVED_AHEAD = 64 /* record numbers that may be lost while a client changes its address */ };

/* An answer from elsewhere comes so soon after the client's datagram. */
#define STRANGER_WITHIN (1 * SD_NS_SECOND)

/* Is this record the next one of the client's session x? By the connection id that the
 * server gave, or by a record number that goes on where x stopped. */
static bool continues_session(const struct sd_tracker *t, const struct sd_exchange *x,
                              const struct sd_look *look)
{
    struct sd_look own;
    const struct sd_direction *c = &x->side[SD_CLIENT];
    if (!x->established)
        return false;
    const struct sd_look *l = sd_look_with(look, x->cid_len[SD_SERVER], &own);
    const struct sd_record *rec = l->records;
    if (!l->count)
        return false;
    if (rec->cid.len)
        return (uint32_t)sd_hash(t->config.key, rec->cid.p, rec->cid.len) == x->cid_hash[SD_SERVER];
    return !rec->unified && rec->epoch && rec->epoch == c->epoch && rec->seq > c->sealed.max &&
           rec->seq - c->sealed.max <= MOVED_AHEAD;
}

/* A session that this record continues from another address of its client. */
static struct sd_exchange *find_continued(const struct sd_tracker *t, const struct sd_look *l)
{
    const struct sd_addr *server = &l->datagram->dst;
    struct sd_exchange *x = sd_index_first(&t->index, SD_BY_SERVER, server);
    for (unsigned i = 0; x && i < SD_INDEX_MAX; i++, x = sd_index_next(x, SD_BY_SERVER))
        if (sd_addr_eq(&x->server, server) && continues_session(t, x, l))
            return x;
    return NULL;
}

/* A session whose client is answered where it moved to. */
static struct sd_exchange *find_answered(const struct sd_tracker *t, const struct sd_datagram *d)
{
    struct sd_exchange *x = sd_index_first(&t->index, SD_BY_SERVER, &d->src);
    for (unsigned i = 0; x && i < SD_INDEX_MAX; i++, x = sd_index_next(x, SD_BY_SERVER))
        if (sd_addr_eq(&x->server, &d->src) && sd_rare(x)->moved_number &&
            sd_addr_eq(&x->rare->moved_to, &d->dst))
            return x;
    return NULL;
}

static void note_moved(struct sd_tracker *t, struct sd_exchange *x, const struct sd_look *l)
{
    const struct sd_datagram *d = l->datagram;
    struct sd_rare *rare = sd_rare_new(t, x);
    struct sd_look_walk w = sd_look_walk(l);
    const struct sd_record *rec;
    uint16_t gap;
    bool reordered;
    if (!rare)
        return;
    if (!rare->moved_number) {
        rare->moved_to = d->src;
        rare->moved_number = (uint32_t)d->number;
        rare->moved_time = d->time;
        rare->last_before_move = x->last;
    }
    while (sd_look_next(&w, &rec) == SD_RECORD_OK) {
        rare->moved_cid |= rec->cid.len > 0;
        sd_numbers_note(&x->side[SD_CLIENT].sealed, rec->seq, &gap, &reordered);
    }
    rare->moved_records++;
}

static void report_moved(struct sd_tracker *t, const struct sd_exchange *x, const struct sd_look *l,
                         enum sd_side side)
{
    const struct sd_datagram *d = l->datagram;
    struct sd_look_walk w = sd_look_walk(l);
    const struct sd_record *rec;
    struct sd_event *e;
    while (sd_look_next(&w, &rec) == SD_RECORD_OK &&
           (e = sd_event_add(t, SD_EV_APPDATA, d->number, d->time, side)) != NULL) {
        e->content = rec->type;
        e->epoch = rec->epoch;
        e->seq = rec->seq & SD_U48;
        e->record = (uint16_t)rec->length;
        sd_event_sizes(e, d);
    }
    sd_packet_report(t, x, d);
}

bool sd_elsewhere_continued(struct sd_tracker *t, const struct sd_look *l)
{
    struct sd_look own;
    struct sd_exchange *x = find_continued(t, l);
    if (x) {
        const struct sd_look *with_cid = sd_look_with(l, x->cid_len[SD_SERVER], &own);
        note_moved(t, x, with_cid);
        report_moved(t, x, with_cid, SD_CLIENT);
        return true;
    }
    x = find_answered(t, l->datagram);
    if (x) {
        x->rare->moved_answers++;
        report_moved(t, x, sd_look_with(l, x->cid_len[SD_CLIENT], &own), SD_SERVER);
    }
    return x != NULL;
}

/* What a server says from an address that nobody asked: who waits for an answer? */
void sd_elsewhere_answered(struct sd_tracker *t, const struct sd_datagram *d)
{
    struct sd_exchange *x = sd_index_first(&t->index, SD_BY_CLIENT, &d->dst);
    for (unsigned i = 0; x && i < SD_INDEX_MAX; i++, x = sd_index_next(x, SD_BY_CLIENT)) {
        if (!sd_addr_eq(&x->client, &d->dst) || sd_addr_eq(&x->server, &d->src) ||
            x->side[SD_SERVER].datagrams || sd_rare(x)->stranger_number ||
            d->time - x->side[SD_CLIENT].last > STRANGER_WITHIN)
            continue;
        struct sd_rare *rare = sd_rare_new(t, x);
        if (!rare)
            return;
        rare->stranger = d->src;
        rare->stranger_number = (uint32_t)d->number;
    }
}
