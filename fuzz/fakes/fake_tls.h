/* SPDX-License-Identifier: MIT */
/* A TLS layer without TLS, for targets that test the code around it. Sessions are made, counted,
 * fed and freed; the first byte of a datagram says what the session does. */
#ifndef FUZZ_FAKE_TLS_H
#define FUZZ_FAKE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_byte {
    FAKE_READY = 'R', /* the handshake completes */
    FAKE_DATA = 'D',  /* the rest is data */
    FAKE_CLOSED = 'C',
    FAKE_FAILED = 'F',
    FAKE_AGAIN = 'A', /* the flight is sent again */
    FAKE_MTU = 'M',
    FAKE_SOON = 'T', /* its timer runs at once */
    FAKE_END = 'X'   /* nothing can be sent any more */
};

enum { FAKE_MEMORY = 1000 }; /* bytes of a half-open session for each datagram heard */

struct fake_tls {
    unsigned live, made;  /* sessions */
    unsigned fail_new;    /* the n-th new session from now fails */
    unsigned fail_accept; /* the n-th session from now on does not begin */
    /* A session begins with the datagram that the gate admitted; `arg` is that of its
     * configuration. */
    void (*on_accept)(void *arg, const uint8_t *data, size_t len, bool cookie);
};

extern struct fake_tls fake_tls;

#endif
