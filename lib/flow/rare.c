/* SPDX-License-Identifier: MIT */
#include "flow/internal.h"

struct sd_rare *sd_rare_new(struct sd_tracker *t, struct sd_exchange *x)
{
    if (!x->rare)
        x->rare = sd_alloc_new(&t->config.alloc, sizeof *x->rare);
    t->counts.no_memory += !x->rare;
    return x->rare;
}

void sd_rare_free(const struct sd_alloc *a, struct sd_exchange *x)
{
    if (x->rare)
        sd_alloc_free(a, x->rare->first_hello);
    sd_alloc_free(a, x->rare);
    x->rare = NULL;
}
