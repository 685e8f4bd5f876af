#include "dtls_probe/comments.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/output.h"

static bool grow(struct probe_comments *c)
{
    if (c->count < c->room)
        return true;
    size_t room = c->room ? 2 * c->room : 64;
    struct probe_comment *list = realloc(c->list, room * sizeof *list);
    if (!list)
        return false;
    c->list = list;
    c->room = room;
    return true;
}

static char *sentence(const struct sd_finding *f)
{
    char detail[SD_SENTENCE], *text = NULL;
    tool_printable(f->detail, detail, sizeof detail);
    if (asprintf(&text, "dtls_probe: handshake %llu: %s %s (confidence %s): %s",
                 (unsigned long long)f->exchange, sd_severity_name(f->severity), f->entry->id,
                 sd_confidence_name(f->confidence), detail) < 0)
        return NULL;
    return text;
}

static void add(struct probe_comments *c, uint64_t frame, const struct sd_finding *f)
{
    char *text = sentence(f);
    if (!text || !grow(c)) {
        free(text);
        c->failed = true;
        return;
    }
    c->list[c->count++] = (struct probe_comment){frame, text};
}

void probe_comments_add(struct probe_comments *c, const struct probe_report *r)
{
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < r->findings[i].packet_count; j++)
            add(c, r->findings[i].packets[j], &r->findings[i]);
}

static int by_frame(const void *a, const void *b)
{
    const struct probe_comment *x = a, *y = b;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

void probe_comments_sort(struct probe_comments *c)
{
    if (c->count)
        qsort(c->list, c->count, sizeof *c->list, by_frame);
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
