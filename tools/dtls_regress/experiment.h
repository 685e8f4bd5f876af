/* An experiment on OpenSSL, and what came out. */
#ifndef REGRESS_EXPERIMENT_H
#define REGRESS_EXPERIMENT_H

#include <stddef.h>

enum verdict {
    BROKEN,     /* the experiment itself did not work: says nothing about OpenSSL */
    FIXED,      /* the defect is not there */
    VULNERABLE, /* it is */
    MEASURED    /* a property: `number` of `unit` */
};

struct outcome {
    enum verdict verdict;
    long number;
    const char *unit; /* NULL: without a number */
};

struct experiment {
    const char *name, *refs;
    const char *does, *means, *ours; /* the experiment; for a user; what sukat_dtls does about it */
    struct outcome (*run)(void);
};

#define OUTCOME(what) ((struct outcome){.verdict = (what)})
#define OUTCOME_IF(defect) OUTCOME((defect) ? VULNERABLE : FIXED)
#define OUTCOME_NUMBER(n, of) ((struct outcome){MEASURED, (long)(n), (of)})

extern const struct experiment listen_experiments[], error_experiments[], forgery_experiments[],
    timer_experiments[], mtu_experiments[], read_experiments[], session_experiments[];
extern const size_t listen_count, error_count, forgery_count, timer_count, mtu_count, read_count,
    session_count;

#endif
