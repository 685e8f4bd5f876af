/* What a UDP payload is, and the DTLS records that something else carries inside UDP. */
#ifndef SD_CAPTURE_CARRIER_H
#define SD_CAPTURE_CARRIER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "flow/input.h"

/* By the first byte (RFC 7983, RFC 9443), and by as much of what follows as can be
 * checked. `length` is that of the payload as sent: more than payload.len when snapped. */
enum sd_payload sd_payload_kind(struct sd_span payload, size_t length);

struct sd_carriers;

/* Remembers up to `max` channels of TURN, the oldest leaves first. NULL without memory. */
struct sd_carriers *sd_carriers_new(struct sd_hash_key key, size_t max);
void sd_carriers_free(struct sd_carriers *c);

/* Classifies a datagram, takes off what carries it, and hands it to `emit`: once, or
 * twice when a STUN Binding success, which is news of its own, carries records too. */
void sd_carriers_take(struct sd_carriers *c, struct sd_datagram *d,
                      void (*emit)(void *arg, const struct sd_datagram *d), void *arg);

#endif
