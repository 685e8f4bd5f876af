/* A TLS layer without TLS, for targets that are about what lies around it: sessions are made,
 * counted, fed and freed, and a datagram's first byte says what a session makes of it. */
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

struct fake_tls {
    unsigned live, made;  /* sessions */
    unsigned fail_new;    /* the n-th new session from now fails */
    unsigned fail_accept; /* ... and the n-th beginning */
    /* A session begins with the datagram that the gate let through; arg is its config's. */
    void (*on_accept)(void *arg, const uint8_t *data, size_t len, bool cookie);
};

extern struct fake_tls fake_tls;

#endif
