/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void *libc_resize(void *arg, void *block, size_t size)
{
    (void)arg;
    if (size)
        return realloc(block, size);
    free(block);
    return NULL;
}

struct sd_alloc sd_alloc_libc(void)
{
    return (struct sd_alloc){.resize = libc_resize};
}

void *sd_alloc_new(const struct sd_alloc *a, size_t size)
{
    void *block = a->resize(a->arg, NULL, size);
    if (block)
        memset(block, 0, size);
    return block;
}

void sd_alloc_free(const struct sd_alloc *a, void *block)
{
    if (block)
        a->resize(a->arg, block, 0);
}
