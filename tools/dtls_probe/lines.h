/* SPDX-License-Identifier: MIT */
/* A line for each datagram, as packet analysers print it, and also its flight, retransmissions and
 * missing record numbers. */
#ifndef PROBE_LINES_H
#define PROBE_LINES_H

#include "dtls_probe/probe.h"

struct probe_lines {
    FILE *to;
    int times; /* 'r'elative to the first line, 'd'elta, 'a'bsolute */
    unsigned verbose;
    bool color;
    int64_t first, before; /* ns; 0 = none yet */
};

void probe_line(struct probe_lines *l, const struct sd_packet *p);

#endif
