/* SPDX-License-Identifier: MIT */
/* The command line of dtls_regress. */
#ifndef REGRESS_OPTIONS_H
#define REGRESS_OPTIONS_H

#include <stdbool.h>

#include "common/options.h"

enum { ONLY_MAX = 128 };

struct regress_config {
    const char *only[ONLY_MAX];
    bool list, json, expect, diff, quiet, help, version;
    const char *explain, *known, *completion;
    unsigned seconds;      /* --timeout */
    int inject;            /* enum regress_fault */
    int color;             /* enum tool_color */
    const char *old, *new; /* the files of --diff */
};

extern const struct tool_usage regress_usage;

/* False with the sentence in `why` when something is wrong. */
bool regress_options(struct regress_config *c, int argc, char **argv, char why[static TOOL_WHY]);

#endif
