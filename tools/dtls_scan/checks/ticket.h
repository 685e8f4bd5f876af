/* SPDX-License-Identifier: MIT */
/* What a session ticket says of the key that protects it. */
#ifndef SCAN_CHECKS_TICKET_H
#define SCAN_CHECKS_TICKET_H

#include <stdbool.h>

#include "base/cursor.h"

/* The ticket ends with a MAC (RFC 5077 section 4) that is made with a key of zeros: anybody can
 * make tickets for this server, and read those of others. Nothing is sent to find out. */
bool scan_ticket_key_is_zero(struct sd_span ticket);

#endif
