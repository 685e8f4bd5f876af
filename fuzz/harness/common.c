/* SPDX-License-Identifier: MIT */
#include "harness/common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

void fuzz_fail(const char *file, int line, const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "ORACLE %s:%d: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

bool fuzz_op_next(struct sd_rd *in, struct fuzz_op *op)
{
    op->code = sd_rd_u8(in);
    op->arg = sd_rd_u8(in);
    size_t len = sd_rd_u16(in);
    if (in->bad)
        return false;
    size_t left = sd_rd_left(in);
    op->data = sd_rd_bytes(in, len < left ? len : left);
    return true;
}

void fuzz_op_put(struct sd_wr *out, uint8_t code, uint8_t arg, const void *data, size_t len)
{
    sd_wr_u8(out, code);
    sd_wr_u8(out, arg);
    size_t mark = sd_wr_open(out, 2);
    sd_wr_bytes(out, data, len);
    sd_wr_close(out, mark, 2);
}

/* FNV's prime, a word at a time. */
uint64_t fuzz_mix(uint64_t so_far, uint64_t what)
{
    so_far = (so_far ^ what) * UINT64_C(0x100000001b3);
    return so_far ^ so_far >> 32;
}

uint64_t fuzz_sum(uint64_t so_far, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t word;
    for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
        memcpy(&word, p, sizeof word);
        so_far = fuzz_mix(so_far, word);
    }
    for (; len; len--)
        so_far = fuzz_mix(so_far, *p++);
    return so_far;
}

static uint64_t digest;

void fuzz_digest_reset(void)
{
    digest = FUZZ_SUM;
}

void fuzz_note(uint64_t what)
{
    digest = fuzz_mix(digest, what);
}

void fuzz_note_bytes(const void *data, size_t len)
{
    digest = fuzz_sum(digest, data, len);
}

uint64_t fuzz_digest(void)
{
    return digest;
}

uint64_t fuzz_random(struct fuzz_rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void fuzz_random_bytes(struct fuzz_rng *r, void *out, size_t len)
{
    uint8_t *p = out;
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)fuzz_random(r);
}

void fuzz_seed(struct fuzz_seeder *s, const void *data, size_t len)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%016llx", s->dir,
             (unsigned long long)sd_hash((struct sd_hash_key){1, 2}, data, len));
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, len, f) != len)
        s->failed = true;
    if (f && fclose(f))
        s->failed = true;
}
