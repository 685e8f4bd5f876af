/* SPDX-License-Identifier: MIT */
#include "dtls_probe/members.h"

#include <stdlib.h>

#include "dtls_probe/array.h"

void probe_members_add(struct probe_members *m, uint64_t frame, uint64_t handshake)
{
    void *list = probe_array_grow(m->list, m->count, &m->room, sizeof *m->list);
    if (!list) {
        m->lost = true;
        return;
    }
    m->list = list;
    m->list[m->count++] = (struct probe_member){frame, handshake};
}

void probe_members_fail(struct probe_members *m, uint64_t handshake)
{
    void *list = probe_array_grow(m->failed, m->failed_count, &m->failed_room, sizeof *m->failed);
    if (!list) {
        m->lost = true;
        return;
    }
    m->failed = list;
    m->failed[m->failed_count++] = handshake;
}

static int by_handshake(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int members_by_frame(const void *a, const void *b)
{
    const struct probe_member *x = a, *y = b;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

void probe_members_close(struct probe_members *m)
{
    size_t kept = 0;
    if (m->failed_count)
        qsort(m->failed, m->failed_count, sizeof *m->failed, by_handshake);
    for (size_t i = 0; i < m->count; i++)
        if (m->failed_count && bsearch(&m->list[i].handshake, m->failed, m->failed_count,
                                       sizeof *m->failed, by_handshake))
            m->list[kept++] = m->list[i];
    m->count = kept;
    if (kept)
        qsort(m->list, kept, sizeof *m->list, members_by_frame);
}

bool probe_members_has(const struct probe_members *m, uint64_t frame)
{
    struct probe_member key = {.frame = frame};
    return m->count && bsearch(&key, m->list, m->count, sizeof *m->list, members_by_frame);
}

void probe_members_free(struct probe_members *m)
{
    free(m->list);
    free(m->failed);
    *m = (struct probe_members){0};
}
