/* SPDX-License-Identifier: MIT */
/* The operations of fuzz_flow.
 *
 * An operation's argument: bit 0 from the server, bits 1 and 2 which flow, bit 3 in IP fragments,
 * bits 4 and 5 how much later (1 ms, 10 ms, 1 s, 2 ms earlier); bits 6 and 7 depend on the code. */
#ifndef FUZZ_FLOW_OPS_H
#define FUZZ_FLOW_OPS_H

enum code {
    CODE_DATAGRAM, /* bit 6: an older client port; bit 7: snapped by its last byte */
    CODE_AGAIN,    /* the last datagram again, as the other bits say */
    CODE_ICMP,     /* type, code, MTU (2, and 2 more above), quoted bytes of the last datagram */
    CODE_CUT,      /* an IP packet with a missing fragment */
    CODE_TICK,     /* seconds (2) */
    CODE_DROPS,
    CODE_OTHER,     /* not DTLS: its kind in bits 6, 7 and 3 */
    CODE_CONFIG,    /* first: enum limit, the allocation that fails, enum trait;
                     * later: TTL of either side, lane */
    CODE_NO_MEMORY, /* the arg-th allocation fails */
    CODES
};

/* The argument of a first CODE_CONFIG. */
enum limit {
    FEW = 1,
    SMALL_PENDING = 2,
    SMALL_KEPT = 4,
    IDLE = 8,
    PROMPT = 16,
    NO_KEYS = 32,
    NO_CERTS = 64,
    NO_MEMORY = 128
};

enum trait { OLD_CLOCK = 1, NO_PACKETS = 2, UNFINISHED = 4 };

#endif
