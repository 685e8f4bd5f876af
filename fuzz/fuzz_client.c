/* A client of ours under attack: see hostile.c. */
#include "hostile.h"
#include "sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return hostile_run(SIM_CLIENT, data, size);
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    hostile_seeds(s, SIM_CLIENT);
}
