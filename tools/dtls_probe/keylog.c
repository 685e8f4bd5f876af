/* SPDX-License-Identifier: MIT */
#include "dtls_probe/keylog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int probe_keylog_read(struct probe_keylog *k, const char *path)
{
    uint8_t block[BLOCK];
    int error = 0;
    size_t n;
    FILE *f = fopen(path, "re");
    if (!f)
        return errno;
    while (!error && (n = fread(block, 1, sizeof block, f)) > 0)
        error = probe_keylog_add(k, (struct sd_span){block, n}) ? 0 : ENOMEM;
    if (!error && ferror(f))
        error = errno;
    if (!error && !probe_keylog_end(k))
        error = ENOMEM;
    fclose(f);
    return error;
}

void probe_keylog_free(struct probe_keylog *k)
{
    free(k->text);
    *k = (struct probe_keylog){0};
}
