/* Runs a check in a process of its own: a crash or a hang there is a result. */
#ifndef REGRESS_RUNNER_H
#define REGRESS_RUNNER_H

#include "dtls_regress/result.h"

/* What is broken on purpose, for tests of this program. */
enum regress_fault {
    FAULT_NONE,
    FAULT_CRASH,  /* the check crashes */
    FAULT_HANG,   /* the check hangs */
    FAULT_BROKEN, /* the check does not work */
    FAULT_FLIP,   /* the answer is the opposite, or another value */
    FAULT_DEAF,   /* no datagram of the lab arrives */
    FAULT_FROZEN  /* the clock of the lab stands still */
};

/* Ends the check after this many seconds: it hangs. */
struct regress_result regress_run(const struct regress_check *check, unsigned seconds,
                                  enum regress_fault fault);

#endif
