/* SPDX-License-Identifier: MIT */
#include "openssl/ossl_queue.h"

#include <string.h>

bool ossl_queue_put(struct ossl_queue *q, unsigned from, const void *bytes, size_t len)
{
    if (q->count == OSSL_QUEUE || len > OSSL_DATAGRAM)
        return false;
    unsigned at = (q->first + q->count++) % OSSL_QUEUE;
    q->datagram[at].from = from;
    q->datagram[at].len = len;
    if (len)
        memcpy(q->datagram[at].bytes, bytes, len);
    return true;
}

bool ossl_queue_take(struct ossl_queue *q, unsigned *from, uint8_t *bytes, size_t cap, size_t *len)
{
    if (!q->count)
        return false;
    unsigned at = q->first;
    *from = q->datagram[at].from;
    *len = q->datagram[at].len < cap ? q->datagram[at].len : cap;
    if (*len)
        memcpy(bytes, q->datagram[at].bytes, *len);
    q->first = (at + 1) % OSSL_QUEUE;
    q->count--;
    return true;
}
