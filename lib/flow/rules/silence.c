/* SPDX-License-Identifier: MIT */
/* Section J of the catalogue: a session in which one side falls silent or has ended. */
#include "flow/rules/rule.h"
#include "wire/record.h"

/* So many records, for so long, and no answer: chance no longer explains it. Few records must be
 * repeated over a long time, as CoAP and RADIUS do. */
enum { SILENT_RECORDS = 5, SILENT_FEW = 3 };
/* A server may send a stream after one question: only after several answers its client owes one. */
enum { ASKED_MIN = 3 };
#define SILENT_FOR (3 * SD_NS_SECOND)
#define SILENT_FEW_FOR (10 * SD_NS_SECOND)

static const char *name_of(enum sd_side side)
{
    return side == SD_CLIENT ? "client" : "server";
}

/* It used to answer: at least every second record of the other side had one of its own. */
static bool used_to_answer(const struct sd_exchange *x, enum sd_side mute)
{
    const struct sd_direction *talks = &x->side[sd_other(mute)];
    uint32_t before = talks->appdata - talks->unanswered;
    return before >= (mute == SD_CLIENT ? ASKED_MIN : 1) &&
           x->side[mute].appdata >= (before + 1) / 2;
}

static bool is_silent(const struct sd_exchange *x, enum sd_side mute)
{
    const struct sd_direction *talks = &x->side[sd_other(mute)];
    int64_t since = talks->unanswered_ms * SD_NS_MS;
    bool many = talks->unanswered >= SILENT_RECORDS && since >= SILENT_FOR;
    bool few = talks->unanswered >= SILENT_FEW && since >= SILENT_FEW_FOR;
    return (many || few) && !x->side[mute].closing && used_to_answer(x, mute);
}

bool sd_rule_peer_silent(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    enum sd_side mute = is_silent(x, SD_SERVER) ? SD_SERVER : SD_CLIENT;
    const struct sd_direction *talks = &x->side[sd_other(mute)];
    /* A new address or an ICMP error is an explanation of its own. */
    if ((!x->established && !x->mid_session) || !is_silent(x, mute) || sd_rare(x)->moved_number ||
        x->icmp_number >= talks->unanswered_number)
        return false;
    sd_prove_frame(f, talks->unanswered_number, talks->unanswered_from);
    sd_prove_frame(f, x->log[x->count - 1].number, x->log[x->count - 1].time);
    f->to = talks->unanswered_from + talks->unanswered_ms * SD_NS_MS;
    bool sure = x->side[mute].appdata > 1 && talks->unanswered >= SILENT_RECORDS;
    f->confidence = sure ? SD_MEDIUM : SD_LOW;
    sd_say(f,
           "Both sides sent data until %.3f s after the first packet. Since then the %s sent %u "
           "records in %.1f s, and the %s answered none of them.",
           sd_seconds(x->side[mute].last - x->start), name_of(sd_other(mute)), talks->unanswered,
           talks->unanswered_ms / 1e3, name_of(mute));
    return true;
}

static bool is_sealed(const struct sd_event *e, uint8_t content)
{
    return e->kind == SD_EV_PROTECTED && e->content == content;
}

/* What came before, apart from copies by the network; NULL = nothing. */
static const struct sd_event *before(const struct sd_exchange *x, const struct sd_event *e)
{
    while (e-- > x->log)
        if (!(e->flags & SD_EVF_DUPLICATE))
            return e;
    return NULL;
}

/* The newest alert of this side. Without keys it is probably a close_notify, but not when it
 * answers a renegotiation: then it is a warning, and the session goes on. */
static const struct sd_event *goodbye_of(const struct sd_exchange *x, enum sd_side side)
{
    for (size_t i = x->count; i-- > 0;) {
        const struct sd_event *e = &x->log[i];
        bool alert = e->kind == SD_EV_ALERT || is_sealed(e, SD_CT_ALERT);
        if (!alert || sd_event_side(e) != side || e->flags & SD_EVF_DUPLICATE)
            continue;
        const struct sd_event *asked = before(x, e);
        bool refusal = asked && is_sealed(e, SD_CT_ALERT) && is_sealed(asked, SD_CT_HANDSHAKE) &&
                       asked->time > x->established;
        return refusal ? NULL : e;
    }
    return NULL;
}

bool sd_rule_data_after_close(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    enum sd_side goes_on = x->side[SD_CLIENT].after_close ? SD_CLIENT : SD_SERVER;
    const struct sd_direction *talks = &x->side[goes_on];
    const struct sd_event *goodbye = goodbye_of(x, sd_other(goes_on));
    if ((!x->established && !x->mid_session) || !talks->after_close || !goodbye)
        return false;
    sd_prove(f, goodbye);
    sd_prove_frame(f, talks->unanswered_number, talks->unanswered_from);
    f->confidence = x->opened ? SD_HIGH : SD_MEDIUM;
    sd_say(f,
           "The %s closed the session %.1f s after the first packet%s. More than 1 s later the %s "
           "still sent %u record%s of data, the last one %.1f s after the close.",
           name_of(sd_other(goes_on)), sd_seconds(goodbye->time - x->start),
           goodbye->kind == SD_EV_ALERT ? "" : " (an encrypted alert, probably close_notify)",
           name_of(goes_on), talks->after_close, sd_plural(talks->after_close),
           sd_seconds(talks->last - goodbye->time));
    return true;
}
