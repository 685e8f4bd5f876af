/* SPDX-License-Identifier: MIT */
/* What waits: a datagram for room in the socket, and a peer for a program that cannot take its data
 * now. */
#include "endpoint/internal.h"

enum {
    /* A full socket is asked again after 1 ms, then half as often each time. A buffer of 208 KiB
     * drains in 1.7 ms at 1 Gbit/s; no event tells when a full interface (ENOBUFS) has room. */
    RETRY_MS = 1,
    RETRY_MOST_MS = 16,
    /* Of paused peers that have no socket of their own, where their data could wait; the guard
     * bounds what it keeps of one. */
    STORED_OF_ALL = 8 << 20,
};

void sd_conn_blocked(struct sdtls_conn *c, sd_time now)
{
    c->retry_ms = c->retry_at == SD_NEVER ? RETRY_MS : 2 * c->retry_ms;
    if (c->retry_ms > RETRY_MOST_MS)
        c->retry_ms = RETRY_MOST_MS;
    c->retry_at = now + c->retry_ms * SD_MS;
}

void sd_conn_unblock(struct sdtls_conn *c, sd_time now)
{
    if (now < c->retry_at)
        return;
    if (!sd_session_flush(c->session)) {
        sd_conn_blocked(c, now);
        return;
    }
    c->retry_at = SD_NEVER;
    if (c->told_again)
        c->owes_writable = true;
    c->told_again = false;
}

bool sd_conn_may_store(struct sdtls_conn *c, size_t len)
{
    struct sdtls *s = c->ep;
    size_t all = __atomic_load_n(&s->limits->stored, __ATOMIC_RELAXED);
    bool fits = !c->paused || all + len <= STORED_OF_ALL;
    s->guard_count[SD_GUARD_QUEUE_FULL] += !fits;
    return fits;
}

void sd_conn_count_stored(struct sdtls_conn *c)
{
    size_t stored = c->paused ? sd_session_waiting(c->session) : 0;
    if (stored != c->stored)
        __atomic_add_fetch(&c->ep->limits->stored, stored - c->stored, __ATOMIC_RELAXED);
    c->stored = stored;
}
