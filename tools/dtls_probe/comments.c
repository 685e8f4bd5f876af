/* SPDX-License-Identifier: MIT */
#include "dtls_probe/comments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/output.h"
#include "common/printable.h"
#include "dtls_probe/array.h"

enum {
    RUN_BYTES = 8 << 20,    /* of memory, before a run is written */
    READ_AT_ONCE = 16 << 10 /* bytes, of each run */
};

/* In front of each text in the file. */
struct comment_head {
    uint64_t frame;
    uint32_t len; /* with its 0 */
};

/* A part of the file, and how far it was read. */
struct comment_run {
    off_t begin, end, at;
    size_t have, used;
    struct comment_head head; /* of the next comment */
    bool over;
    char buffer[READ_AT_ONCE];
};

/* --- writing --- */

int probe_comments_open(struct probe_comments *c)
{
    c->file = tmpfile();
    return c->file ? 0 : errno;
}

static int comments_by_frame(const void *a, const void *b)
{
    const struct probe_comment *x = a, *y = b;
    int order = (x->frame > y->frame) - (x->frame < y->frame);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void write_comment(struct probe_comments *c, const struct probe_comment *one)
{
    struct comment_head head = {.frame = one->frame, .len = (uint32_t)strlen(one->text) + 1};
    if (!c->error && (fwrite(&head, sizeof head, 1, c->file) != 1 ||
                      fwrite(one->text, head.len, 1, c->file) != 1))
        c->error = errno;
}

/* Room for one more, or NULL. */
static struct comment_run *add_run(struct probe_comments *c)
{
    struct comment_run *runs =
        probe_array_grow(c->runs, c->run_count, &c->run_room, sizeof *c->runs);
    c->failed |= !runs;
    if (!runs)
        return NULL;
    c->runs = runs;
    return &runs[c->run_count++];
}

static void write_run(struct probe_comments *c)
{
    struct comment_run *r = add_run(c);
    off_t begin = ftello(c->file);
    if (c->count)
        qsort(c->list, c->count, sizeof *c->list, comments_by_frame);
    for (size_t i = 0; i < c->count; i++) {
        if (r)
            write_comment(c, &c->list[i]);
        free(c->list[i].text);
    }
    if (r)
        *r = (struct comment_run){.begin = begin, .end = ftello(c->file)};
    c->count = c->bytes = 0;
}

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
    c->list[c->count] = (struct probe_comment){frame, c->count, text};
    c->count++;
    c->bytes += sizeof *c->list + strlen(text) + 1;
    if (c->bytes > RUN_BYTES)
        write_run(c);
}

void probe_comments_add(struct probe_comments *c, const struct probe_report *r)
{
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; j < r->findings[i].packet_count; j++)
            add_comment(c, r->findings[i].packets[j], &r->findings[i]);
}

/* --- reading --- */

static bool fill_buffer(struct probe_comments *c, struct comment_run *r)
{
    off_t left = r->end - r->at;
    size_t most = left < READ_AT_ONCE ? (size_t)left : READ_AT_ONCE;
    ssize_t n = most ? pread(fileno(c->file), r->buffer, most, r->at) : 0;
    if (n < 0)
        c->error = errno;
    if (n <= 0)
        return false;
    r->at += n;
    r->have = (size_t)n;
    r->used = 0;
    return true;
}

static bool read_bytes(struct probe_comments *c, struct comment_run *r, void *to, size_t n)
{
    for (char *p = to; n;) {
        if (r->used == r->have && !fill_buffer(c, r))
            return false;
        size_t part = r->have - r->used < n ? r->have - r->used : n;
        memcpy(p, r->buffer + r->used, part);
        r->used += part;
        p += part;
        n -= part;
    }
    return true;
}

static void find_next(struct probe_comments *c)
{
    c->next = UINT64_MAX;
    for (struct comment_run *r = c->runs; r < c->runs + c->run_count; r++)
        if (!r->over && r->head.frame < c->next)
            c->next = r->head.frame;
}

void probe_comments_rewind(struct probe_comments *c)
{
    if (!c->file)
        return;
    if (c->count)
        write_run(c);
    if (fflush(c->file) && !c->error)
        c->error = errno;
    for (struct comment_run *r = c->runs; r < c->runs + c->run_count; r++) {
        r->at = r->begin;
        r->have = r->used = 0;
        r->over = !read_bytes(c, r, &r->head, sizeof r->head);
    }
    find_next(c);
}

/* The next comment of a run, behind those that were taken. False when it is lost. */
static bool take_text(struct probe_comments *c, struct comment_run *r, size_t *used)
{
    if (*used + r->head.len > c->taken_room) {
        size_t room = *used + r->head.len + READ_AT_ONCE;
        char *taken = realloc(c->taken, room);
        c->failed |= !taken;
        if (!taken)
            return false;
        c->taken = taken;
        c->taken_room = room;
    }
    if (!read_bytes(c, r, c->taken + *used, r->head.len))
        return false;
    *used += r->head.len;
    return true;
}

const char *probe_comments_take(struct probe_comments *c, uint64_t frame, size_t *count)
{
    size_t used = 0;
    *count = 0;
    if (frame < c->next || !c->run_count)
        return NULL;
    for (struct comment_run *r = c->runs; r < c->runs + c->run_count; r++)
        while (!r->over && r->head.frame <= frame) {
            bool wanted = r->head.frame == frame && *count < PROBE_COMMENTS_OF_FRAME;
            size_t skipped = used;
            r->over = !take_text(c, r, wanted ? &used : &skipped);
            *count += wanted && !r->over;
            r->over = r->over || !read_bytes(c, r, &r->head, sizeof r->head);
        }
    find_next(c);
    return c->taken;
}

void probe_comments_free(struct probe_comments *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->list[i].text);
    if (c->file)
        fclose(c->file);
    free(c->list);
    free(c->runs);
    free(c->taken);
    *c = (struct probe_comments){0};
}
