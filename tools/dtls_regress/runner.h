/* One experiment in a child of its own: what crashes or hangs there is a result. */
#ifndef REGRESS_RUNNER_H
#define REGRESS_RUNNER_H

#include <stdbool.h>

#include "dtls_regress/experiments.h"

enum fault {
    FAULT_NONE,
    FAULT_CRASH,  /* the experiment is replaced by one that crashes, */
    FAULT_HANG,   /* that hangs, */
    FAULT_BROKEN, /* that does not work, */
    FAULT_FLIP,   /* or whose answer is turned around; */
    FAULT_DEAF,   /* no datagram of the bench arrives, */
    FAULT_FROZEN  /* or its clock stands still */
};

enum judgement {
    JUDGED_GOOD, /* fixed */
    JUDGED_BAD,  /* vulnerable, crashes, hangs */
    JUDGED_INFO, /* a value */
    JUDGED_NA,   /* not applicable */
    JUDGED_NOT   /* the experiment did not work: it says nothing about OpenSSL */
};

struct result {
    const struct experiment *experiment;
    enum judgement judgement;
    char text[OUTCOME_TEXT];   /* "fixed", "vulnerable", "12 retransmissions", "hangs" */
    char reason[OUTCOME_TEXT]; /* of JUDGED_NA and JUDGED_NOT */
};

/* Runs it; a child that takes longer than `seconds` is ended. */
struct result runner_run(const struct experiment *e, unsigned seconds, enum fault fault);

#endif
