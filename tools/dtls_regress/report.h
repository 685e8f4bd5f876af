/* Results, for people and for programs. */
#ifndef REGRESS_REPORT_H
#define REGRESS_REPORT_H

#include <stddef.h>

#include "dtls_regress/runner.h"

/* What was looked at. */
struct subject {
    const char *openssl, *built;
    unsigned long version;
};

void report_list(void);
void report_explain(const struct experiment *e);
void report_table(const struct subject *s, const struct result *results, size_t count, bool color);
void report_json(const struct subject *s, const struct result *results, size_t count);

#endif
