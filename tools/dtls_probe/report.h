/* SPDX-License-Identifier: MIT */
/* The result of one handshake, for everything that writes or draws it. */
#ifndef PROBE_REPORT_H
#define PROBE_REPORT_H

#include "flow/diagnosis.h"
#include "flow/exchange.h"
#include "flow/finding.h"
#include "flow/view.h"

struct probe_report {
    const struct sd_exchange *x;
    const struct sd_view *view;
    const struct sd_finding *findings; /* the most important first */
    size_t count;
    enum sd_outcome outcome;
    bool again; /* it was reported before; its session has shown more since */
};

/* Numbers for texts. */
static inline double probe_seconds(int64_t ns)
{
    return (double)ns / (double)SD_NS_SECOND;
}

static inline double probe_millis(int64_t ns)
{
    return (double)ns / (double)SD_NS_MS;
}

#endif
