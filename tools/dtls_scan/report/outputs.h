/* SPDX-License-Identifier: MIT */
/* Where reports go: stdout, and with --html a file; compared with --baseline first. */
#ifndef SCAN_REPORT_OUTPUTS_H
#define SCAN_REPORT_OUTPUTS_H

#include "dtls_scan/options.h"
#include "dtls_scan/report/report.h"

struct scan_outputs {
    const struct scan_config *cfg;
    FILE *page;
    json_t *baseline;
};

/* Reads the baseline, then opens the page: false with the sentence in `why`. */
bool scan_outputs_open(struct scan_outputs *o, const struct scan_config *c,
                       char why[static TOOL_WHY]);
void scan_outputs_put(struct scan_outputs *o, struct scan_report *r);
/* False when the page could not be written, with the sentence in `why`. */
bool scan_outputs_close(struct scan_outputs *o, char why[static TOOL_WHY]);

#endif
