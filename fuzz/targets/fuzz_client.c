/* SPDX-License-Identifier: MIT */
/* A client of ours under attack: see peers/hostile.h. */
#include "openssl/ossl_env.h"
#include "peers/hostile.h"
#include "peers/sim.h"

static void run_once(const uint8_t *data, size_t size)
{
    hostile_run(OSSL_CLIENT, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ossl_env_run(run_once, data, size);
    return 0;
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    hostile_seeds(s, OSSL_CLIENT);
}
