/* SPDX-License-Identifier: MIT */
/* A plaintext flight cut into smaller pieces. RFC 6347 section 4.1.1.1: where the
 * path turns out to be too narrow, the message is fragmented again at once; section
 * 4.2.3 lets a retransmission have other fragments than the first one. */
#ifndef SD_WIRE_REFRAGMENT_H
#define SD_WIRE_REFRAGMENT_H

#include <stddef.h>
#include <stdint.h>

struct sd_refragment {
    size_t mtu;        /* of the datagrams made */
    uint64_t next_seq; /* epoch 0: number of the next record; counts up */
    void (*emit)(void *arg, const uint8_t *datagram, size_t len);
    void *arg;
};

/* Emits the records of one datagram in datagrams of at most `mtu` bytes. Handshake
 * messages of epoch 0 are fragmented again, records of epoch 0 get new numbers; what
 * is encrypted stays as it is, in a datagram of its own where it does not fit. */
void sd_refragment(struct sd_refragment *r, const uint8_t *data, size_t len);

#endif
