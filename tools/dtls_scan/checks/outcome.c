/* SPDX-License-Identifier: MIT */
#include "dtls_scan/checks/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/printable.h"

static const char *const level_names[] = {
#define SCAN_X(name, text) [SCAN_##name] = (text),
    SCAN_LEVELS(SCAN_X)
#undef SCAN_X
};

const char *scan_level_name(enum scan_level level)
{
    return level_names[level];
}

bool scan_level_parse(const char *text, enum scan_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(text, level_names[i]))
            continue;
        *level = (enum scan_level)i;
        return true;
    }
    return false;
}

static void set_outcome(struct scan_outcome *o, enum scan_level level, json_t *value,
                        const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

static void set_outcome(struct scan_outcome *o, enum scan_level level, json_t *value,
                        const char *fmt, va_list ap)
{
    char raw[SCAN_SENTENCE];
    vsnprintf(raw, sizeof raw, fmt, ap);
    scan_outcome_free(o);
    o->level = level;
    o->value = value;
    tool_printable(raw, o->text, sizeof o->text);
}

void scan_found(struct scan_outcome *o, enum scan_level level, json_t *value, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_outcome(o, level, value, fmt, ap);
    va_end(ap);
}

void scan_not_known(struct scan_outcome *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_outcome(o, SCAN_NOT_KNOWN, NULL, fmt, ap);
    va_end(ap);
}

void scan_not_run(struct scan_outcome *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set_outcome(o, SCAN_NOT_RUN, NULL, fmt, ap);
    va_end(ap);
}

void scan_outcome_free(struct scan_outcome *o)
{
    json_decref(o->value);
    *o = (struct scan_outcome){0};
}
