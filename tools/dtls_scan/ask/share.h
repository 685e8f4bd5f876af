/* SPDX-License-Identifier: MIT */
/* Key shares for a ClientHello of DTLS 1.3: well-formed public keys without a private key. */
#ifndef SCAN_ASK_SHARE_H
#define SCAN_ASK_SHARE_H

#include <stdint.h>

#include "base/cursor.h"

/* Writes the key of this group; nothing for a group that is not known. */
void scan_share_write(struct sd_wr *w, uint16_t group);

#endif
