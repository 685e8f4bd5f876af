/* SPDX-License-Identifier: MIT */
/* Why a side may have sent an alert. */
#ifndef SD_FLOW_RULES_REASONS_H
#define SD_FLOW_RULES_REASONS_H

#include "flow/diagnosis.h"

/* The alert that ended an unfinished handshake: the first fatal one, or else the close_notify or
 * user_canceled in place of one. NULL = none that could be read. */
const struct sd_event *sd_ending_alert(const struct sd_view *v);
/* The reasons for this alert that the capture does not rule out, "; " between them, as many as
 * fit; "" for an unknown alert. Returns buf. */
const char *sd_reasons_text(const struct sd_case *c, const struct sd_event *alert, char *buf,
                            size_t cap);

#endif
