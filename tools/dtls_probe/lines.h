/* SPDX-License-Identifier: MIT */
/* A line for each datagram, as packet analysers print it, and also its flight, retransmissions and
 * missing record numbers. */
#ifndef PROBE_LINES_H
#define PROBE_LINES_H

#include "dtls_probe/probe.h"

/* A line that waits for an earlier one. Owns its text. */
struct probe_held_line {
    int64_t time;
    uint64_t number;
    const char *color; /* static, or NULL */
    char *text;        /* what follows the time */
};

struct probe_messages;

struct probe_lines {
    FILE *to;
    int times; /* 'r'elative to the first line, 'd'elta, 'a'bsolute */
    unsigned verbose;
    bool color;
    const struct probe_messages *messages; /* of the datagram to print; NULL = none */
    int64_t first, before;                 /* ns; 0 = none yet */
    struct probe_held_line *held;          /* by time */
    size_t held_count, held_room;
};

void probe_line(struct probe_lines *l, const struct sd_packet *p);
/* Prints the line later, in order of time. When there is no room for it, some lines are printed
 * now. */
void probe_line_hold(struct probe_lines *l, const struct sd_packet *p);
/* Prints the held lines from before this time (ns). */
void probe_lines_release(struct probe_lines *l, int64_t before);
void probe_lines_free(struct probe_lines *l);

#endif
