/* SPDX-License-Identifier: MIT */
/* A file in memory: open(), read() and close() of its name are wrapped at link time. */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILE_NAME "/bytes"

/* From now on FILE_NAME holds these bytes; each read() gives at most `most` of them, and every
 * `interrupt`-th fails with EINTR or EAGAIN (0: none). */
void file_set(const uint8_t *data, size_t size, size_t most, unsigned interrupt);
/* The part of the buffer that a read() did not fill is poisoned until the next one. */
void file_guard(bool on);
/* The n-th read() from now on fails with EIO; 0: none fails. */
void file_fail(unsigned n);
/* What open() finds: the file, none, or a folder. */
enum file_kind { FILE_PLAIN, FILE_MISSING, FILE_FOLDER };
void file_kind(enum file_kind kind);
/* How many descriptors of it are open. */
int file_open_count(void);

#endif
