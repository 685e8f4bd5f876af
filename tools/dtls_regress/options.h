/* The command line of dtls_regress. */
#ifndef REGRESS_OPTIONS_H
#define REGRESS_OPTIONS_H

#include <stdbool.h>

#include "common/options.h"

enum { ONLY_MAX = 128 };

struct regress_config {
    const char *only[ONLY_MAX];
    bool list, json, expect, diff, quiet, help, version;
    const char *explain, *known, *completion, *inject;
    unsigned seconds;
    int color;
    const char *old, *new; /* of --diff */
};

extern const struct tool_usage regress_usage;

bool regress_options(struct regress_config *c, int argc, char **argv, char why[static TOOL_WHY]);

#endif
