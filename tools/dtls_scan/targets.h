/* SPDX-License-Identifier: MIT */
/* The servers to scan: that of the command line, or those in a file. */
#ifndef SCAN_TARGETS_H
#define SCAN_TARGETS_H

#include <stdio.h>

#include "dtls_scan/options.h"

struct scan_targets {
    const struct scan_config *cfg;
    FILE *file;
    unsigned line;
    bool done;
};

/* False with the sentence in `why` when the file cannot be read. */
bool scan_targets_open(struct scan_targets *t, const struct scan_config *c,
                       char why[static TOOL_WHY]);
/* 1, 0 after the last, -1 with the sentence in `why` for a line that is no server. */
int scan_targets_next(struct scan_targets *t, struct tool_target *target,
                      char why[static TOOL_WHY]);
void scan_targets_close(struct scan_targets *t);

#endif
