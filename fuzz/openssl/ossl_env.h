/* OpenSSL without the outside world: clock, randomness and memory of the process are ours, so that
 * an input always does the same. Whatever OpenSSL holds of the heap is seen by fuzz_heap_now(),
 * also in a shared library. */
#ifndef FUZZ_OSSL_ENV_H
#define FUZZ_OSSL_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ossl_side { OSSL_CLIENT, OSSL_SERVER };

/* The clock as at the beginning, random numbers from that seed, those of the server first. */
void ossl_env_begin(uint64_t seed);
void ossl_env_later(uint64_t us);
/* Does that with the input, and checks that nothing of the heap is left behind: neither ours, nor
 * OpenSSL's. What LLVMFuzzerTestOneInput() is for the targets that run OpenSSL. */
void ossl_env_run(void (*run)(const uint8_t *, size_t), const uint8_t *data, size_t size);
/* Since the beginning. */
uint64_t ossl_env_now_us(void);
/* Who draws random numbers from now on: each side has its own, so that a recorded client finds the
 * same server again. */
void ossl_env_random(enum ossl_side side);
/* FUZZ_SPARE in the environment, names with commas between them, leaves out what leads to a bug
 * that is known and that ends the program, so that an OpenSSL that has it can be fuzzed for others:
 * "CVE-2026-84782", or "memory": no allocation fails. */
bool ossl_env_spares(const char *name);
/* The n-th allocation of OpenSSL from now on fails, once; 0: none does. Gives what was left of the
 * number before. */
unsigned ossl_env_scarce(unsigned n);

#endif
