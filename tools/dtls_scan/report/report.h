/* SPDX-License-Identifier: MIT */
/* The results of one server, and what shows them. */
#ifndef SCAN_REPORT_REPORT_H
#define SCAN_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "dtls_scan/checks/check.h"

struct scan_result {
    const struct scan_check *check;
    struct scan_outcome outcome;
};

struct scan_report {
    const char *host, *port; /* as the user wrote them */
    struct sd_addr to;
    int64_t when; /* start; nanoseconds since 1970 */
    double seconds;
    unsigned sent, received; /* datagrams */
    uint64_t sent_bytes, received_bytes;
    unsigned asked, repeated; /* questions answered, and how many needed a second hello */
    enum scan_stop stop;      /* why the scan ended early; 0 = it did not */
    bool quick;
    size_t count;
    struct scan_result *results;
    json_t *changes; /* since the baseline (baseline.h); NULL = there is none */
};

/* The worst level of all results, at least SCAN_OK. */
enum scan_level scan_report_worst(const struct scan_report *r);
/* Why a scan ended early, as half a sentence; "" when it did not. */
const char *scan_stop_text(enum scan_stop stop);

/* For people. */
void scan_report_text(FILE *to, const struct scan_report *r, bool color, unsigned verbose);
/* One line of JSON; json.c. The caller frees it. */
json_t *scan_report_json(const struct scan_report *r);

#endif
