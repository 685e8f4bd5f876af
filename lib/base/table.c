/* SPDX-License-Identifier: MIT */
#include "base/table.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 64 };

bool sd_table_init(struct sd_table *t)
{
    *t = (struct sd_table){.buckets = calloc(FIRST_BUCKETS, sizeof *t->buckets),
                           .mask = FIRST_BUCKETS - 1};
    return t->buckets != NULL;
}

void sd_table_fini(struct sd_table *t)
{
    free(t->buckets);
    *t = (struct sd_table){0};
}

static void push(struct sd_node **bucket, struct sd_node *n)
{
    n->next = *bucket;
    *bucket = n;
}

static void double_buckets(struct sd_table *t)
{
    size_t size = 2 * (t->mask + 1);
    struct sd_node **fresh = calloc(size, sizeof *fresh);
    if (!fresh)
        return;
    for (size_t i = 0; i <= t->mask; i++) {
        struct sd_node *n = t->buckets[i];
        while (n) {
            struct sd_node *next = n->next;
            push(&fresh[n->hash & (size - 1)], n);
            n = next;
        }
    }
    free(t->buckets);
    t->buckets = fresh;
    t->mask = size - 1;
}

void sd_table_add(struct sd_table *t, struct sd_node *n, uint64_t hash)
{
    if (t->count > t->mask)
        double_buckets(t);
    n->hash = hash;
    push(&t->buckets[hash & t->mask], n);
    t->count++;
}

void sd_table_remove(struct sd_table *t, struct sd_node *n)
{
    struct sd_node **at = &t->buckets[n->hash & t->mask];
    while (*at && *at != n)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = n->next;
    n->next = NULL;
    t->count--;
}

struct sd_node *sd_table_find(const struct sd_table *t, uint64_t hash,
                              bool (*same)(const struct sd_node *, const void *key),
                              const void *key)
{
    struct sd_node *n = t->buckets[hash & t->mask];
    while (n && !(n->hash == hash && same(n, key)))
        n = n->next;
    return n;
}
