/* SPDX-License-Identifier: MIT */
/* What shows that both sides accept the handshake. */
#include "flow/internal.h"

static int64_t last_of_handshake(const struct sd_exchange *x)
{
    int64_t time = x->start;
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].flight)
            time = x->log[i].time;
    return time;
}

/* It proves the session, whatever of the handshake is not in the capture. */
static bool data_both_ways(const struct sd_exchange *x)
{
    const struct sd_direction *c = &x->side[SD_CLIENT], *s = &x->side[SD_SERVER];
    return c->appdata && s->appdata && (x->version == SD_DTLS_1_3 || (c->epoch && s->epoch));
}

void sd_note_established(struct sd_exchange *x, int64_t time)
{
    const struct sd_direction *c = &x->side[SD_CLIENT], *s = &x->side[SD_SERVER];
    if (x->established)
        return;
    /* Of a datagram that is cut short its Finished may be missing: what comes after tells. */
    bool cut = (c->snapped || s->snapped) && c->sealed.seen && s->sealed.seen;
    if (!x->mid_session && (cut || data_both_ways(x)))
        x->established = last_of_handshake(x);
    bool finished[SD_SIDES] = {0}, data = false;
    for (size_t i = 0; i < x->count; i++) {
        const struct sd_event *e = &x->log[i];
        bool sealed =
            e->kind == SD_EV_PROTECTED && e->flight &&
            (e->content == SD_CT_HANDSHAKE || e->content == SD_CT_CID || e->flags & SD_EVF_UNIFIED);
        if (sealed || (e->kind == SD_EV_HANDSHAKE && e->message == SD_HS_FINISHED))
            finished[sd_event_side(e)] = true;
        data |= (e->flags & SD_EVF_UNIFIED || x->version == SD_DTLS_1_3) &&
                (e->kind == SD_EV_APPDATA || e->kind == SD_EV_ACK || e->epoch == 3);
    }
    /* In DTLS 1.3 the client's flight is alerts, too, as long as nobody opens it: data, or an
     * acknowledgement in the epoch of data, shows that it was a Finished. */
    if (finished[SD_CLIENT] && finished[SD_SERVER] &&
        (x->version != SD_DTLS_1_3 || data || x->opened))
        x->established = time;
}
