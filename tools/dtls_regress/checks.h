/* SPDX-License-Identifier: MIT */
/* All checks, in the order in which they are shown. */
#ifndef REGRESS_CHECKS_H
#define REGRESS_CHECKS_H

#include "dtls_regress/check.h"

/* NULL after the last. */
const struct regress_check *regress_check_at(size_t index);
/* NULL: no check has this name. */
const struct regress_check *regress_check_find(const char *name);

#endif
