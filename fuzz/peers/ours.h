/* SPDX-License-Identifier: MIT */
/* A side of ours: a session with its guard; a server has the gate in front of it. */
#ifndef FUZZ_OURS_H
#define FUZZ_OURS_H

#include "peers/sim.h"

extern const struct sim_stack ours_stack;

/* What a program may do to sessions of ours; then less is promised. */
enum ours_odd {
    OURS_STRICT = 1,  /* neither side trusts the other's certificate, and a client needs one */
    OURS_WAITING = 2, /* callbacks of the program put off their answer once */
    OURS_RAW = 4,     /* without the guard: SDTLS_F_RAW */
    OURS_NARROW = 8,  /* the route carries next to nothing */
    OURS_ODD = 16,
    OURS_SUITES = 5 /* choices of cipher suites; 0: those of the kind */
};

#endif
