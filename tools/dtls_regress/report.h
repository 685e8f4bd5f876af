/* SPDX-License-Identifier: MIT */
/* Results and checks, for people and for programs. Prints on stdout. */
#ifndef REGRESS_REPORT_H
#define REGRESS_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "dtls_regress/result.h"

/* Which OpenSSL the results are of. */
struct regress_subject {
    const char *openssl, *built;
    unsigned long version; /* OPENSSL_VERSION_NUMBER */
};

void regress_report_list(void);
void regress_report_explain(const struct regress_check *check);
void regress_report_table(const struct regress_subject *s, const struct regress_result *results,
                          size_t count, bool color);
void regress_report_json(const struct regress_subject *s, const struct regress_result *results,
                         size_t count);

#endif
