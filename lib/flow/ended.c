/* SPDX-License-Identifier: MIT */
#include "flow/ended.h"

#include "flow/internal.h"

/* How many end before one is judged, and how many that were judged are still known. A handshake
 * that is captured twice, or that was tried again elsewhere, ends within moments. */
enum { NEWER = 512, OLDER = 512 };
/* Bytes of both; longer conversations are judged and freed earlier. */
enum { BYTES = 8 << 20 };

struct sd_ended {
    struct sd_tracker_config config;
    struct sd_index index;
    struct sd_held *first, *last; /* in the order of their ends */
    struct sd_held *next;         /* the first that is not judged yet */
    size_t judged, waiting, bytes;
    struct sd_view view;
};

struct sd_ended *sd_ended_new(const struct sd_tracker_config *config)
{
    struct sd_ended *e = sd_alloc_new(&config->alloc, sizeof *e);
    if (!e)
        return NULL;
    e->config = *config;
    if (sd_index_init(&e->index, config))
        return e;
    sd_ended_free(e);
    return NULL;
}

static void free_first(struct sd_ended *e)
{
    struct sd_held *h = e->first;
    e->first = h->next;
    e->bytes -= h->bytes;
    sd_index_leave(&e->index, &h->x);
    sd_held_free(&e->config.alloc, h);
}

void sd_ended_free(struct sd_ended *e)
{
    if (!e)
        return;
    while (e->first)
        free_first(e);
    sd_index_fini(&e->index);
    sd_alloc_free(&e->config.alloc, e);
}

static void judge_next(struct sd_ended *e, const struct sd_index *index)
{
    struct sd_held *h = e->next;
    e->next = h->next;
    e->waiting--;
    e->judged++;
    sd_judge_report(&e->config, &e->view, index, h, false);
}

static void keep_bounds(struct sd_ended *e)
{
    while (e->waiting > NEWER || (e->waiting && e->bytes > BYTES))
        judge_next(e, &e->index);
    for (; e->judged > OLDER || (e->judged && e->bytes > BYTES); e->judged--)
        free_first(e);
}

void sd_ended_take(struct sd_ended *e, struct sd_held *h)
{
    h->next = NULL;
    *(e->first ? &e->last->next : &e->first) = h;
    e->last = h;
    e->next = e->next ? e->next : h;
    e->waiting++;
    e->bytes += h->bytes;
    sd_index_enter(&e->index, &h->x);
    keep_bounds(e);
}

void sd_ended_rest(struct sd_ended *e, struct sd_index *open)
{
    open->also = &e->index;
    while (e->waiting)
        judge_next(e, open);
}
