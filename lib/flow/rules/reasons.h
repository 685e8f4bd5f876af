/* SPDX-License-Identifier: MIT */
/* Why a side may have sent an alert. */
#ifndef SD_FLOW_RULES_REASONS_H
#define SD_FLOW_RULES_REASONS_H

#include "flow/diagnosis.h"

/* The reasons for this alert that the capture does not rule out, "; " between them, as many as
 * fit; "" for an unknown alert. Returns buf. */
const char *sd_reasons_text(const struct sd_case *c, const struct sd_event *alert, char *buf,
                            size_t cap);

#endif
