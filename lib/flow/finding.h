/* SPDX-License-Identifier: MIT */
/* What a diagnosis says of a handshake. */
#ifndef SD_FLOW_FINDING_H
#define SD_FLOW_FINDING_H

#include <stddef.h>
#include <stdint.h>

#include "flow/exchange.h"

enum sd_severity { SD_INFO, SD_WARNING, SD_FATAL };
enum sd_confidence { SD_LOW, SD_MEDIUM, SD_HIGH };

/* What can be found, in words. The ids are stable. */
struct sd_entry {
    const char *id;            /* "no-response" */
    enum sd_severity severity; /* as a rule; a finding may have another */
    const char *title;         /* a few words */
    const char *cause;         /* what happens, and how it differs from what looks alike */
    const char *advice;        /* what to do */
    const char *reference;     /* RFC section, issue, measurement */
};

const char *sd_severity_name(enum sd_severity s);     /* "info", "warning", "fatal" */
const char *sd_confidence_name(enum sd_confidence c); /* "low", "medium", "high" */

enum {
    SD_FINDINGS_MAX = 16, /* of one handshake */
    SD_PACKETS_MAX = 12,
    SD_SENTENCE = 400
};

struct sd_finding {
    const struct sd_entry *entry;
    const struct sd_entry *runner_up; /* what else it may be; NULL = nothing comes close */
    enum sd_severity severity;
    enum sd_confidence confidence;
    bool beside;                      /* it does not say that the handshake failed */
    uint64_t exchange;                /* id */
    uint32_t packets[SD_PACKETS_MAX]; /* frame numbers, rising */
    size_t packet_count;
    int64_t from, to;              /* ns: the time its evidence spans; 0 = none */
    uint32_t mtu_above, mtu_below; /* path MTU in (above, below]; 0 = nothing known */
    char detail[SD_SENTENCE];      /* one sentence with this case's numbers */
};

#endif
