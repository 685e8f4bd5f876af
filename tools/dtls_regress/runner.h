/* SPDX-License-Identifier: MIT */
/* Runs a check in a process of its own: a crash or a hang there is a result. */
#ifndef REGRESS_RUNNER_H
#define REGRESS_RUNNER_H

#include "dtls_regress/result.h"

/* What is broken on purpose, for tests of this program. */
enum regress_fault {
    FAULT_NONE,
    FAULT_CRASH,  /* the check crashes */
    FAULT_HANG,   /* the check waits for ever */
    FAULT_SPIN,   /* the check computes for ever */
    FAULT_STARVE, /* the check gets no CPU time */
    FAULT_BROKEN, /* the check does not work */
    FAULT_FLIP,   /* the answer is the opposite, or another value */
    FAULT_DEAF,   /* no datagram of the lab arrives */
    FAULT_FROZEN  /* the clock of the lab stands still */
};

/* The check hangs when it has used this many seconds of CPU time, or when it sleeps after this many
 * seconds. When it does neither for REGRESS_PATIENCE times as long, the machine gave it too little
 * CPU time: that is inconclusive. */
enum { REGRESS_PATIENCE = 5 };
struct regress_result regress_run(const struct regress_check *check, unsigned seconds,
                                  enum regress_fault fault);

#endif
