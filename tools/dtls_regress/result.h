/* SPDX-License-Identifier: MIT */
/* What a check said about one OpenSSL, as it is shown and stored. */
#ifndef REGRESS_RESULT_H
#define REGRESS_RESULT_H

#include <stdbool.h>

#include "dtls_regress/check.h"

enum regress_judgement {
    JUDGED_GOOD,   /* fixed */
    JUDGED_BAD,    /* vulnerable, crashes, hangs */
    JUDGED_INFO,   /* a value */
    JUDGED_NA,     /* not applicable, or not known */
    JUDGED_NOT,    /* the check did not work: this says nothing about OpenSSL */
    JUDGED_STARVED /* neither does this: the check got too little CPU time */
};

struct regress_result {
    const struct regress_check *check;
    enum regress_judgement judgement;
    char text[OUTCOME_TEXT];   /* "fixed", "vulnerable", "hangs", "12", "483 s" */
    char reason[OUTCOME_TEXT]; /* of JUDGED_NA, JUDGED_NOT and JUDGED_STARVED; else "" */
};

/* "good", "bad", "info", "n/a", "broken" or "inconclusive". */
const char *regress_judgement_word(enum regress_judgement judgement);

/* Room for regress_value(). */
enum { VALUE_TEXT = 2 * OUTCOME_TEXT };
/* "default security level = 2" when the text is the value of what is measured; otherwise the text
 * alone. `measures` may be NULL. */
void regress_value(char out[static VALUE_TEXT], const char *measures, const char *text,
                   bool is_value);

#endif
