/* SPDX-License-Identifier: MIT */
#include "dtls_probe/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64, ROOM_FIRST = 1024 };

struct probe_member {
    uint64_t frame, handshake;
};

/* --- sets --- */

static bool make_bits_room(struct probe_bits *b, size_t word)
{
    size_t room = b->room ? b->room : ROOM_FIRST;
    while (room <= word)
        room *= 2;
    uint64_t *words = reallocarray(b->words, room, sizeof *words);
    if (!words)
        return false;
    memset(words + b->room, 0, (room - b->room) * sizeof *words);
    b->words = words;
    b->room = room;
    return true;
}

static bool set_bit(struct probe_bits *b, uint64_t n)
{
    size_t word = n / WORD_BITS;
    if (word >= b->room && !make_bits_room(b, word))
        return false;
    b->words[word] |= UINT64_C(1) << n % WORD_BITS;
    return true;
}

static bool has_bit(const struct probe_bits *b, uint64_t n)
{
    size_t word = n / WORD_BITS;
    return word < b->room && b->words[word] & UINT64_C(1) << n % WORD_BITS;
}

/* --- members --- */

int probe_members_open(struct probe_members *m)
{
    m->pairs = tmpfile();
    return m->pairs ? 0 : errno;
}

void probe_members_add(struct probe_members *m, uint64_t frame, uint64_t handshake)
{
    struct probe_member pair = {frame, handshake};
    if (!m->error && fwrite(&pair, sizeof pair, 1, m->pairs) != 1)
        m->error = errno;
}

void probe_members_fail(struct probe_members *m, uint64_t handshake)
{
    m->lost |= !set_bit(&m->failed, handshake);
}

void probe_members_close(struct probe_members *m)
{
    struct probe_member pair;
    if (!m->pairs)
        return;
    if (!m->error && fseek(m->pairs, 0, SEEK_SET))
        m->error = errno;
    while (!m->error && fread(&pair, sizeof pair, 1, m->pairs) == 1)
        if (has_bit(&m->failed, pair.handshake))
            m->lost |= !set_bit(&m->frames, pair.frame);
    if (!m->error && ferror(m->pairs))
        m->error = EIO;
}

bool probe_members_has(const struct probe_members *m, uint64_t frame)
{
    return has_bit(&m->frames, frame);
}

void probe_members_free(struct probe_members *m)
{
    if (m->pairs)
        fclose(m->pairs);
    free(m->failed.words);
    free(m->frames.words);
    *m = (struct probe_members){0};
}
