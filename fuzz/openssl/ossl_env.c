/* SPDX-License-Identifier: MIT */
/* RAND_METHOD is the only way to replace all random numbers of the library. It is deprecated, but
 * works in every version up to 4.0. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include "openssl/ossl_env.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "harness/common.h"
#include "harness/pool.h"

static const int64_t epoch_us = INT64_C(1700000000) * OSSL_SECOND_US;
static int64_t now_us;
static struct fuzz_rng random_of[2];
static enum ossl_side drawing;
static unsigned scarce;

/* OpenSSL calls these for the time of timers, tickets and certificates. */
__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv,
                                                        void *restrict zone)
{
    (void)zone;
    tv->tv_sec = (time_t)(now_us / OSSL_SECOND_US);
    tv->tv_usec = (suseconds_t)(now_us % OSSL_SECOND_US);
    return 0;
}

__attribute__((visibility("default"))) time_t time(time_t *out)
{
    time_t now = (time_t)(now_us / OSSL_SECOND_US);
    if (out)
        *out = now;
    return now;
}

static int random_bytes(unsigned char *out, int len)
{
    fuzz_random_bytes(&random_of[drawing], out, (size_t)len);
    return 1;
}

static int random_status(void)
{
    return 1;
}

static bool fails(void)
{
    return scarce && --scarce == 0;
}

static void *mem_alloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : fuzz_heap_alloc(size);
}

static void *mem_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : fuzz_heap_realloc(block, size);
}

static void mem_free(void *block, const char *file, int line)
{
    (void)file, (void)line;
    fuzz_heap_free(block);
}

/* Runs before any other call of OpenSSL. */
__attribute__((constructor)) static void prepare(void)
{
    static const RAND_METHOD method = {
        .bytes = random_bytes, .pseudorand = random_bytes, .status = random_status};
    fuzz_check(CRYPTO_set_mem_functions(mem_alloc, mem_realloc, mem_free),
               "OpenSSL has allocated memory already");
    fuzz_check(RAND_set_rand_method(&method), "OpenSSL does not accept other random numbers");
}

void ossl_env_begin(uint64_t seed)
{
    now_us = epoch_us;
    random_of[OSSL_SERVER].state = seed;
    random_of[OSSL_CLIENT].state = seed + 1;
    drawing = OSSL_SERVER;
}

/* OpenSSL makes some objects once, in the first run that needs them, and keeps them. So a second
 * run of the same input must hold no more memory than the first. */
void ossl_env_run(void (*run)(const uint8_t *, size_t), const uint8_t *data, size_t size)
{
    const struct fuzz_heap before = fuzz_heap_now();
    pool_next_run();
    run(data, size);
    const struct fuzz_heap first = fuzz_heap_now();
    if (first.blocks <= before.blocks)
        return;
    fuzz_digest_reset();
    pool_next_run();
    run(data, size);
    fuzz_check(fuzz_heap_now().blocks <= first.blocks, "%zu bytes in %zu blocks are left",
               fuzz_heap_now().bytes - first.bytes, fuzz_heap_now().blocks - first.blocks);
}

uint64_t ossl_env_now_us(void)
{
    return (uint64_t)(now_us - epoch_us);
}

void ossl_env_later(uint64_t us)
{
    now_us += (int64_t)us;
}

void ossl_env_random(enum ossl_side side)
{
    drawing = side;
}

bool ossl_env_spares(const char *name)
{
    const char *spared = getenv("FUZZ_SPARE");
    return spared && strstr(spared, name);
}

unsigned ossl_env_scarce(unsigned n)
{
    const unsigned left = scarce;
    scarce = n;
    return left;
}
