/* SPDX-License-Identifier: MIT */
/* The scan of one server from its name to its report: limits, first contact, the checks in their
 * order, progress. */
#ifndef SCAN_SURVEY_H
#define SCAN_SURVEY_H

#include "common/output.h"
#include "common/parse.h"
#include "dtls_scan/options.h"
#include "dtls_scan/report/report.h"

struct scan_survey_setup {
    const struct scan_config *cfg;
    const struct scan_login *login;
    struct tool_out *out;
    int signals;
    bool progress; /* a line on stderr that changes */
};

/* Fills *r, which scan_survey_free() frees. SCAN_EXIT_OK or SCAN_EXIT_UNFINISHED: there is a
 * report. Anything else: the error was reported, and there is none. */
int scan_survey_run(struct scan_report *r, const struct scan_survey_setup *u,
                    const struct tool_target *target);
void scan_survey_free(struct scan_report *r);
/* --only: this check is wanted. */
bool scan_wanted(const struct scan_config *c, const struct scan_check *check);

#endif
