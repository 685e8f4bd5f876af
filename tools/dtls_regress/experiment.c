#include "dtls_regress/experiment.h"

#include <stdarg.h>
#include <stdio.h>

static struct outcome with_text(enum verdict verdict, const char *text)
{
    struct outcome o = {.verdict = verdict};
    snprintf(o.text, sizeof o.text, "%s", text);
    return o;
}

struct outcome outcome_broken(const char *why)
{
    return with_text(BROKEN, why);
}

struct outcome outcome_not_applicable(const char *why)
{
    return with_text(NOT_APPLICABLE, why);
}

struct outcome outcome_measured(const char *fmt, ...)
{
    struct outcome o = {.verdict = MEASURED};
    va_list args;
    va_start(args, fmt);
    vsnprintf(o.text, sizeof o.text, fmt, args);
    va_end(args);
    return o;
}

struct outcome outcome_defect(bool defect)
{
    return (struct outcome){.verdict = defect ? VULNERABLE : FIXED};
}

struct outcome outcome_defect_if(bool worked, bool defect, const char *why_not)
{
    return worked ? outcome_defect(defect) : outcome_broken(why_not);
}
