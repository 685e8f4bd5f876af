/* SPDX-License-Identifier: MIT */
/* What any file may ask of the loop: the time, a turn at a time, the end. */
#include <time.h>

#include "nc_dtls/nc.h"

enum { NS_PER_MS = 1000000 };

uint64_t nc_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * TOOL_MS_PER_SEC + (uint64_t)t.tv_nsec / NS_PER_MS;
}

void nc_wake_at(struct nc *n, uint64_t when)
{
    if (when < n->wake)
        n->wake = when;
}

void nc_quit(struct nc *n, int status)
{
    if (n->done)
        return;
    n->done = true;
    n->status = status ? status : n->failure;
}

void nc_note_handshake(struct nc *n, const sdtls_conn *c)
{
    sdtls_info info;
    sdtls_conn_info(c, &info);
    if (info.handshake_us / NC_US_PER_MS > n->slowest_ms)
        __atomic_store_n(&n->slowest_ms, info.handshake_us / NC_US_PER_MS, __ATOMIC_RELAXED);
}

/* How long replies may take without -q. A handshake takes two or three round trips, so its time
 * covers a reply over a slow path. */
static uint64_t replies_ms(const struct nc *n)
{
    enum { LEAST_MS = 200, SLOWEST_MS = 10000 };
    uint64_t slowest = 0;
    for (unsigned i = 0; i < nc_team_size(n); i++) {
        uint64_t ms = __atomic_load_n(&nc_team_member(n, i)->slowest_ms, __ATOMIC_RELAXED);
        slowest = ms > slowest ? ms : slowest;
    }
    return LEAST_MS + (slowest < SLOWEST_MS ? slowest : SLOWEST_MS);
}

void nc_quit_after_replies(struct nc *n)
{
    const struct nc_config *c = &n->cfg;
    uint64_t wait_ms = c->quit_after_ms == UINT32_MAX ? replies_ms(n) : c->quit_after_ms;
    n->quit_at = nc_now() + (c->close_at_eof ? 0 : wait_ms);
    nc_wake_at(n, n->quit_at);
}
