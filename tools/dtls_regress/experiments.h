/* All experiments, in the order they are shown. */
#ifndef REGRESS_EXPERIMENTS_H
#define REGRESS_EXPERIMENTS_H

#include "dtls_regress/experiment.h"

/* NULL after the last. */
const struct experiment *experiment_at(size_t index);
const struct experiment *experiment_find(const char *name);

#endif
