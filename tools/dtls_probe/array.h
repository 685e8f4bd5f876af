/* SPDX-License-Identifier: MIT */
/* Arrays that grow. */
#ifndef PROBE_ARRAY_H
#define PROBE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* Makes room for one more element of `size` bytes after `count`; returns the array, which may have
 * moved. NULL when memory ran out; `array` is still valid then. */
void *probe_array_grow(void *array, size_t count, size_t *room, size_t size);

#endif
