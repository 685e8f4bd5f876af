/* SPDX-License-Identifier: MIT */
/* OpenSSL without the outside world: clock, random numbers and memory come from the harness, so an
 * input always does the same. fuzz_heap_now() sees what OpenSSL holds, also in a shared library. */
#ifndef FUZZ_OSSL_ENV_H
#define FUZZ_OSSL_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ossl_side { OSSL_CLIENT, OSSL_SERVER };
enum { OSSL_SECOND_US = 1000000 };

/* Sets the clock to the beginning and the random numbers to a seed; the server draws first. */
void ossl_env_begin(uint64_t seed);
void ossl_env_later(uint64_t us);
/* Runs an input, and checks that neither our code nor OpenSSL leaves memory on the heap. The whole
 * of LLVMFuzzerTestOneInput() for targets that run OpenSSL. */
void ossl_env_run(void (*run)(const uint8_t *, size_t), const uint8_t *data, size_t size);
/* Microseconds since the beginning. */
uint64_t ossl_env_now_us(void);
/* Which side draws random numbers from now on. Each side has its own, so that a recorded client
 * meets the same server again. */
void ossl_env_random(enum ossl_side side);
/* FUZZ_SPARE in the environment leaves out what leads to a known bug that ends the program, so that
 * an OpenSSL with this bug can be fuzzed for others. Names with commas between them:
 * "CVE-2026-84782", or "memory" (no allocation fails). */
bool ossl_env_spares(const char *name);
/* The n-th allocation of OpenSSL from now on fails, once; 0: none fails. Returns how many were left
 * until the failure that was set before. */
unsigned ossl_env_scarce(unsigned n);

#endif
