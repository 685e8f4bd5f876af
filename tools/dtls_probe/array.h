/* Arrays that grow. */
#ifndef PROBE_ARRAY_H
#define PROBE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* Room for one more element of `size` bytes after `count`: the array, perhaps at another place.
 * NULL when memory ran out; the array of before is still there. */
void *probe_array_grow(void *array, size_t count, size_t *room, size_t size);

#endif
