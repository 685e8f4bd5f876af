/* SPDX-License-Identifier: MIT */
/* The allocator that pure layers are handed: they call no other. */
#ifndef SD_BASE_ALLOC_H
#define SD_BASE_ALLOC_H

#include <stddef.h>

struct sd_alloc {
    void *arg;
    /* As realloc(): NULL makes a block, size 0 frees it. */
    void *(*resize)(void *arg, void *block, size_t size);
};

/* That of libc. */
struct sd_alloc sd_alloc_libc(void);

/* A zeroed block, or NULL. */
void *sd_alloc_new(const struct sd_alloc *a, size_t size);
void sd_alloc_free(const struct sd_alloc *a, void *block);

#endif
