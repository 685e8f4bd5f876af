/* SPDX-License-Identifier: MIT */
/* Which handshake of one capture is which of the other. */
#ifndef PROBE_PAIRS_H
#define PROBE_PAIRS_H

#include "dtls_probe/ends.h"

/* Sets `other` of each handshake that both captures contain: each is used once. The ClientHello
 * randoms of a pair are equal. Where several handshakes have the same one, the ServerHello random,
 * the addresses and the times decide. A NAT may have changed the addresses, and the difference of
 * the two clocks may be anything that is the same all the time. O(n log n). False when memory ran
 * out. */
bool probe_pairs_find(struct probe_ends *client, struct probe_ends *server);

#endif
