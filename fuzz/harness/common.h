/* What every fuzz target has: its input as operations, its oracles, what it saw, its seeds.
 *
 * A target is fuzz_<name>.c with LLVMFuzzerTestOneInput() and fuzz_seeds(). It is deterministic:
 * no socket, no clock but its own, no randomness but fuzz_rng. */
#ifndef FUZZ_COMMON_H
#define FUZZ_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An oracle: when `ok` is false, what went wrong is printed and the program aborts, which is what
 * every engine takes for a finding. */
#define fuzz_check(ok, ...)                                                                        \
    do {                                                                                           \
        if (!(ok))                                                                                 \
            fuzz_fail(__FILE__, __LINE__, __VA_ARGS__);                                            \
    } while (0)
_Noreturn void fuzz_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* An operation on the wire: code, argument, length of the data in two bytes, the data. A length
 * beyond the end means what is left, so that cutting an input leaves the rest as it was. */
struct fuzz_op {
    uint8_t code, arg;
    struct sd_span data;
};

/* False at the end of the input. */
bool fuzz_op_next(struct sd_rd *in, struct fuzz_op *op);
void fuzz_op_put(struct sd_wr *out, uint8_t code, uint8_t arg, const void *data, size_t len);

/* What a run saw, for the digest that replay prints: two runs of one input must see the same. */
void fuzz_note(uint64_t what);
void fuzz_note_bytes(const void *data, size_t len);
void fuzz_digest_reset(void);
uint64_t fuzz_digest(void);

/* A digest that only has to tell two runs of the same program apart. Begin with FUZZ_SUM. */
#define FUZZ_SUM UINT64_C(0xcbf29ce484222325)
uint64_t fuzz_mix(uint64_t so_far, uint64_t what);
uint64_t fuzz_sum(uint64_t so_far, const void *data, size_t len);

/* Where a target has one: what the last run came to, in words. */
__attribute__((weak)) const char *fuzz_verdict(void);

/* The bytes in a block of exactly their length, so that a sanitizer sees one too far. For free().
 */
uint8_t *fuzz_copy(struct sd_span bytes);

/* The same without the heap, where every nanosecond counts: what lies behind the bytes is poisoned.
 * Good until the next bytes take the place. */
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

/* What the code under test holds of the heap: malloc() and its like are wrapped at link time for
 * everything that is linked statically, and only that. */
struct fuzz_heap {
    size_t blocks, bytes, peak; /* peak: of bytes, since fuzz_heap_mark() */
};

struct fuzz_heap fuzz_heap_now(void);
struct fuzz_heap fuzz_heap_mark(void);
/* The n-th allocation from now on fails, once; 0: none does. */
void fuzz_heap_fail(unsigned n);
/* For a library that takes its memory through functions: as malloc() and the others, counted and
 * failing with them, from the pool (pool.h). */
void *fuzz_heap_alloc(size_t size);
void *fuzz_heap_realloc(void *block, size_t size);
void fuzz_heap_free(void *block);
/* Files that are open, counted by what opens and closes them in this program. */
int fuzz_fds_now(void);

/* Every target gives its seeds: inputs made of real bytes. */
struct fuzz_seeder {
    const char *dir;
    bool failed;
};

void fuzz_seeds(struct fuzz_seeder *s);
/* A file of that content in the folder, named by it. */
void fuzz_seed(struct fuzz_seeder *s, const void *data, size_t len);

#endif
