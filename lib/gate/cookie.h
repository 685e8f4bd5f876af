/* SPDX-License-Identifier: MIT */
/* The cookie of RFC 6347 section 4.2.1: a MAC over the client's address and its hello. */
#ifndef SD_GATE_COOKIE_H
#define SD_GATE_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cursor.h"
#include "gate/gate.h"
#include "wire/hello.h"

struct sd_gate_cookie {
    uint8_t bytes[SD_GATE_COOKIE_LEN];
};

/* What a cookie vouches for. */
struct sd_gate_cookie_subject {
    const struct sd_addr *peer, *local;
    const struct sd_client_hello *hello; /* parsed at least up to the cookie */
    const uint8_t *standing;             /* 32 bytes, or NULL; see gate.h */
};

/* True when the hello carries a cookie of the current or the previous secret.
 * `fresh` gets the cookie of the current one in any case. */
bool sd_gate_cookie_check(const struct sd_gate *g, const struct sd_gate_cookie_subject *s,
                          struct sd_gate_cookie *fresh);

#endif
