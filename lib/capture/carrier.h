/* SPDX-License-Identifier: MIT */
/* What a UDP payload is, and the DTLS records that something else carries inside UDP. */
#ifndef SD_CAPTURE_CARRIER_H
#define SD_CAPTURE_CARRIER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "flow/input.h"

/* Decides by the first byte (RFC 7983, RFC 9443) and by what can be checked after it. `length`:
 * of the payload as sent, more than payload.len when the frame was cut. */
enum sd_payload sd_payload_kind(struct sd_span payload, size_t length);

struct sd_carriers;

/* Remembers up to `max` TURN channels; the oldest is forgotten first. NULL when there is no
 * memory. */
struct sd_carriers *sd_carriers_new(struct sd_hash_key key, size_t max);
void sd_carriers_free(struct sd_carriers *c);

/* Classifies a datagram, removes what carries it, and hands it to `emit`: once, or twice when a
 * STUN Binding success carries records as well, because that success is an event of its own. */
void sd_carriers_take(struct sd_carriers *c, struct sd_datagram *d,
                      void (*emit)(void *arg, const struct sd_datagram *d), void *arg);

/* Of a datagram that an ICMP error quotes, as far as it does: the lane that its records have. */
uint64_t sd_carriers_lane(struct sd_carriers *c, struct sd_datagram *quoted);

#endif
