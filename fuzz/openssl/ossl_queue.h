/* SPDX-License-Identifier: MIT */
/* A queue of datagrams in memory. */
#ifndef FUZZ_OSSL_QUEUE_H
#define FUZZ_OSSL_QUEUE_H

#include "harness/common.h"

enum { OSSL_DATAGRAM = 4096, OSSL_QUEUE = 16 };

struct ossl_queue {
    unsigned first, count;
    struct {
        unsigned from;
        size_t len;
        uint8_t bytes[OSSL_DATAGRAM];
    } datagram[OSSL_QUEUE];
};

/* False: the queue is full and the datagram is lost. */
bool ossl_queue_put(struct ossl_queue *q, unsigned from, const void *bytes, size_t len);
/* The oldest datagram, at most `cap` bytes of it; false: the queue is empty. */
bool ossl_queue_take(struct ossl_queue *q, unsigned *from, uint8_t *bytes, size_t cap, size_t *len);

#endif
