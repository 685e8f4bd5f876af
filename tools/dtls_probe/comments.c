/* SPDX-License-Identifier: MIT */
#include "dtls_probe/comments.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/output.h"
#include "common/printable.h"
#include "dtls_probe/array.h"

static char *comment_text(const struct sd_finding *f)
{
    char detail[SD_SENTENCE], *text = NULL;
    tool_printable(f->detail, detail, sizeof detail);
    if (asprintf(&text, "dtls_probe: handshake %llu: %s %s (confidence %s): %s",
                 (unsigned long long)f->exchange, sd_severity_name(f->severity), f->entry->id,
                 sd_confidence_name(f->confidence), detail) < 0)
        return NULL;
    return text;
}

static void add_comment(struct probe_comments *c, uint64_t frame, const struct sd_finding *f)
{
    char *text = comment_text(f);
    void *list = text ? probe_array_grow(c->list, c->count, &c->room, sizeof *c->list) : NULL;
    if (!list) {
        free(text);
        c->failed = true;
        return;
    }
    c->list = list;
    c->list[c->count++] = (struct probe_comment){frame, text};
}

void probe_comments_add(struct probe_comments *c, const struct probe_report *r)
{
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < r->findings[i].packet_count; j++)
            add_comment(c, r->findings[i].packets[j], &r->findings[i]);
}

static int comments_by_frame(const void *a, const void *b)
{
    const struct probe_comment *x = a, *y = b;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

void probe_comments_sort(struct probe_comments *c)
{
    if (c->count)
        qsort(c->list, c->count, sizeof *c->list, comments_by_frame);
}

const struct probe_comment *probe_comments_of(const struct probe_comments *c, uint64_t frame,
                                              size_t *count)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->list[middle].frame < frame)
            low = middle + 1;
        else
            high = middle;
    }
    *count = 0;
    while (low + *count < c->count && c->list[low + *count].frame == frame)
        ++*count;
    return *count ? &c->list[low] : NULL;
}

void probe_comments_free(struct probe_comments *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->list[i].text);
    free(c->list);
    *c = (struct probe_comments){0};
}
