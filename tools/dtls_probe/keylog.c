/* SPDX-License-Identifier: MIT */
#include "dtls_probe/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dtls_probe/opener.h"
#include "unseal/secrets.h"

enum { BLOCK = 1 << 16, FIRST_TEXT = 4096 };

static bool keep_line(struct probe_keylog *k)
{
    size_t need = k->length + k->held + 1;
    if (need > k->room) {
        size_t room = k->room ? 2 * k->room : FIRST_TEXT;
        char *more = realloc(k->text, room);
        if (!more)
            return false;
        k->text = more;
        k->room = room;
    }
    memcpy(k->text + k->length, k->line, k->held);
    k->text[need - 1] = '\n';
    k->length = need;
    return true;
}

bool probe_keylog_end(struct probe_keylog *k)
{
    size_t before = sd_secrets_taken(k->secrets);
    bool ok = sd_secrets_add(k->secrets, k->line, k->held);
    if (ok && k->keep && sd_secrets_taken(k->secrets) > before)
        ok = keep_line(k);
    k->held = 0;
    return ok;
}

/* What is past the room is dropped: no secret reaches that far. */
static void hold_bytes(struct probe_keylog *k, struct sd_span s)
{
    size_t room = sizeof k->line - k->held, n = s.len < room ? s.len : room;
    memcpy(k->line + k->held, s.p, n);
    k->held += n;
}

bool probe_keylog_add(struct probe_keylog *k, struct sd_span piece)
{
    bool ok = true;
    while (ok && piece.len) {
        const uint8_t *end = memchr(piece.p, '\n', piece.len);
        size_t len = end ? (size_t)(end - piece.p) : piece.len;
        hold_bytes(k, (struct sd_span){piece.p, len});
        if (end)
            ok = probe_keylog_end(k);
        len += end ? 1 : 0;
        piece = (struct sd_span){piece.p + len, piece.len - len};
    }
    return ok;
}

/* Up to the end of the file, or to where nothing is there yet. 0, or an errno. */
static int read_secrets(struct probe_keylog *k, int fd)
{
    uint8_t block[BLOCK];
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && errno != EAGAIN ? errno : 0;
        if (!probe_keylog_add(k, (struct sd_span){block, (size_t)n}))
            return ENOMEM;
    }
}

int probe_keylog_read(struct probe_keylog *k, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = read_secrets(k, fd);
    if (!error && !probe_keylog_end(k))
        error = ENOMEM;
    close(fd);
    return error;
}

/* A file that became shorter begins again. */
static void rewind_shortened(struct probe_keylog *k)
{
    struct stat st;
    if (fstat(k->fd, &st) || !S_ISREG(st.st_mode) || st.st_size >= lseek(k->fd, 0, SEEK_CUR))
        return;
    lseek(k->fd, 0, SEEK_SET);
    k->held = 0;
}

static int open_by_name(const struct probe_keylog *k, const char *path)
{
    if (k->opener)
        return probe_opener_ask(k->opener);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* The name leads to another file than before, as after a rotation. While that is empty, the writer
 * may still write to the old one. */
static bool is_successor(const struct probe_keylog *k, int fd)
{
    struct stat before, now;
    if (!k->open || fstat(k->fd, &before) || fstat(fd, &now))
        return !k->open;
    return now.st_size && (before.st_dev != now.st_dev || before.st_ino != now.st_ino);
}

static int read_successor(struct probe_keylog *k, int fd)
{
    if (k->open)
        close(k->fd);
    k->fd = fd;
    k->open = true;
    k->held = 0;
    return read_secrets(k, fd);
}

int probe_keylog_follow(struct probe_keylog *k, const char *path)
{
    int fd = open_by_name(k, path), error = 0;
    if (fd < 0 && !k->open)
        return fd == -ENOENT ? 0 : -fd;
    if (k->open) {
        rewind_shortened(k);
        error = read_secrets(k, k->fd);
    }
    if (fd >= 0 && !error && is_successor(k, fd))
        return read_successor(k, fd);
    if (fd >= 0)
        close(fd);
    return error;
}

void probe_keylog_free(struct probe_keylog *k)
{
    free(k->text);
    if (k->open)
        close(k->fd);
    *k = (struct probe_keylog){0};
}
