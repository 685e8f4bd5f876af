/* SPDX-License-Identifier: MIT */
/* Path MTUs that are seen often, each with its usual cause. Sizes are bytes of an IP packet. */
#ifndef SD_MTU_SIZES_H
#define SD_MTU_SIZES_H

#include <stdbool.h>

/* What usually causes exactly this limit, or NULL. */
const char *sd_mtu_reason(unsigned size);
/* The likely size in [low, high] that is nearest to the middle, or 0. */
unsigned sd_mtu_likely(unsigned low, unsigned high);
/* UDP payload that an IP packet of this size carries, and back. */
unsigned sd_mtu_payload(unsigned packet, bool ipv6);
unsigned sd_mtu_packet(unsigned payload, bool ipv6);

#endif
