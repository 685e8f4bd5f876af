/* SPDX-License-Identifier: MIT */
#include "net/directory.h"

#include <stdlib.h>

/* With two entries in a bucket of seven on average, one bucket in a thousand overflows. */
enum { AVERAGE = 2, MEMBER_BITS = 8 };

bool sd_directory_init(struct sd_directory *d, size_t n)
{
    size_t buckets = 1;
    while (buckets * AVERAGE < n)
        buckets *= 2;
    d->memory = calloc(buckets + 1, sizeof *d->buckets); /* pages that nobody touches yet */
    uintptr_t line = (uintptr_t)d->memory + sizeof *d->buckets - 1;
    d->buckets = (void *)(line - line % sizeof *d->buckets);
    d->mask = buckets - 1;
    return d->memory;
}

void sd_directory_fini(struct sd_directory *d)
{
    free(d->memory);
    *d = (struct sd_directory){0};
}

static uint64_t entry_of(uint64_t hash, unsigned member)
{
    return hash << MEMBER_BITS | (member + 1);
}

static size_t first_bucket(const struct sd_directory *d, uint64_t hash)
{
    return hash >> (64 - MEMBER_BITS - 32) & d->mask;
}

static bool same_hash(uint64_t entry, uint64_t hash)
{
    return entry && entry >> MEMBER_BITS == hash << MEMBER_BITS >> MEMBER_BITS;
}

int sd_directory_find(const struct sd_directory *d, uint64_t hash)
{
    size_t at = first_bucket(d, hash);
    for (size_t i = 0; i <= d->mask; i++, at = (at + 1) & d->mask) {
        const struct sd_bucket *b = &d->buckets[at];
        for (unsigned k = 0; k < SD_DIRECTORY_SLOTS; k++) {
            uint64_t entry = __atomic_load_n(&b->entry[k], __ATOMIC_ACQUIRE);
            if (same_hash(entry, hash))
                return (int)(entry & ((1 << MEMBER_BITS) - 1)) - 1;
        }
        if (!__atomic_load_n(&b->passed, __ATOMIC_ACQUIRE))
            break;
    }
    return -1;
}

/* The slot that holds this entry, or with 0 the next free one, and how many buckets after the first
 * one it is. */
static uint64_t *slot_with(const struct sd_directory *d, uint64_t hash, uint64_t entry,
                           size_t *beyond)
{
    size_t at = first_bucket(d, hash);
    for (*beyond = 0; *beyond <= d->mask; ++*beyond, at = (at + 1) & d->mask) {
        struct sd_bucket *b = &d->buckets[at];
        for (unsigned k = 0; k < SD_DIRECTORY_SLOTS; k++)
            if (b->entry[k] == entry)
                return &b->entry[k];
        if (entry && !b->passed)
            break;
    }
    return NULL;
}

static void count_passed(struct sd_directory *d, uint64_t hash, size_t beyond, uint64_t by)
{
    size_t at = first_bucket(d, hash);
    for (; beyond--; at = (at + 1) & d->mask)
        __atomic_store_n(&d->buckets[at].passed, d->buckets[at].passed + by, __ATOMIC_RELEASE);
}

bool sd_directory_add(struct sd_directory *d, uint64_t hash, unsigned member)
{
    size_t beyond;
    uint64_t *slot = slot_with(d, hash, 0, &beyond);
    if (!slot)
        return false;
    count_passed(d, hash, beyond, 1); /* before the entry: who finds no entry here goes on */
    __atomic_store_n(slot, entry_of(hash, member), __ATOMIC_RELEASE);
    return true;
}

void sd_directory_remove(struct sd_directory *d, uint64_t hash, unsigned member)
{
    size_t beyond;
    uint64_t *slot = slot_with(d, hash, entry_of(hash, member), &beyond);
    if (!slot)
        return;
    __atomic_store_n(slot, 0, __ATOMIC_RELEASE);
    count_passed(d, hash, beyond, (uint64_t)-1);
}
