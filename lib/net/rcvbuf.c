/* SPDX-License-Identifier: MIT */
/* How much the sockets of peers may queue. The first ones get enough for a burst or for a reader
 * that pauses: a client that sends 10 MB/s fills LARGEST in 0.4 s. What all of them can hold
 * together stays bounded: each gets a part of what is left, and in the end what the system gives
 * by default. (The kernel doubles these numbers, for its own overhead.) */
#include "net/internal.h"

enum {
    ALL = 32 << 20,
    LARGEST = 2 << 20,
    SMALLEST = 104 << 10, /* net.core.rmem_default, halved */
    PARTS = 8
};

int sd_rcvbuf_share(const struct sd_demux *d)
{
    if (d->config.rcvbuf)
        return d->config.rcvbuf;
    int64_t part = (ALL - __atomic_load_n(&d->sums->rcvbuf_given, __ATOMIC_RELAXED)) / PARTS;
    return part > LARGEST ? LARGEST : part < SMALLEST ? SMALLEST : (int)part;
}
