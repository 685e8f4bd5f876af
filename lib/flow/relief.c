/* SPDX-License-Identifier: MIT */
/* What is judged and freed before the capture ends. As long as there is room, nothing is: what
 * comes later may tell of it, and the order of the reports is that of the first packets. */
#include "flow/internal.h"

/* After both sides closed, their last datagrams may still be on the way. */
#define LINGERS_FOR (1 * SD_NS_SECOND)
/* Longer than any timer of a handshake (60 s, RFC 6347 section 4.2.4.1), and than what NATs and
 * servers wait for a session that is silent (RFC 4787 section 4.3: 5 minutes). */
#define SILENT_FOR (600 * SD_NS_SECOND)

enum { ROOM_SHARE = 8 /* of max_bytes: below, nothing ends early */ };

static size_t bytes_in_use(const struct sd_tracker *t)
{
    return t->open * sizeof(struct sd_held) + t->logs + t->kept + t->pending;
}

static bool both_closed(const struct sd_exchange *x)
{
    return x->side[SD_CLIENT].closing && x->side[SD_SERVER].closing;
}

bool sd_relief_is_over(const struct sd_exchange *x, int64_t now)
{
    return both_closed(x) && now - x->last > LINGERS_FOR;
}

/* Established, or as far as a session without its beginning shows it. */
static bool is_in_use(const struct sd_exchange *x)
{
    return x->established ||
           (x->mid_session && x->side[SD_CLIENT].appdata && x->side[SD_SERVER].appdata);
}

struct sd_before sd_relief_before(const struct sd_flow *f, int64_t now)
{
    const struct sd_exchange *x = f->x;
    return (struct sd_before){.known = !x->reversed && x->has_server_random,
                              .open = is_in_use(x) && !sd_relief_is_over(x, now),
                              .second = sd_addr_eq(&x->server, &f->addr[1]),
                              .foreign = x->foreign_before + x->side[SD_CLIENT].foreign +
                                         x->side[SD_SERVER].foreign};
}

/* The flow stays: datagrams that come late belong to it. */
static void end_closed(struct sd_tracker *t, struct sd_flow *f)
{
    f->over = t->now;
    f->before = sd_relief_before(f, t->now);
    t->counts.early++;
    sd_exchange_end(t, f);
}

/* False when the next one has not ended yet. */
static bool end_next_closed(struct sd_tracker *t)
{
    struct sd_flow *f = t->closed_first;
    if (!f)
        return false;
    if (!both_closed(f->x)) {
        sd_flow_forget_closed(t, f); /* it went on */
        return true;
    }
    if (!sd_relief_is_over(f->x, t->now))
        return false;
    end_closed(t, f);
    return true;
}

static bool end_silent(struct sd_tracker *t)
{
    if (t->now - t->oldest->last <= SILENT_FOR)
        return false;
    t->counts.early += t->oldest->x != NULL;
    sd_flow_remove(t, t->oldest);
    return true;
}

void sd_relief_note(struct sd_tracker *t, struct sd_flow *f)
{
    size_t room = t->config.max_bytes / ROOM_SHARE;
    if (both_closed(f->x))
        sd_flow_note_closed(t, f);
    while (bytes_in_use(t) > room && end_next_closed(t))
        continue;
    while (bytes_in_use(t) > room && end_silent(t))
        continue;
    while (bytes_in_use(t) > t->config.max_bytes && t->oldest != f)
        sd_flow_evict(t);
}
