/* SPDX-License-Identifier: MIT */
/* What a pre-shared key alone cannot decrypt. */
#ifndef PROBE_PSKUSE_H
#define PROBE_PSKUSE_H

#include <stdbool.h>

#include "flow/exchange.h"

/* A pre-shared key was used together with a key exchange (ECDHE, DHE, RSA), whose secret no capture
 * has. */
bool probe_psk_with_exchange(const struct sd_exchange *x);

#endif
