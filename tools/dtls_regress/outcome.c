/* SPDX-License-Identifier: MIT */
#include "dtls_regress/outcome.h"

#include <stdarg.h>
#include <stdio.h>

static struct regress_outcome outcome_for(enum regress_verdict verdict, const char *text)
{
    struct regress_outcome o = {.verdict = verdict};
    snprintf(o.text, sizeof o.text, "%s", text);
    return o;
}

struct regress_outcome regress_broken(const char *reason)
{
    return outcome_for(BROKEN, reason);
}

struct regress_outcome regress_not_applicable(const char *reason)
{
    return outcome_for(NOT_APPLICABLE, reason);
}

struct regress_outcome regress_measured(const char *fmt, ...)
{
    struct regress_outcome o = {.verdict = MEASURED};
    va_list args;
    va_start(args, fmt);
    vsnprintf(o.text, sizeof o.text, fmt, args);
    va_end(args);
    return o;
}

struct regress_outcome regress_defect(bool defect)
{
    return (struct regress_outcome){.verdict = defect ? VULNERABLE : FIXED};
}

struct regress_outcome regress_defect_if(bool worked, bool defect, const char *reason)
{
    return worked ? regress_defect(defect) : regress_broken(reason);
}
