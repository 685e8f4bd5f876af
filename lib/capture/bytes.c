/* SPDX-License-Identifier: MIT */
#include "capture/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/gunzip.h"

/* Stays in the second-level cache; 4 MiB were no faster. */
enum { WINDOW = 256 << 10 };

/* A directory can be opened, too; only read() would fail. */
static int open_file(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && !fstat(fd, &st) && S_ISDIR(st.st_mode)) {
        close(fd);
        errno = EISDIR;
        return -1;
    }
    return fd;
}

int sd_bytes_open(struct sd_bytes *s, const char *path, size_t window)
{
    *s = (struct sd_bytes){.fd = STDIN_FILENO};
    if (strcmp(path, "-") != 0) {
        s->fd = open_file(path);
        if (s->fd < 0)
            return -errno;
        s->owned = true;
    }
    s->capacity = window ? window : WINDOW;
    s->window = malloc(s->capacity);
    if (!s->window)
        return -ENOMEM;
    s->p = s->end = s->window;
    return 0;
}

void sd_bytes_close(struct sd_bytes *s)
{
    if (s->owned)
        close(s->fd);
    sd_gunzip_free(s->gunzip);
    free(s->packed_buffer);
    free(s->window);
    *s = (struct sd_bytes){0};
}

/* read(), but an interruption does not end it: after Ctrl-C in `tcpdump -w - | ...`
 * tcpdump still flushes what it has. A non-blocking standard input is waited for. */
static ssize_t read_some(int fd, void *to, size_t room)
{
    for (;;) {
        ssize_t n = read(fd, to, room);
        if (n >= 0)
            return n;
        if (errno == EAGAIN)
            poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
        else if (errno != EINTR)
            return -errno;
    }
}

static ssize_t read_packed(struct sd_bytes *s, uint8_t *to, size_t room)
{
    for (;;) {
        ssize_t n = sd_gunzip_run(s->gunzip, &s->packed, to, room);
        if (n < 0)
            s->fault = "the gzip data is damaged";
        if (n != 0)
            return n > 0 ? n : 0;
        n = read_some(s->fd, s->packed_buffer, s->packed_capacity);
        s->cut = n == 0 && !sd_gunzip_whole(s->gunzip);
        if (s->cut)
            s->fault = "the gzip data ends too early";
        if (n <= 0)
            return n;
        s->packed = (struct sd_span){s->packed_buffer, (size_t)n};
    }
}

/* Moves the bytes at hand to the beginning of the window, and enlarges it when one record fills
 * it. It grows with bytes that came, not with a length that is claimed. */
static bool make_window_room(struct sd_bytes *s)
{
    size_t have = sd_bytes_have(s);
    s->base += (uint64_t)(s->p - s->window);
    memmove(s->window, s->p, have);
    if (have == s->capacity) {
        uint8_t *larger = realloc(s->window, s->capacity * 2);
        if (!larger) {
            s->error = ENOMEM;
            return false;
        }
        s->window = larger;
        s->capacity *= 2;
    }
    s->p = s->window;
    s->end = s->window + have;
    return true;
}

/* One read, so that we do not wait for more of a pipe than a record needs. */
static bool read_more(struct sd_bytes *s)
{
    uint8_t *to = s->window + (s->end - s->window);
    size_t room = s->capacity - (size_t)(s->end - s->window);
    ssize_t n = s->gunzip ? read_packed(s, to, room) : read_some(s->fd, to, room);
    if (n < 0)
        s->error = (int)-n;
    if (n <= 0)
        return false;
    s->end += n;
    return true;
}

bool sd_bytes_fill(struct sd_bytes *s, size_t n)
{
    while (!s->over && sd_bytes_have(s) < n)
        s->over = !make_window_room(s) || !read_more(s);
    return sd_bytes_have(s) >= n;
}

int sd_bytes_unpack(struct sd_bytes *s)
{
    if (!sd_bytes_want(s, 2) || s->p[0] != 0x1f || s->p[1] != 0x8b)
        return 0;
    int rc = sd_gunzip_new(&s->gunzip);
    if (rc)
        return rc;
    /* What was already read is packed data, at most one window of it. */
    s->packed_buffer = malloc(s->capacity);
    if (!s->packed_buffer)
        return -ENOMEM;
    s->packed_capacity = s->capacity;
    size_t have = sd_bytes_have(s);
    memcpy(s->packed_buffer, s->p, have);
    s->packed = (struct sd_span){s->packed_buffer, have};
    s->p = s->end = s->window;
    s->over = false;
    return 0;
}
