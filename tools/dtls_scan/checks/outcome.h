/* SPDX-License-Identifier: MIT */
/* What a check found: how severe it is, a value for programs, and one sentence for people. */
#ifndef SCAN_CHECKS_OUTCOME_H
#define SCAN_CHECKS_OUTCOME_H

#include <jansson.h>
#include <stdbool.h>

/* In rising order, after the first two. */
#define SCAN_LEVELS(X)                                                                             \
    X(NOT_RUN, "not-run")     /* the scan ended before, or the server lacks what it is about */    \
    X(NOT_KNOWN, "not-known") /* it was asked, and the answers do not settle it */                 \
    X(OK, "ok")                                                                                    \
    X(INFO, "info")                                                                                \
    X(LOW, "low")                                                                                  \
    X(MEDIUM, "medium")                                                                            \
    X(HIGH, "high")                                                                                \
    X(CRITICAL, "critical")

enum scan_level {
#define SCAN_X(name, text) SCAN_##name,
    SCAN_LEVELS(SCAN_X)
#undef SCAN_X
};

enum { SCAN_SENTENCE = 2048 };

struct scan_outcome {
    enum scan_level level;
    json_t *value; /* true, false, a number, a text, a list or an object; NULL = none */
    char text[SCAN_SENTENCE];
};

const char *scan_level_name(enum scan_level level);
/* False for a text that names no level. */
bool scan_level_parse(const char *text, enum scan_level *level);

/* Takes over `value`. What a server may have put into the sentence is made printable. */
void scan_found(struct scan_outcome *o, enum scan_level level, json_t *value, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void scan_not_known(struct scan_outcome *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* There is nothing to ask: "no certificate". */
void scan_not_run(struct scan_outcome *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void scan_outcome_free(struct scan_outcome *o);

#endif
