/* SPDX-License-Identifier: MIT */
/* What a check found. */
#ifndef REGRESS_OUTCOME_H
#define REGRESS_OUTCOME_H

#include <stdbool.h>

enum regress_verdict {
    BROKEN,         /* the check itself did not work: this says nothing about OpenSSL */
    NOT_APPLICABLE, /* the check does not apply to this OpenSSL or this machine */
    FIXED,          /* OpenSSL does not have the defect */
    VULNERABLE,     /* OpenSSL has the defect */
    MEASURED        /* a property, neither good nor bad */
};

enum { OUTCOME_TEXT = 80 };

struct regress_outcome {
    enum regress_verdict verdict;
    char text[OUTCOME_TEXT]; /* MEASURED: the value; BROKEN, NOT_APPLICABLE: the reason; else "" */
};

struct regress_outcome regress_broken(const char *reason);
struct regress_outcome regress_not_applicable(const char *reason);
struct regress_outcome regress_measured(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* VULNERABLE when `defect`, else FIXED. */
struct regress_outcome regress_defect(bool defect);
/* The same when the experiment `worked`; otherwise BROKEN for this reason. */
struct regress_outcome regress_defect_if(bool worked, bool defect, const char *reason);

#endif
