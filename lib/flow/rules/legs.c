/* SPDX-License-Identifier: MIT */
/* One handshake captured on both sides of a NAT or relay: the same records on two address pairs. */
#include "flow/index.h"
#include "flow/rules/rule.h"

/* What passes a device comes out so soon. */
#define FORWARDED_WITHIN (1 * SD_NS_SECOND)
enum { LOST_MIN = 2 /* packets that did not come out */ };

static bool same_record(const struct sd_event *a, const struct sd_event *b)
{
    int64_t apart = a->time - b->time;
    return a->kind == b->kind && a->seq == b->seq && a->epoch == b->epoch &&
           a->record == b->record && a->hash == b->hash && a->frag_off == b->frag_off &&
           sd_event_side(a) == sd_event_side(b) && apart < FORWARDED_WITHIN &&
           apart > -FORWARDED_WITHIN;
}

static bool is_sent(const struct sd_event *e)
{
    return e->kind == SD_EV_HANDSHAKE || e->kind == SD_EV_CCS || e->kind == SD_EV_ALERT ||
           (e->kind == SD_EV_PROTECTED && e->flight);
}

static const struct sd_event *on_leg(const struct sd_exchange *o, const struct sd_event *e)
{
    for (size_t i = 0; i < o->count; i++)
        if (same_record(&o->log[i], e))
            return &o->log[i];
    return NULL;
}

/* A hello that is repeated from another address has a number of its own: that is rebinding. */
bool sd_is_other_leg(const struct sd_exchange *x, const struct sd_exchange *o)
{
    return x->count && o->count && is_sent(&x->log[0]) &&
           (on_leg(o, &x->log[0]) || on_leg(x, &o->log[0]));
}

/* NULL: there is none, or there are several, between which the client may have moved. */
static const struct sd_exchange *other_leg(const struct sd_case *c)
{
    const struct sd_exchange *found[SD_INDEX_MAX];
    size_t n = c->index ? sd_index_same_random(c->index, c->x, found) : 0;
    return n == 1 && sd_is_other_leg(c->x, found[0]) ? found[0] : NULL;
}

/* The legs in the order in which a record of this side meets them: the first is nearer to its
 * sender. Told by a record that is on both. */
static bool goes_from(const struct sd_exchange *x, const struct sd_exchange *o, enum sd_side side,
                      bool *from_x)
{
    for (size_t i = 0; i < x->count; i++) {
        const struct sd_event *e = &x->log[i];
        const struct sd_event *twin = is_sent(e) ? on_leg(o, e) : NULL;
        if (!twin || twin->time == e->time)
            continue;
        bool x_first = e->time < twin->time;
        *from_x = sd_event_side(e) == side ? x_first : !x_first;
        return true;
    }
    return false;
}

/* What of the server went into the device, and from where on nothing came out of it. */
struct dead_end {
    unsigned out, lost;      /* packets that came out, before; packets that did not */
    uint16_t largest, small; /* of those that came out, and the smallest that did not; bytes */
};

static struct dead_end follow(const struct sd_exchange *from, const struct sd_exchange *to,
                              struct sd_finding *f)
{
    struct dead_end d = {.small = UINT16_MAX};
    const struct sd_finding fresh = *f;
    for (size_t i = 0; i < from->count; i++) {
        const struct sd_event *e = &from->log[i];
        if (sd_event_side(e) != SD_SERVER || !is_sent(e) || !(e->flags & SD_EVF_FIRST))
            continue;
        if (on_leg(to, e)) {
            d.out++;
            d.lost = 0; /* it lives */
            *f = fresh;
            d.largest = e->datagram > d.largest ? e->datagram : d.largest;
            continue;
        }
        d.lost++;
        d.small = e->datagram < d.small ? e->datagram : d.small;
        sd_prove(f, e);
    }
    return d;
}

/* The request for a cookie came out, and nothing of the flight did. */
bool sd_reply_path_died(const struct sd_case *c, struct sd_finding *f)
{
    char a[SD_ADDR_TEXT], b[SD_ADDR_TEXT], p[SD_ADDR_TEXT], q[SD_ADDR_TEXT];
    const struct sd_exchange *x = c->x, *o = other_leg(c);
    struct sd_finding with = *f;
    bool from_x;
    if (!o || !goes_from(x, o, SD_SERVER, &from_x))
        return false;
    const struct sd_exchange *from = from_x ? x : o, *to = from_x ? o : x;
    struct dead_end d = follow(from, to, &with);
    if (!d.out || d.lost < LOST_MIN || to->has_server_random)
        return false;
    *f = with;
    /* Where all that did not come out is larger than what did, its size may be the reason. */
    f->confidence = d.small > d.largest ? SD_MEDIUM : SD_HIGH;
    if (d.small > d.largest)
        f->runner_up = sd_catalogue_find("mtu-blackhole-s2c");
    sd_say(f,
           "The same handshake is captured between %s and %s, and between %s and %s. Of the "
           "server's packets %u came out of the device between them; the %u after that did not.",
           sd_addr_text(&from->client, a), sd_addr_text(&from->server, b),
           sd_addr_text(&to->client, p), sd_addr_text(&to->server, q), d.out, d.lost);
    return true;
}
