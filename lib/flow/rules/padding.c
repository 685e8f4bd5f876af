/* SPDX-License-Identifier: MIT */
/* Section J of the catalogue: bytes around the records. */
#include <stdio.h>

#include "flow/rules/rule.h"

enum { TURN_PADDING_MAX = 3 }; /* bytes (RFC 8656 section 12.5) */

bool sd_padded(const struct sd_exchange *x, enum sd_side side)
{
    return sd_rare(x)->trailing[side].datagrams > 0;
}

/* What is known of the padding of both sides. */
struct padding {
    uint32_t padded, sent; /* datagrams of the sides that have it */
    unsigned least, most;
    bool aligned, repeated;
};

/* This side said something twice: perhaps its datagrams were dropped for their padding. */
static bool repeats_itself(const struct sd_view *v, enum sd_side side)
{
    for (size_t i = 0; i < v->burst_count; i++)
        if (v->bursts[i].side == side && v->bursts[i].cause != SD_CAUSE_FIRST)
            return true;
    return false;
}

static void add_padding(struct padding *p, const struct sd_case *c, enum sd_side side)
{
    const struct sd_rare *rare = sd_rare(c->x);
    unsigned least = rare->trailing[side].least, most = rare->trailing[side].most;
    if (!sd_padded(c->x, side))
        return;
    p->least = !p->padded || least < p->least ? least : p->least;
    p->most = most > p->most ? most : p->most;
    p->aligned = (!p->padded || p->aligned) && !rare->trailing[side].unaligned;
    p->padded += rare->trailing[side].datagrams;
    p->sent += c->x->side[side].datagrams;
    p->repeated |= repeats_itself(c->view, side);
}

static const char *padded_side(const struct sd_exchange *x)
{
    if (sd_padded(x, SD_CLIENT) && sd_padded(x, SD_SERVER))
        return "both sides";
    return sd_padded(x, SD_CLIENT) ? "the client" : "the server";
}

bool sd_rule_trailing_bytes(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    struct padding p = {0};
    char size[32];
    add_padding(&p, c, SD_CLIENT);
    add_padding(&p, c, SD_SERVER);
    if (!p.padded)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].flags & SD_EVF_TRAILING)
            sd_prove(f, &x->log[i]);
    bool turn = p.most <= TURN_PADDING_MAX && p.aligned;
    bool dropped = c->outcome == SD_FAILED && p.repeated;
    f->severity = dropped ? SD_FATAL : SD_WARNING;
    f->confidence = dropped || !turn ? SD_MEDIUM : SD_HIGH;
    if (p.least == p.most)
        snprintf(size, sizeof size, "%u zero byte%s", p.most, sd_plural(p.most));
    else
        snprintf(size, sizeof size, "%u to %u zero bytes", p.least, p.most);
    sd_say(f, "In %u of %u datagrams from %s the last record is followed by %s%s.%s", p.padded,
           p.sent, padded_side(x), size,
           turn ? ", to a multiple of 4 bytes: the padding of a TURN relay" : "",
           dropped ? " Messages in them are repeated: the receiver probably drops such datagrams."
                   : "");
    return true;
}
