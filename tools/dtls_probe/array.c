/* SPDX-License-Identifier: MIT */
#include "dtls_probe/array.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };

void *probe_array_grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t more = *room ? 2 * *room : FIRST_ROOM;
    void *bigger = realloc(array, more * size);
    if (bigger)
        *room = more;
    return bigger;
}
