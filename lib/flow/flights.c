/* SPDX-License-Identifier: MIT */
/* Flights of RFC 6347 section 4.2.4: 1 ClientHello, 2 HelloVerifyRequest, 3 ClientHello with
 * its cookie, 4 the server's, 5 the client's, 6 the server's last. In an abbreviated
 * handshake the server's Finished belongs to 4. */
#include "flow/internal.h"

static bool client_spoke_keys(const struct sd_exchange *x)
{
    return x->side[SD_CLIENT].sealed.seen || sd_kept(x, SD_KEPT_CLIENT_KEY_EXCHANGE).len;
}

static bool server_flight_ended(const struct sd_exchange *x)
{
    for (size_t i = x->count; i-- > 0;)
        if (x->log[i].kind == SD_EV_HANDSHAKE && x->log[i].message == SD_HS_SERVER_HELLO_DONE)
            return true;
    return false;
}

static uint8_t flight_of_server_end(const struct sd_exchange *x)
{
    return client_spoke_keys(x) || server_flight_ended(x) ? 6 : 4;
}

static uint8_t flight_of_message(const struct sd_exchange *x, const struct sd_event *e)
{
    switch (e->message) {
    case SD_HS_CLIENT_HELLO:
        return x->hellos_cookie || sd_kept(x, SD_KEPT_RETRY).len ? 3 : 1;
    case SD_HS_HELLO_VERIFY_REQUEST:
        return 2;
    case SD_HS_SERVER_HELLO:
        return sd_kept(x, SD_KEPT_RETRY).len && !x->negotiated ? 2 : 4;
    case SD_HS_NEW_SESSION_TICKET:
        return x->version == SD_DTLS_1_3 ? 0 : flight_of_server_end(x);
    case SD_HS_FINISHED:
        if (e->flags & SD_EVF_SERVER)
            return x->version == SD_DTLS_1_3 ? 4 : flight_of_server_end(x);
        return 5;
    case SD_HS_HELLO_REQUEST:
    case SD_HS_KEY_UPDATE:
        return 0;
    default:
        return e->flags & SD_EVF_SERVER ? 4 : 5;
    }
}

/* A protected handshake record is a Finished, unless it comes after the handshake and is
 * not one again. */
static uint8_t flight_of_sealed(const struct sd_exchange *x, const struct sd_event *e)
{
    bool server = e->flags & SD_EVF_SERVER;
    if (e->flags & SD_EVF_UNIFIED) {
        if (e->epoch != 2)
            return 0;
        return server ? 4 : 5;
    }
    for (size_t i = 0; i < x->count; i++) {
        const struct sd_event *o = &x->log[i];
        if (o->kind == SD_EV_PROTECTED && o->content == SD_CT_HANDSHAKE &&
            (o->flags & SD_EVF_SERVER) == (e->flags & SD_EVF_SERVER))
            return o->record == e->record ? o->flight : 0;
    }
    return server ? flight_of_server_end(x) : 5;
}

/* A renegotiation is a handshake of its own, inside the session: what it sends was never sent
 * before. */
static bool renegotiates(const struct sd_exchange *x, const struct sd_event *e)
{
    if (x->version == SD_DTLS_1_3 || e->flags & SD_EVF_UNIFIED || !e->epoch)
        return false;
    return e->epoch > 1 || (e->kind == SD_EV_HANDSHAKE && e->message != SD_HS_FINISHED);
}

void sd_flight_assign(struct sd_exchange *x, struct sd_event *e)
{
    if (e->kind != SD_EV_HANDSHAKE && e->kind != SD_EV_CCS && e->kind != SD_EV_PROTECTED)
        return; /* of application data there is much */
    if (renegotiates(x, e))
        return;
    if (e->kind == SD_EV_HANDSHAKE)
        e->flight = flight_of_message(x, e) & 7;
    else if (e->kind == SD_EV_CCS)
        e->flight = (e->flags & SD_EVF_SERVER ? flight_of_server_end(x) : 5) & 7;
    else if (e->kind == SD_EV_PROTECTED &&
             (e->content == SD_CT_HANDSHAKE || e->content == SD_CT_CID || !e->content))
        e->flight = flight_of_sealed(x, e) & 7;
    /* Flight 4 of a server that the client answered before is 6 only by its content; the
     * abbreviated handshake shows when its end comes in 4. */
    if (e->flight == 4 && e->kind == SD_EV_CCS)
        x->resumed = true;
}

/* --- has it been sent before? --- */

static bool same_side(const struct sd_event *a, const struct sd_event *b)
{
    return (a->flags & SD_EVF_SERVER) == (b->flags & SD_EVF_SERVER);
}

bool sd_flight_repeats(const struct sd_event *old, const struct sd_event *e)
{
    if (old->kind != e->kind || !same_side(old, e))
        return false;
    switch (e->kind) {
    case SD_EV_HANDSHAKE:
        if (old->message_seq != e->message_seq || old->message != e->message ||
            old->length != e->length || old->epoch != e->epoch)
            return false;
        if (!e->frag_len || !old->frag_len)
            return e->frag_len == old->frag_len;
        return old->frag_off < e->frag_off + e->frag_len &&
               e->frag_off < old->frag_off + old->frag_len;
    case SD_EV_CCS:
        return old->epoch == e->epoch;
    case SD_EV_PROTECTED:
        return e->flight && old->flight == e->flight && old->record == e->record &&
               old->epoch == e->epoch && old->content == SD_CT_HANDSHAKE &&
               e->content == SD_CT_HANDSHAKE;
    default:
        return false;
    }
}

static void note_copy(struct sd_event *e, const struct sd_event *old)
{
    bool exact = old->frag_off == e->frag_off && old->frag_len == e->frag_len;
    e->flags |= SD_EVF_RETRANSMIT;
    if (!exact)
        e->flags |= SD_EVF_REFRAGMENTED;
    /* A HelloVerifyRequest may bring another cookie, a ClientHello may have got one. */
    if (exact && old->hash != e->hash && e->kind == SD_EV_HANDSHAKE &&
        e->message != SD_HS_HELLO_VERIFY_REQUEST && e->message != SD_HS_CLIENT_HELLO)
        e->flags |= SD_EVF_CHANGED;
    if (old->copy < UINT8_MAX && e->copy <= old->copy)
        e->copy = (uint8_t)(old->copy + 1);
}

void sd_flight_copies(const struct sd_tracker *t, const struct sd_exchange *x, struct sd_event *e)
{
    if (e->kind != SD_EV_HANDSHAKE && e->kind != SD_EV_CCS && e->kind != SD_EV_PROTECTED)
        return;
    for (size_t i = 0; i < x->count; i++)
        if (sd_flight_repeats(&x->log[i], e))
            note_copy(e, &x->log[i]);
    for (const struct sd_event *o = t->events; o < e; o++)
        if (sd_flight_repeats(o, e))
            note_copy(e, o);
}
