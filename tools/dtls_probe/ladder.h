/* SPDX-License-Identifier: MIT */
/* A handshake as a sequence diagram on a terminal. */
#ifndef PROBE_LADDER_H
#define PROBE_LADDER_H

#include <stdbool.h>
#include <stdio.h>

#include "dtls_probe/report.h"

enum { PROBE_LADDER_MIN = 60, PROBE_LADDER_USUAL = 80, PROBE_LADDER_MAX = 120 };

struct probe_ladder {
    unsigned width; /* columns, limited to MIN..MAX */
    bool utf8;      /* draw with box characters */
};

/* Only lanes and arrows, without any text from the network. True when all was written. */
bool probe_ladder_lanes(FILE *to, const struct probe_report *r, struct probe_ladder look);
/* A headline, the lanes, and the findings below. */
bool probe_ladder(FILE *to, const struct probe_report *r, struct probe_ladder look);

#endif
