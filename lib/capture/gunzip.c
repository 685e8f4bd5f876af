/* SPDX-License-Identifier: MIT */
#include "capture/gunzip.h"

#include <errno.h>
#include <stdlib.h>

#ifdef SD_HAVE_ZLIB
#define ZLIB_CONST
#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS, MOST = 1 << 30 };

struct sd_gunzip {
    z_stream z;
    bool between; /* a member has ended */
    bool bad;
    bool over; /* no member follows: padding, as tape drives write it */
};

int sd_gunzip_new(struct sd_gunzip **out)
{
    struct sd_gunzip *g = calloc(1, sizeof *g);
    if (!g)
        return -ENOMEM;
    if (inflateInit2(&g->z, GZIP_ONLY) != Z_OK) {
        free(g);
        return -ENOMEM;
    }
    *out = g;
    return 0;
}

void sd_gunzip_free(struct sd_gunzip *g)
{
    if (!g)
        return;
    inflateEnd(&g->z);
    free(g);
}

bool sd_gunzip_whole(const struct sd_gunzip *g)
{
    return g->between;
}

/* False when there is no further member. */
static bool next_member(struct sd_gunzip *g, struct sd_span *in)
{
    if (in->p[0] == 0x1f && !g->over && inflateReset(&g->z) == Z_OK) {
        g->between = false;
        return true;
    }
    g->over = true;
    *in = (struct sd_span){0};
    return false;
}

ssize_t sd_gunzip_run(struct sd_gunzip *g, struct sd_span *in, uint8_t *to, size_t room)
{
    uInt space = room < MOST ? (uInt)room : MOST;
    g->z.next_out = to;
    g->z.avail_out = space;
    while (in->len && g->z.avail_out == space && !g->bad) {
        if (g->between && !next_member(g, in))
            return 0;
        uInt given = in->len < MOST ? (uInt)in->len : MOST;
        g->z.next_in = in->p;
        g->z.avail_in = given;
        int result = inflate(&g->z, Z_NO_FLUSH);
        in->p += given - g->z.avail_in;
        in->len -= given - g->z.avail_in;
        g->bad = result != Z_OK && result != Z_STREAM_END;
        g->between = result == Z_STREAM_END;
    }
    size_t made = space - g->z.avail_out; /* also what came before the damage */
    return made || !g->bad ? (ssize_t)made : -1;
}

#else

int sd_gunzip_new(struct sd_gunzip **out)
{
    *out = NULL;
    return -ENOTSUP;
}

void sd_gunzip_free(struct sd_gunzip *g)
{
    (void)g;
}

bool sd_gunzip_whole(const struct sd_gunzip *g)
{
    (void)g;
    return true;
}

ssize_t sd_gunzip_run(struct sd_gunzip *g, struct sd_span *in, uint8_t *to, size_t room)
{
    (void)g, (void)in, (void)to, (void)room;
    return -1;
}

#endif
