/* An experiment on OpenSSL, and what came out. */
#ifndef REGRESS_EXPERIMENT_H
#define REGRESS_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>

enum verdict {
    BROKEN,         /* the experiment itself did not work: says nothing about OpenSSL */
    NOT_APPLICABLE, /* there is nothing to ask here */
    FIXED,          /* the defect is not there */
    VULNERABLE,     /* it is */
    MEASURED        /* a property */
};

enum { OUTCOME_TEXT = 80 };

struct outcome {
    enum verdict verdict;
    char text[OUTCOME_TEXT]; /* MEASURED: the value; BROKEN and NOT_APPLICABLE: why; else empty */
};

struct experiment {
    const char *name, *refs;
    const char *does, *means, *ours; /* the experiment; for a user; what sukat_dtls does about it */
    struct outcome (*run)(void);
};

struct outcome outcome_broken(const char *why);
struct outcome outcome_not_applicable(const char *why);
struct outcome outcome_measured(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* VULNERABLE when `defect`. */
struct outcome outcome_defect(bool defect);
/* The same, if what must be true of the experiment before it says anything is. */
struct outcome outcome_defect_if(bool worked, bool defect, const char *why_not);

extern const struct experiment listen_experiments[], error_experiments[], forgery_experiments[],
    timer_experiments[], mtu_experiments[], read_experiments[], session_experiments[],
    memory_experiments[];
extern const size_t listen_count, error_count, forgery_count, timer_count, mtu_count, read_count,
    session_count, memory_count;

#endif
