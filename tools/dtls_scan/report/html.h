/* SPDX-License-Identifier: MIT */
/* The reports of all servers on one page that needs nothing else. */
#ifndef SCAN_REPORT_HTML_H
#define SCAN_REPORT_HTML_H

#include <stdio.h>

#include "dtls_scan/report/report.h"

/* `subject`: the server or the file of targets, as the user gave it. */
void scan_html_begin(FILE *to, const char *subject);
void scan_html_add(FILE *to, const struct scan_report *r);
void scan_html_end(FILE *to);

#endif
