/* SPDX-License-Identifier: MIT */
/* The bytes of a file, a pipe or a gzip file, in a window that moves forward.
 *
 * read() and not mmap(): when somebody truncates a mapped file, SIGBUS ends the reader; a pipe
 * needs the window anyway; and read() is not slower (31 against 28 million frames of 200 bytes
 * in a second). */
#ifndef SD_CAPTURE_BYTES_H
#define SD_CAPTURE_BYTES_H

#include "base/cursor.h"

struct sd_gunzip;

struct sd_bytes {
    const uint8_t *p, *end; /* what is at hand; the user moves p */
    uint8_t *window;
    size_t capacity;
    uint64_t base; /* offset of `window` in the (unpacked) stream */
    struct sd_gunzip *gunzip;
    struct sd_span packed; /* what gunzip has not seen yet, in `packed_buffer` */
    uint8_t *packed_buffer;
    size_t packed_capacity;
    int fd;
    int error;         /* errno of what failed, or 0 */
    const char *fault; /* what is wrong with the gzip data, or NULL; constant */
    bool cut;          /* the gzip data only ends too early */
    bool owned;        /* fd was opened here */
    bool over;         /* no more bytes will come */
};

/* "-" is the standard input. `window`: the size of a read at first; 0 = 256 KiB. 0 or -errno;
 * to be closed in either case. */
int sd_bytes_open(struct sd_bytes *s, const char *path, size_t window);
void sd_bytes_close(struct sd_bytes *s);
/* To be called first: unpacks the data from now on when it is gzip data. 0 or -errno: -ENOTSUP
 * when this build cannot. */
int sd_bytes_unpack(struct sd_bytes *s);
/* The part of sd_bytes_want() that reads. */
bool sd_bytes_fill(struct sd_bytes *s, size_t n);

static inline size_t sd_bytes_have(const struct sd_bytes *s)
{
    return (size_t)(s->end - s->p);
}

/* True when n bytes are at hand, after reading if necessary. Bytes before `p` are lost. */
static inline bool sd_bytes_want(struct sd_bytes *s, size_t n)
{
    return sd_bytes_have(s) >= n || sd_bytes_fill(s, n);
}

static inline uint64_t sd_bytes_offset(const struct sd_bytes *s)
{
    return s->base + (uint64_t)(s->p - s->window);
}

#endif
