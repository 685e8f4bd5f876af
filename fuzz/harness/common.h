/* SPDX-License-Identifier: MIT */
/* What every target uses: operations of an input, oracles, a digest of what a run saw, counted
 * memory, seeds.
 *
 * A target is targets/fuzz_<name>.c with LLVMFuzzerTestOneInput() and fuzz_seeds(). It is
 * deterministic: it opens no socket, and has a clock of its own and no random numbers but
 * fuzz_rng. */
#ifndef FUZZ_COMMON_H
#define FUZZ_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An oracle: when `ok` is false, it prints what went wrong and aborts the program. Every engine
 * reports that as a finding. */
#define fuzz_check(ok, ...)                                                                        \
    do {                                                                                           \
        if (!(ok))                                                                                 \
            fuzz_fail(__FILE__, __LINE__, __VA_ARGS__);                                            \
    } while (0)
_Noreturn void fuzz_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* An operation in an input: code, argument, length of the data in two bytes, the data. A length
 * beyond the end of the input means all bytes that are left, so a cut input keeps its other
 * operations. */
struct fuzz_op {
    uint8_t code, arg;
    struct sd_span data;
};

/* False at the end of the input. */
bool fuzz_op_next(struct sd_rd *in, struct fuzz_op *op);
void fuzz_op_put(struct sd_wr *out, uint8_t code, uint8_t arg, const void *data, size_t len);

/* What a run saw goes into the digest that replay prints: two runs of one input must have the same
 * digest. */
void fuzz_note(uint64_t what);
void fuzz_note_bytes(const void *data, size_t len);
void fuzz_digest_reset(void);
uint64_t fuzz_digest(void);

/* A hash for comparisons within one program. Begin with FUZZ_SUM. */
#define FUZZ_SUM UINT64_C(0xcbf29ce484222325)
uint64_t fuzz_mix(uint64_t so_far, uint64_t what);
uint64_t fuzz_sum(uint64_t so_far, const void *data, size_t len);

/* If a target defines it: the result of the last run, in words. */
__attribute__((weak)) const char *fuzz_verdict(void);

/* The bytes in a block of exactly their length, so that a sanitizer sees an access beyond them. The
 * caller frees it with free(). */
uint8_t *fuzz_copy(struct sd_span bytes);

/* The same without the heap, for fast targets: the bytes after them are poisoned. Valid until the
 * place is used again. */
struct fuzz_place {
    _Alignas(8) uint8_t bytes[1024];
};

uint8_t *fuzz_place(struct fuzz_place *place, struct sd_span bytes);

/* SplitMix64. */
struct fuzz_rng {
    uint64_t state;
};

uint64_t fuzz_random(struct fuzz_rng *r);
void fuzz_random_bytes(struct fuzz_rng *r, void *out, size_t len);

/* The heap that the code under test holds. malloc() and its relatives are wrapped at link time, so
 * only code that is linked statically counts. */
struct fuzz_heap {
    size_t blocks, bytes, peak; /* peak: of bytes, since fuzz_heap_mark() */
};

struct fuzz_heap fuzz_heap_now(void);
struct fuzz_heap fuzz_heap_mark(void);
/* The n-th allocation from now on fails, once; 0: none fails. */
void fuzz_heap_fail(unsigned n);
/* For a library that gets its memory through functions: like malloc() and its relatives, counted
 * and failing with them, from the pool (pool.h). */
void *fuzz_heap_alloc(size_t size);
void *fuzz_heap_realloc(void *block, size_t size);
void fuzz_heap_free(void *block);
/* Number of open files, as this program opens and closes them. */
int fuzz_fds_now(void);

/* Every target gives its seeds: inputs made of real bytes. */
struct fuzz_seeder {
    const char *dir;
    bool failed;
};

void fuzz_seeds(struct fuzz_seeder *s);
/* Writes a file into the folder; its name is a hash of its bytes. */
void fuzz_seed(struct fuzz_seeder *s, const void *data, size_t len);

#endif
