/* SPDX-License-Identifier: MIT */
/* How fast stdin and commands are read: UDP pushes back neither over loopback nor over a router, so
 * what is sent faster than the slowest part of the path is lost.
 *
 * Time is booked: each datagram moves the time of the next one by what it takes at the rate.
 * Whoever was busy may catch up a little (BURST), and no more: routers drop bursts. */
#include <time.h>

#include "nc_dtls/nc.h"

enum {
    NS_PER_SEC = 1000000000,
    NS_PER_MS = 1000000,
    BITS = 8,
    /* Of each datagram: the record's header, nonce and tag (37), UDP and IPv6 (48), and Ethernet
     * with preamble and gap (38). */
    OVERHEAD = 37 + 48 + 38,
    BURST = 5 * NS_PER_MS, /* 50 kB at the default rate; poll() counts in milliseconds */
};

static uint64_t ns_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

void nc_pace_sent(struct nc *n, size_t len)
{
    if (!n->cfg.bits_per_sec)
        return;
    uint64_t now = ns_now();
    uint64_t takes = (len + OVERHEAD) * BITS * NS_PER_SEC / n->cfg.bits_per_sec;
    uint64_t booked = __atomic_load_n(n->pace, __ATOMIC_RELAXED), next;
    do
        next = (booked < now ? now : booked) + takes;
    while (!__atomic_compare_exchange_n(n->pace, &booked, next, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
}

bool nc_pace_ready(struct nc *n)
{
    uint64_t next = n->cfg.bits_per_sec ? __atomic_load_n(n->pace, __ATOMIC_RELAXED) : 0;
    if (!next || next <= ns_now() + BURST)
        return true;
    nc_wake_at(n, (next - BURST) / NS_PER_MS + 1);
    return false;
}
