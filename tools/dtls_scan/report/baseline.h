/* SPDX-License-Identifier: MIT */
/* --baseline: what changed since an earlier report. */
#ifndef SCAN_REPORT_BASELINE_H
#define SCAN_REPORT_BASELINE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/why.h"
#include "dtls_scan/report/report.h"

/* The reports in a file that --json wrote, one on a line. NULL with the sentence in `why`. The
 * caller frees it. */
json_t *scan_baseline_load(const char *path, char why[static TOOL_WHY]);
/* The last report about the server that this one is about; borrowed. NULL = there is none. */
const json_t *scan_baseline_of(const json_t *reports, const struct scan_report *r);
/* A list of {"id", "level", "value", "text", "old_level", "old_value", "old_text"} for each check
 * whose level or value differs. What either of the two scans could not settle is no change. */
json_t *scan_baseline_changes(const json_t *old, const struct scan_report *r);

#endif
