/* SPDX-License-Identifier: MIT */
/* Is an association alive? A server need not echo. What the first association shows about this
 * server decides how the others are asked: does it answer a repeated Finished (RFC 6347 section
 * 4.2.4), does it echo, does it answer close_notify? */
#ifndef SCAN_CHECKS_LIFE_H
#define SCAN_CHECKS_LIFE_H

#include "dtls_scan/puppet/puppet.h"

struct scan;
struct scan_association;

struct scan_life {
    bool asked, connected;
    enum puppet_end end; /* of one that did not connect */
    uint8_t alert;
    bool certificate_wanted, no_suite;
    uint16_t version, suite;
    bool extended_master, encrypt_then_mac, secure_renegotiation, heartbeat;
    bool finished_sound;
    bool repeats;          /* answers a repeated Finished */
    bool whole;            /* only with the flight before it */
    bool echoes;           /* sends application data back */
    bool closes;           /* answers close_notify */
    uint8_t renegotiation; /* type of the message that answered a hello under the keys; 0 = none */
    struct puppet_session session; /* of the first association */
};

enum { SCAN_MUTE_TIMES = 8 };

/* A server whose flight is not answered. */
struct scan_mute {
    bool asked, flight; /* flight: it came */
    unsigned count;
    unsigned after_ms[SCAN_MUTE_TIMES]; /* when the flight came again, since the first time */
    bool again;                         /* a repeated hello brings it again */
};

/* Asks the first time. */
const struct scan_life *scan_life(struct scan *s);
/* The same of one that is not answered; behaviour.c. */
const struct scan_mute *scan_mute(struct scan *s);
/* Why there is no association, as half a sentence: "the server wants a client certificate". */
const char *scan_life_why(struct scan *s);
/* True when the server answers something that leaves an association as it is: an echo, or a
 * Finished alone. Where the whole flight must go again, what is answered may be its plaintext. */
bool scan_life_pings(const struct scan_life *l);
/* One question under this record number (PUPPET_NEXT = the next), `tries` times. True when an
 * answer came under the keys. */
bool scan_ping(struct scan_association *a, uint64_t seq, enum puppet_spoil spoil, unsigned tries);
/* So many questions side by side; how many were answered. */
unsigned scan_ping_burst(struct scan_association *a, enum puppet_spoil spoil, unsigned count);
/* The association is alive. With pings it goes on; otherwise it is closed to find out. */
bool scan_alive(struct scan_association *a);

#endif
