/* SPDX-License-Identifier: MIT */
/* Alerts in plaintext: RFC 5246 section 7.2. What is protected shows its length only. */
#ifndef SD_WIRE_ALERT_H
#define SD_WIRE_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"
#include "wire/iana.h"

enum sd_alert_level { SD_ALERT_WARNING = 1, SD_ALERT_FATAL = 2 };

struct sd_alert {
    uint8_t level;       /* enum sd_alert_level */
    uint8_t description; /* enum sd_alert_description */
};

/* From the body of a record; false, and all zero, unless it is two bytes with a
 * level that exists. */
bool sd_alert_parse(struct sd_alert *a, struct sd_span body);
void sd_alert_build(struct sd_wr *w, const struct sd_alert *a);

#endif
