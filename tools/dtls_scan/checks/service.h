/* SPDX-License-Identifier: MIT */
/* What service speaks over an association: one harmless request for each, and what its answer looks
 * like. Nothing here sends. */
#ifndef SCAN_CHECKS_SERVICE_H
#define SCAN_CHECKS_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

#define SCAN_SERVICES(X)                                                                           \
    X(STUN, "STUN", "a STUN Binding request")                                                      \
    X(TURN, "TURN", "a TURN Refresh request")                                                      \
    X(COAP, "CoAP", "a CoAP ping")                                                                 \
    X(SCTP, "SCTP", "an SCTP INIT, as WebRTC's data channels send it")                             \
    X(RADIUS, "RADIUS", "a RADIUS Status-Server request")                                          \
    X(OPENCONNECT, "OpenConnect", "a dead peer detection request of AnyConnect and OpenConnect")   \
    X(FORTINET, "Fortinet", "a hello of Fortinet's VPN without a cookie")

enum scan_service {
#define SCAN_X(name, title, request) SCAN_SERVICE_##name,
    SCAN_SERVICES(SCAN_X)
#undef SCAN_X
        SCAN_SERVICE_COUNT
};

enum { SCAN_SERVICE_NONCE = 16, SCAN_SERVICE_REQUEST = 128, SCAN_SERVICE_DETAIL = 96 };

const char *scan_service_name(enum scan_service kind);    /* "CoAP" */
const char *scan_service_request(enum scan_service kind); /* "a CoAP ping" */

/* Writes the request; the nonce makes it this one's, and its answer recognisable. */
void scan_service_ask(struct sd_wr *w, enum scan_service kind,
                      const uint8_t nonce[static SCAN_SERVICE_NONCE]);
/* The data is this service's answer to that request. `detail`: what it says of itself, in bytes of
 * the server that are not made printable; empty = nothing. */
bool scan_service_is(enum scan_service kind, struct sd_span data,
                     const uint8_t nonce[static SCAN_SERVICE_NONCE],
                     char detail[static SCAN_SERVICE_DETAIL]);

#endif
