/* SPDX-License-Identifier: MIT */
#include "harness/file.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "harness/poison.h"

enum { FILE_FD = 1 << 20 };

static struct {
    const uint8_t *data;
    size_t size, at, most;
    unsigned interrupt, reads, fail;
    int open;
    bool guard;
    enum file_kind kind;
} file;

ssize_t __real_read(int fd, void *to, size_t room);
int __real_close(int fd);
int __real_fstat(int fd, struct stat *st);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *to, size_t room);
int __wrap_close(int fd);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);

void file_set(const uint8_t *data, size_t size, size_t most, unsigned interrupt)
{
    file.data = data;
    file.size = size;
    file.most = most;
    file.interrupt = interrupt;
    file.reads = 0;
}

void file_guard(bool on)
{
    file.guard = on;
}

void file_fail(unsigned n)
{
    file.fail = n;
}

void file_kind(enum file_kind kind)
{
    file.kind = kind;
}

int file_open_count(void)
{
    return file.open;
}

/* No other file exists. */
int __wrap_open(const char *path, int flags, ...)
{
    (void)flags;
    if (strcmp(path, FILE_NAME) != 0 || file.kind == FILE_MISSING) {
        errno = ENOENT;
        return -1;
    }
    file.at = 0;
    file.open++;
    return FILE_FD;
}

ssize_t __wrap_read(int fd, void *to, size_t room)
{
    if (fd != FILE_FD)
        return __real_read(fd, to, room);
    if (file.fail && --file.fail == 0) {
        errno = EIO;
        return -1;
    }
    if (file.interrupt && ++file.reads % file.interrupt == 0) {
        errno = file.reads % 2 ? EINTR : EAGAIN;
        return -1;
    }
    size_t n = file.size - file.at;
    n = n < room ? n : room;
    n = n < file.most ? n : file.most;
    ASAN_UNPOISON_MEMORY_REGION(to, room);
    if (n)
        memcpy(to, file.data + file.at, n);
    if (file.guard)
        ASAN_POISON_MEMORY_REGION((char *)to + n, room - n);
    file.at += n;
    return (ssize_t)n;
}

int __wrap_fstat(int fd, struct stat *st)
{
    if (fd != FILE_FD)
        return __real_fstat(fd, st);
    *st = (struct stat){.st_mode = file.kind == FILE_FOLDER ? S_IFDIR : S_IFREG};
    return 0;
}

/* A file that was not ready is ready the next time. */
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    return fds->fd == FILE_FD ? 1 : __real_poll(fds, n, timeout);
}

int __wrap_close(int fd)
{
    if (fd != FILE_FD)
        return __real_close(fd);
    file.open--;
    return 0;
}
