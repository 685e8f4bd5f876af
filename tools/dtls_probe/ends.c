/* SPDX-License-Identifier: MIT */
#include "dtls_probe/ends.h"

#include <stdlib.h>
#include <string.h>

#include "dtls_probe/array.h"
#include "dtls_probe/words.h"

void probe_ends_add(struct probe_ends *e, const struct probe_report *r)
{
    if (!r->x->has_client_random)
        return;
    struct probe_end *list = probe_array_grow(e->list, e->count, &e->room, sizeof *list);
    struct sd_event *log = malloc((r->x->count ? r->x->count : 1) * sizeof *log);
    e->list = list ? list : e->list;
    if (!list || !log) {
        free(log);
        e->lost = true;
        return;
    }
    if (r->x->count)
        memcpy(log, r->x->log, r->x->count * sizeof *log);
    struct probe_end *end = &e->list[e->count++];
    *end = (struct probe_end){
        .x = *r->x, .outcome = r->outcome, .finding = r->count ? r->findings[0].entry : NULL};
    end->x.log = log;
    memset(end->x.kept, 0, sizeof end->x.kept);
}

void probe_ends_free(struct probe_ends *e)
{
    for (size_t i = 0; i < e->count; i++)
        free(e->list[i].x.log);
    free(e->list);
    *e = (struct probe_ends){0};
}

/* --- the way --- */

/* The same record in the other log: the same number in the same direction. A server takes its
 * first record numbers from the client (RFC 6347 section 4.2.1), so the message counts, too. Each
 * record there is used once, because a sender may use a number again. */
static const struct sd_event *take_same_record(const struct sd_exchange *x,
                                               const struct sd_event *e,
                                               bool used[static SD_LOG_MAX])
{
    for (size_t i = 0; i < x->count && i < SD_LOG_MAX; i++) {
        const struct sd_event *o = &x->log[i];
        if (used[i] || !probe_is_record(o) || o->seq != e->seq || o->epoch != e->epoch ||
            o->content != e->content || o->message != e->message || o->frag_off != e->frag_off ||
            sd_event_side(o) != sd_event_side(e))
            continue;
        used[i] = true;
        return o;
    }
    return NULL;
}

static void note_lost(struct probe_way *w, const struct sd_event *e)
{
    if (w->lost_count < PROBE_LOST_MAX)
        w->lost[w->lost_count] = e;
    w->lost_count++;
    if (e->ip_length && (!w->smallest_lost || e->ip_length < w->smallest_lost))
        w->smallest_lost = e->ip_length;
}

static void note_arrived(struct probe_way *w, const struct sd_event *e, const struct sd_event *o)
{
    w->arrived++;
    w->changed += e->kind == SD_EV_HANDSHAKE && e->hash != o->hash;
    if (e->ip_length > w->largest_arrived)
        w->largest_arrived = e->ip_length;
    if (o->time - e->time < w->quickest)
        w->quickest = o->time - e->time;
}

struct probe_way probe_way_between(const struct sd_exchange *sender,
                                   const struct sd_exchange *receiver, enum sd_side from)
{
    struct probe_way w = {.quickest = INT64_MAX};
    bool used[SD_LOG_MAX] = {false};
    for (size_t i = 0; i < sender->count; i++) {
        const struct sd_event *e = &sender->log[i];
        if (!probe_is_record(e) || !(e->flags & SD_EVF_FIRST) || sd_event_side(e) != from)
            continue;
        const struct sd_event *o = take_same_record(receiver, e, used);
        w.sent++;
        if (o)
            note_arrived(&w, e, o);
        else
            note_lost(&w, e);
    }
    return w;
}

bool probe_way_is_narrow(const struct probe_way *w)
{
    return w->lost_count >= 2 && w->smallest_lost > w->largest_arrived && w->largest_arrived;
}
