/* One experiment in a child of its own: what crashes or hangs there is a result. */
#ifndef REGRESS_RUNNER_H
#define REGRESS_RUNNER_H

#include <stdbool.h>

#include "dtls_regress/experiments.h"

enum { RESULT_TEXT = 64 };

enum fault {
    FAULT_NONE,
    FAULT_CRASH,  /* the experiment is replaced by one that crashes, */
    FAULT_HANG,   /* that hangs, */
    FAULT_BROKEN, /* that does not work, */
    FAULT_FLIP    /* or whose answer is turned around */
};

struct result {
    const struct experiment *experiment;
    bool broken;            /* the experiment did not work: it says nothing about OpenSSL */
    bool bad;               /* known to be bad: vulnerable, crashes, hangs */
    char text[RESULT_TEXT]; /* "fixed", "vulnerable", "12 retransmissions", "crashes (signal 11)" */
};

/* Runs it; a child that takes longer than `seconds` is ended. */
struct result runner_run(const struct experiment *e, unsigned seconds, enum fault fault);

#endif
