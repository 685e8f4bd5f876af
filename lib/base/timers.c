/* SPDX-License-Identifier: MIT */
#include "base/timers.h"

#include <stdlib.h>

void sd_timers_fini(struct sd_timers *q)
{
    free(q->heap);
    *q = (struct sd_timers){0};
}

bool sd_timers_reserve(struct sd_timers *q, size_t n)
{
    if (n <= q->cap)
        return true;
    size_t cap = q->cap ? q->cap : 16;
    while (cap < n)
        cap *= 2;
    struct sd_timer **heap = realloc(q->heap, cap * sizeof *heap);
    if (!heap)
        return false;
    q->heap = heap;
    q->cap = cap;
    return true;
}

static void place_timer(struct sd_timers *q, size_t i, struct sd_timer *t)
{
    q->heap[i] = t;
    t->slot = i + 1;
}

static void sift_up(struct sd_timers *q, size_t i)
{
    struct sd_timer *t = q->heap[i];
    while (i && q->heap[(i - 1) / 2]->when > t->when) {
        place_timer(q, i, q->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place_timer(q, i, t);
}

static void sift_down(struct sd_timers *q, size_t i)
{
    struct sd_timer *t = q->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= q->count)
            break;
        if (child + 1 < q->count && q->heap[child + 1]->when < q->heap[child]->when)
            child++;
        if (q->heap[child]->when >= t->when)
            break;
        place_timer(q, i, q->heap[child]);
        i = child;
    }
    place_timer(q, i, t);
}

bool sd_timers_set(struct sd_timers *q, struct sd_timer *t, sd_time when)
{
    if (when == SD_NEVER) {
        sd_timers_cancel(q, t);
        return true;
    }
    if (!t->slot) {
        if (!sd_timers_reserve(q, q->count + 1))
            return false;
        place_timer(q, q->count++, t);
    }
    t->when = when;
    sift_up(q, t->slot - 1);
    sift_down(q, t->slot - 1);
    return true;
}

void sd_timers_cancel(struct sd_timers *q, struct sd_timer *t)
{
    if (!t->slot)
        return;
    size_t i = t->slot - 1;
    t->slot = 0;
    struct sd_timer *last = q->heap[--q->count];
    if (last == t)
        return;
    place_timer(q, i, last);
    sift_up(q, i);
    sift_down(q, last->slot - 1);
}

sd_time sd_timers_next(const struct sd_timers *q)
{
    return q->count ? q->heap[0]->when : SD_NEVER;
}

struct sd_timer *sd_timers_due(struct sd_timers *q, sd_time now)
{
    if (!q->count || q->heap[0]->when > now)
        return NULL;
    struct sd_timer *t = q->heap[0];
    sd_timers_cancel(q, t);
    return t;
}
