/* SPDX-License-Identifier: MIT */
/* Intrusive hash table: the node lives in the caller's object, the table owns
 * nothing but its buckets. Hashes come from sd_hash, so that the load stays
 * even under hostile keys. */
#ifndef SD_BASE_TABLE_H
#define SD_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sd_node {
    struct sd_node *next;
    uint64_t hash;
};

struct sd_table {
    struct sd_node **buckets;
    size_t mask, count;
};

/* The object of type `type` around its member `member` at `ptr`. */
#define sd_container(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* False when there is no memory; a zeroed table needs no fini. */
bool sd_table_init(struct sd_table *t);
void sd_table_fini(struct sd_table *t);
/* Puts a node in. Duplicates are the caller's business. Never fails: a table
 * that cannot grow gets slower instead. */
void sd_table_add(struct sd_table *t, struct sd_node *n, uint64_t hash);
void sd_table_remove(struct sd_table *t, struct sd_node *n);
/* First node with this hash for which same(node, key) holds, or NULL. */
struct sd_node *sd_table_find(const struct sd_table *t, uint64_t hash,
                              bool (*same)(const struct sd_node *, const void *key),
                              const void *key);

#endif
