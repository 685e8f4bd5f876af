/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/trace.h"

#include <errno.h>
#include <string.h>

enum { COPIES = 2, IDS = 1 << 26, BOTH = 2, SILENT_HOPS = 6 };

static const sd_time wait_min = 150 * SD_MS;

static bool is_time_exceeded(const struct sd_report *r)
{
    enum { V4 = 11, V6 = 3 };
    if (r->here)
        return false;
    return r->type == (r->from.sa.sa_family == AF_INET6 ? V6 : V4) && r->error == EHOSTUNREACH;
}

/* The last bit of an id is 1 for a large probe; the other bits name the hop and the copy. */
static uint32_t probe_id(unsigned hop, unsigned copy, bool large)
{
    return IDS + ((hop * COPIES + copy) * BOTH + large);
}

static void note_hop(struct mtu_trace *t, const struct mtu_heard *h)
{
    uint32_t n = h->id - IDS;
    unsigned hop = n / BOTH / COPIES;
    if (!h->known || h->id < IDS || hop >= MTU_TRACE_HOPS)
        return;
    if (h->kind == MTU_HEARD_ANSWER) {
        t->reached |= !(n % BOTH);
        return;
    }
    if (!is_time_exceeded(&h->report))
        return;
    t->hop[hop].from = h->report.from;
    if (n % BOTH) {
        t->hop[hop].large = true;
        t->last_large = hop + 1 > t->last_large ? hop + 1 : t->last_large;
    } else {
        t->hop[hop].small = true;
    }
}

static bool hop_settled(const struct mtu_trace *t, unsigned hop)
{
    return t->reached || (t->hop[hop].small && t->hop[hop].large);
}

static bool probe_hop(struct mtu_trace *t, struct mtu_path *p, unsigned hop, sd_time wait)
{
    struct mtu_heard h;
    for (unsigned i = 0; i < COPIES; i++) {
        mtu_path_send(p, probe_id(hop, i, false), t->small, (int)hop + 1);
        mtu_path_send(p, probe_id(hop, i, true), t->large, (int)hop + 1);
    }
    for (sd_time until = sd_clock_now() + wait; !hop_settled(t, hop) && sd_clock_now() < until;) {
        mtu_path_hear(p, &h, until);
        if (h.kind == MTU_HEARD_STOP)
            return false;
        if (h.kind != MTU_HEARD_NOTHING)
            note_hop(t, &h);
    }
    return true;
}

bool mtu_trace_run(struct mtu_trace *t, struct mtu_path *p, unsigned small, unsigned large,
                   sd_time rtt, sd_time deadline)
{
    sd_time wait = 2 * rtt > wait_min ? 2 * rtt : wait_min;
    unsigned silent = 0;
    *t = (struct mtu_trace){.done = true, .small = small, .large = large};
    while (t->hops < MTU_TRACE_HOPS && !t->reached && silent < SILENT_HOPS &&
           sd_clock_now() < deadline) {
        if (!probe_hop(t, p, t->hops, wait))
            return false;
        silent = t->hop[t->hops].small || t->hop[t->hops].large ? 0 : silent + 1;
        t->hops += !t->reached;
    }
    return true;
}
