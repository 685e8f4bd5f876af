/* SPDX-License-Identifier: MIT */
/* Which member of a group has a peer: a table that any thread reads without a lock, because every
 * datagram of an unknown sender is looked up in it. It holds no peers, only hashes, so nothing in
 * it can be gone while it is read. One thread at a time changes it. */
#ifndef SD_NET_DIRECTORY_H
#define SD_NET_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SD_DIRECTORY_SLOTS = 7, SD_DIRECTORY_MEMBERS = 255 };

/* One line of the cache: entries, and how many more belong here but lie in later buckets. An entry
 * is 56 bits of the hash and 8 bits that name the member; 0 is free. */
struct sd_bucket {
    uint64_t entry[SD_DIRECTORY_SLOTS];
    uint64_t passed;
};

struct sd_directory {
    void *memory;
    struct sd_bucket *buckets;
    size_t mask;
};

/* Room for at least n entries; false: no memory. The memory is used only where entries are. */
bool sd_directory_init(struct sd_directory *d, size_t n);
void sd_directory_fini(struct sd_directory *d);
/* The member that has it, or -1. Hashes come from sd_hash with a secret key. */
int sd_directory_find(const struct sd_directory *d, uint64_t hash);
/* A hash that is not in the table; false when it is full. */
bool sd_directory_add(struct sd_directory *d, uint64_t hash, unsigned member);
/* The same hash and member as were added; nothing happens otherwise. */
void sd_directory_remove(struct sd_directory *d, uint64_t hash, unsigned member);

#endif
