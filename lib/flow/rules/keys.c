/* SPDX-License-Identifier: MIT */
/* Section F of the catalogue: keys and the Finished messages. */
#include <stdio.h>
#include <string.h>

#include "flow/rules/hellos.h"
#include "flow/rules/rule.h"
#include "wire/extension.h"
#include "wire/iana.h"
#include "wire/names.h"
#include "wire/record.h"

/* A client's flight that is all there: it can only be refused for what it says. */
static bool client_finished(const struct sd_view *v)
{
    const struct sd_part *p = sd_view_part(v, SD_CLIENT, SD_HS_FINISHED);
    return p && p->whole && sd_view_part(v, SD_CLIENT, SD_HS_CLIENT_KEY_EXCHANGE);
}

/* EC J-PAKE has a password, but no identity. */
static bool uses_password(const struct sd_exchange *x)
{
    char buf[SD_NAME_TEXT];
    return x->negotiated && strstr(sd_name(SD_NAME_SUITE, x->suite, buf), "_ECJPAKE_") != NULL;
}

static bool uses_psk(const struct sd_exchange *x)
{
    char buf[SD_NAME_TEXT];
    return x->negotiated &&
           (strstr(sd_name(SD_NAME_SUITE, x->suite, buf), "PSK") != NULL || uses_password(x));
}

/* Alerts that say that keys differ, or signatures and Finished. */
static const struct sd_event *key_alert(const struct sd_view *v)
{
    static const int codes[] = {SD_ALERT_BAD_RECORD_MAC, SD_ALERT_DECRYPT_ERROR,
                                SD_ALERT_DECRYPTION_FAILED, SD_ALERT_UNKNOWN_PSK_IDENTITY};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        for (int s = SD_CLIENT; s < SD_SIDES; s++) {
            const struct sd_event *e = sd_view_alert(v, (enum sd_side)s, codes[i]);
            if (e)
                return e;
        }
    return NULL;
}

/* Some servers say no more than that when they do not know an identity (OpenSSL, wolfSSL,
 * tinydtls). */
static const struct sd_event *identity_refused(const struct sd_view *v)
{
    const struct sd_event *e = sd_view_alert(v, SD_SERVER, SD_ALERT_HANDSHAKE_FAILURE);
    if (!e)
        e = sd_view_alert(v, SD_SERVER, SD_ALERT_INTERNAL_ERROR);
    return sd_view_part(v, SD_CLIENT, SD_HS_CERTIFICATE) ? NULL : e;
}

/* The alert may be about a Finished: its sender had received one. */
static const struct sd_event *finished_alert(const struct sd_view *v)
{
    const struct sd_event *e = key_alert(v);
    if (!e || e->message == SD_ALERT_UNKNOWN_PSK_IDENTITY)
        return NULL;
    enum sd_side other = sd_other(sd_event_side(e));
    return v->x->side[other].sealed.seen ? e : NULL;
}

/* Plain PSK and (EC)DHE_PSK both begin with it (RFC 4279 section 2). */
static void psk_identity(const struct sd_exchange *x, char *out, size_t cap)
{
    struct sd_span body = sd_kept(x, SD_KEPT_CLIENT_KEY_EXCHANGE);
    struct sd_rd r = sd_rd_init(body.p, body.len);
    struct sd_rd id = sd_rd_vec16(&r);
    size_t n = 0;
    while (sd_rd_left(&id) && n + 1 < cap) {
        uint8_t ch = sd_rd_u8(&id);
        out[n++] = (char)(ch >= ' ' && ch < 127 ? ch : '.');
    }
    out[n] = '\0';
}

/* "the PSK identity "user"", or what stands for it. */
static const char *credential(const struct sd_exchange *x, char buf[static 96])
{
    char identity[64];
    psk_identity(x, identity, sizeof identity);
    if (uses_password(x))
        return "its proof of the password (EC J-PAKE)";
    snprintf(buf, 96, "the PSK identity \"%s\"", identity);
    return buf;
}

static void say_refused(struct sd_finding *f, const struct sd_case *c, const struct sd_event *alert)
{
    char text[96], name[SD_NAME_TEXT];
    if (alert)
        sd_say(f, "The client sent %s, then the alert %s ended the handshake: the %s.",
               credential(c->x, text), sd_name(SD_NAME_ALERT, alert->message, name),
               uses_password(c->x) ? "passwords differ"
                                   : "keys differ, or the server does not know the identity");
    else
        sd_say(
            f,
            "The client sent its complete flight with %s %u times in %.1f s, but the server never "
            "accepted it. A server drops a Finished made with another key without an alert (RFC "
            "6347 section 4.1.2.7).",
            credential(c->x, text), sd_view_bursts(c->view, SD_CLIENT, 5),
            sd_seconds(c->view->now - c->x->start));
}

/* The given key does not open the client's Finished: that is certain. But if nothing says that the
 * server refused it, the given key may be the wrong one, and the answer may be lost. */
static void say_client_differs(struct sd_finding *f, const struct sd_case *c, bool refused)
{
    char text[96];
    f->confidence = refused ? SD_HIGH : SD_LOW;
    f->runner_up = refused ? NULL : f->runner_up;
    sd_say(f,
           "The client made its Finished with another key than the one given: it does not decrypt "
           "with that key. If the server has the given key, correct the client's key for %s.",
           credential(c->x, text));
}

/* The client has the given key. If nothing says that the server refused it, the answer may be lost.
 */
static void say_server_differs(struct sd_finding *f, const struct sd_case *c, bool refused)
{
    char text[96];
    f->confidence = refused ? f->confidence : SD_LOW;
    sd_say(f,
           "The client made its Finished with the given key, but the server %s. The server has "
           "another key for %s, or does not know it.",
           refused ? "refused it" : "never answered: unless the answer is lost, it refused it",
           credential(c->x, text));
}

/* A server that sent a Finished has accepted the client's, whatever key both have. */
bool sd_rule_wrong_psk(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    const uint8_t *proof = c->x->key_proof;
    if (c->outcome != SD_FAILED)
        return false;
    const struct sd_event *sure = key_alert(v), *alert = sure ? sure : identity_refused(v);
    bool differs = proof[SD_CLIENT] == SD_KEY_OTHER;
    if (!uses_psk(c->x) || !client_finished(v) || proof[SD_SERVER] != SD_KEY_UNPROVEN ||
        (!alert && !differs && sd_view_bursts(v, SD_CLIENT, 5) < 2))
        return false;
    bool repeats = sd_view_bursts(v, SD_SERVER, 4) > 1;
    sd_prove_bursts(f, v, SD_CLIENT, 5, 6);
    sd_prove_bursts(f, v, SD_SERVER, 4, 4);
    if (alert)
        sd_prove(f, alert);
    f->confidence = sure || (repeats && !alert) ? SD_HIGH : SD_MEDIUM;
    sd_confuse(f, alert && !sure ? "unexplained-alert" : "final-flight-lost");
    if (differs)
        say_client_differs(f, c, alert || repeats);
    else if (proof[SD_CLIENT] == SD_KEY_GIVEN)
        say_server_differs(f, c, alert || repeats);
    else
        say_refused(f, c, alert);
    return true;
}

/* Without it, the client has nothing to answer yet. */
static bool server_flight_whole(const struct sd_view *v)
{
    return sd_view_part(v, SD_SERVER, SD_HS_SERVER_HELLO_DONE) && sd_view_whole(v, SD_SERVER) &&
           !sd_view_absent(v, SD_SERVER);
}

/* Something else says why no answer of the client is seen: it goes on asking, a host or a
 * router refuses packets, pieces of IP packets are lost, the server cuts its messages
 * differently each time, or there are two servers. */
static bool answer_was_hindered(const struct sd_exchange *x, const struct sd_view *v)
{
    uint8_t asking = x->hellos_cookie ? 3 : 1;
    if (sd_view_caused(v, SD_CLIENT, asking, SD_CAUSE_FIRST) < sd_view_bursts(v, SD_CLIENT, asking))
        return true;
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].kind == SD_EV_IP_CUT || x->log[i].flags & SD_EVF_REFRAGMENTED)
            return true;
    return x->icmp_number || x->server_randoms > 1;
}

/* Pieces of the client's flight that arrive each time say that something picks them. */
static enum sd_confidence confidence_in_loss(const struct sd_view *v)
{
    if (!v->lost[SD_CLIENT])
        return SD_LOW;
    return sd_view_whole(v, SD_CLIENT) ? SD_HIGH : SD_MEDIUM;
}

bool sd_rule_flight5_lost(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    unsigned own = sd_view_caused(v, SD_SERVER, 4, SD_CAUSE_TIMER);
    unsigned again = sd_view_bursts(v, SD_CLIENT, 5);
    if (c->outcome != SD_FAILED || own < 2 || (again && uses_psk(c->x)) ||
        c->x->version == SD_DTLS_1_3 || sd_view_alert(v, SD_SERVER, -1) ||
        sd_view_alert(v, SD_CLIENT, -1))
        return false;
    if (!server_flight_whole(v) || (!again && answer_was_hindered(c->x, v)))
        return false;
    sd_prove_bursts(f, v, SD_SERVER, 4, 6);
    sd_prove_bursts(f, v, SD_CLIENT, 5, 6);
    f->confidence = again ? confidence_in_loss(v) : sd_server_flight_faulty(c) ? SD_LOW : SD_MEDIUM;
    sd_confuse(f, again ? "finished-mismatch" : "mtu-blackhole-c2s");
    if (again)
        sd_say(f,
               "The server repeated its flight %u times on its own timer. The client sent its "
               "answer %u time%s, but the answer does not reach the server.%s",
               own, again, sd_plural(again),
               v->lost[SD_CLIENT] ? " Records of the answer are missing in this capture, too."
                                  : "");
    else
        sd_say(f,
               "The server repeated its complete flight %u times, but no answer of the client was "
               "captured.",
               own);
    return true;
}

bool sd_rule_finished_mismatch(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    const struct sd_event *alert = finished_alert(v);
    bool signature = alert && alert->message == SD_ALERT_DECRYPT_ERROR &&
                     sd_view_part(v, SD_CLIENT, SD_HS_CERTIFICATE_VERIFY);
    unsigned answered = sd_view_caused(v, SD_SERVER, 4, SD_CAUSE_RESPONSE);
    unsigned both = sd_view_bursts(v, SD_SERVER, 4), again = sd_view_bursts(v, SD_CLIENT, 5);
    if (c->outcome != SD_FAILED || uses_psk(c->x) || !client_finished(v))
        return false;
    if (!alert && (both < 2 || again < 2))
        return false;
    sd_prove_bursts(f, v, SD_CLIENT, 5, 6);
    /* Those on a timer show nothing. */
    sd_prove_caused(f, v, SD_SERVER, 4, SD_CAUSE_RESPONSE, 5);
    if (alert)
        sd_prove(f, alert);
    /* Without the ServerHello the suite is not known: it may be one with a key of both. */
    bool sure = alert && c->x->negotiated && !signature;
    f->confidence = sure ? SD_HIGH : alert || answered ? SD_MEDIUM : SD_LOW;
    sd_confuse(f, signature          ? "certificate-unfit"
                  : c->x->negotiated ? "flight5-lost"
                                     : "wrong-psk");
    if (alert)
        sd_say(f,
               "The Finished messages%s do not match (alert %u from the %s): the two sides saw "
               "different handshake messages or have different keys.",
               signature ? ", or the client's CertificateVerify," : "", alert->message,
               sd_event_side(alert) == SD_SERVER ? "server" : "client");
    else
        sd_say(f,
               "The client (%u times) and the server (%u times) sent complete flights again and "
               "again without an alert. The server probably receives the client's Finished and "
               "drops it.",
               again, both);
    return true;
}

/* --- order --- */

static const struct sd_event *first_of(const struct sd_exchange *x, enum sd_side side,
                                       enum sd_event_kind kind)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].kind == kind && sd_event_side(&x->log[i]) == side &&
            (kind != SD_EV_PROTECTED || x->log[i].content == SD_CT_HANDSHAKE ||
             x->log[i].content == SD_CT_CID))
            return &x->log[i];
    return NULL;
}

/* Overtaken on the way, not sent again: an earlier number, and soon. The frames of a capture may
 * be out of order: their times tell. */
static const struct sd_event *message_after_ccs(const struct sd_exchange *x,
                                                const struct sd_event *ccs)
{
    for (const struct sd_event *e = ccs + 1; e < x->log + x->count; e++)
        if (e->kind == SD_EV_HANDSHAKE && !e->epoch && e->flight == ccs->flight &&
            sd_event_side(e) == sd_event_side(ccs) && e->seq < ccs->seq && e->time >= ccs->time &&
            !(e->flags & (SD_EVF_RETRANSMIT | SD_EVF_DUPLICATE)))
            return e;
    return NULL;
}

/* A ChangeCipherSpec that was sent again has a later number than the other messages that were;
 * and the number of the lost one is missing right before it. */
static bool is_first_copy(const struct sd_exchange *x, const struct sd_event *ccs)
{
    for (const struct sd_event *e = x->log; e < ccs; e++)
        if (sd_event_side(e) == sd_event_side(ccs) && e->flight == ccs->flight && !e->epoch &&
            e->flags & SD_EVF_RETRANSMIT && e->seq < ccs->seq)
            return false;
    return !ccs->gap && !(ccs->flags & SD_EVF_RETRANSMIT);
}

static bool finished_before(const struct sd_exchange *x, const struct sd_event *fin,
                            const struct sd_event *ccs)
{
    return fin && fin < ccs && fin->time <= ccs->time && fin->number != ccs->number &&
           is_first_copy(x, ccs);
}

/* Its ChangeCipherSpec, and what of the flight came on the wrong side of it: the Finished before
 * it, or a message after it. */
struct overtaken {
    const struct sd_event *ccs, *other;
};

/* Nothing of its side was captured before: the capture begins there. */
static bool comes_first(const struct sd_exchange *x, const struct sd_event *e)
{
    for (const struct sd_event *o = x->log; o < e; o++)
        if (sd_event_side(o) == sd_event_side(e))
            return false;
    return true;
}

static bool overtaken(const struct sd_exchange *x, enum sd_side side, struct overtaken *o)
{
    o->ccs = first_of(x, side, SD_EV_CCS);
    o->other = first_of(x, side, SD_EV_PROTECTED);
    if (!o->ccs || (o->other && comes_first(x, o->other)))
        return false;
    if (!finished_before(x, o->other, o->ccs))
        o->other = message_after_ccs(x, o->ccs);
    return o->other != NULL;
}

/* Pieces of one slow flight are no copies. */
static unsigned copies_of(const struct sd_view *v, enum sd_side side, uint8_t flight)
{
    return sd_view_bursts(v, side, flight) - sd_view_caused(v, side, flight, SD_CAUSE_FIRST);
}

/* A server may drop a datagram that it cannot read to its end. */
static bool sends_more_than_records(const struct sd_exchange *x, enum sd_side side)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].kind == SD_EV_MALFORMED && sd_event_side(&x->log[i]) == side)
            return true;
    return false;
}

/* Captured after the loss: the server has finished and only its last flight is missing. */
static bool last_flight_unseen(const struct sd_view *v)
{
    return client_finished(v) && copies_of(v, SD_CLIENT, 5) && !copies_of(v, SD_SERVER, 4) &&
           !sd_view_bursts(v, SD_SERVER, 6) && !sends_more_than_records(v->x, SD_CLIENT);
}

static bool client_went_on(const struct sd_view *v)
{
    return v->x->side[SD_CLIENT].appdata || v->x->side[SD_CLIENT].closing;
}

/* Captured before it: each repetition of the client is answered, to the end. */
static bool last_flight_unheard(const struct sd_view *v)
{
    return copies_of(v, SD_SERVER, 6) >= 2 &&
           sd_view_caused(v, SD_SERVER, 6, SD_CAUSE_RESPONSE) >= 2 && !client_went_on(v);
}

/* It was seen here, the client asks for it again and again, and nothing comes. */
static bool last_flight_not_repeated(const struct sd_view *v)
{
    const struct sd_burst *first = sd_view_burst(v, SD_SERVER, 6);
    unsigned asked = 0;
    for (size_t i = 0; first && i < v->burst_count; i++)
        asked += v->bursts[i].side == SD_CLIENT && v->bursts[i].flight == 5 &&
                 v->bursts[i].cause == SD_CAUSE_TIMER && v->bursts[i].start > first->start;
    return asked >= 2 && !copies_of(v, SD_SERVER, 6) && !client_went_on(v);
}

/* Data of the client before the second copy: it had got the first. */
static bool first_copy_arrived(const struct sd_view *v)
{
    const struct sd_event *data = first_of(v->x, SD_CLIENT, SD_EV_APPDATA);
    for (size_t i = 0; data && i < v->burst_count; i++)
        if (v->bursts[i].side == SD_SERVER && v->bursts[i].flight == 6 &&
            v->bursts[i].cause != SD_CAUSE_FIRST)
            return data->time < v->bursts[i].start;
    return false;
}

/* Asked for again after it had been seen here, or seen less often than it was asked for; each
 * copy with an answer of its own is a timer that is too short. */
static bool last_flight_asked_again(const struct sd_view *v)
{
    const struct sd_burst *last = sd_view_burst(v, SD_SERVER, 6);
    for (size_t i = 0; last && i < v->burst_count; i++) {
        const struct sd_burst *b = &v->bursts[i];
        if (b->side == SD_CLIENT && b->flight == 5 && b->cause == SD_CAUSE_TIMER &&
            b->start > last->start)
            return true;
    }
    return last && v->lost[SD_SERVER] &&
           sd_view_bursts(v, SD_SERVER, 6) < sd_view_bursts(v, SD_CLIENT, 5);
}

/* The ServerHello promised a ticket, which never came though a record number before the
 * ChangeCipherSpec is missing; and all that the client said to the rest is an alert. */
static bool ticket_lost(const struct sd_case *c)
{
    const struct sd_exchange *x = c->x;
    const struct sd_event *alert = NULL, *ccs = first_of(x, SD_SERVER, SD_EV_CCS);
    struct sd_span body;
    for (size_t i = 0; i < x->count && !alert; i++)
        if (x->log[i].kind == SD_EV_PROTECTED && x->log[i].content == SD_CT_ALERT &&
            sd_event_side(&x->log[i]) == SD_CLIENT)
            alert = &x->log[i];
    return x->established && alert && ccs && ccs->gap && !x->side[SD_CLIENT].appdata &&
           sd_choice_ext(x, SD_EXT_SESSION_TICKET, &body) &&
           !sd_view_part(c->view, SD_SERVER, SD_HS_NEW_SESSION_TICKET);
}

/* What was lost may be the client's own flight, if the network changed its order. */
static bool last_flight_recovered(const struct sd_view *v)
{
    struct overtaken o;
    return v->x->established && !overtaken(v->x, SD_CLIENT, &o) &&
           sd_view_caused(v, SD_CLIENT, 5, SD_CAUSE_TIMER) && !copies_of(v, SD_SERVER, 4) &&
           last_flight_asked_again(v) && !first_copy_arrived(v);
}

static bool say_ticket_lost(const struct sd_view *v, struct sd_finding *f)
{
    sd_prove_bursts(f, v, SD_CLIENT, 5, 1);
    sd_prove_bursts(f, v, SD_SERVER, 6, 2);
    for (size_t i = 0; i < v->x->count; i++)
        if (v->x->log[i].kind == SD_EV_PROTECTED && v->x->log[i].content == SD_CT_ALERT)
            sd_prove(f, &v->x->log[i]);
    f->confidence = SD_MEDIUM;
    sd_confuse(f, "close");
    sd_say(f,
           "The ServerHello promises a NewSessionTicket, but the record in front of the server's "
           "ChangeCipherSpec is missing. The client sent no data and ended the session with an "
           "encrypted alert: it probably cannot accept the rest of the flight.");
    return true;
}

bool sd_rule_final_flight_lost(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    unsigned again = copies_of(v, SD_CLIENT, 5) + 1, last = copies_of(v, SD_SERVER, 6) + 1;
    if (c->outcome == SD_INCOMPLETE || c->x->version == SD_DTLS_1_3 ||
        sd_view_alert(v, SD_SERVER, -1) || sd_view_alert(v, SD_CLIENT, -1))
        return false;
    bool unheard = last_flight_unheard(v);
    bool unseen = c->outcome == SD_FAILED && last_flight_unseen(v) && !sd_padded(c->x, SD_CLIENT);
    bool stuck = last_flight_not_repeated(v);
    if (ticket_lost(c))
        return say_ticket_lost(v, f);
    if (!unheard && !unseen && !stuck && !last_flight_recovered(v))
        return false;
    sd_prove_bursts(f, v, SD_CLIENT, 5, 6);
    sd_prove_bursts(f, v, SD_SERVER, 6, 6);
    f->severity = unheard || unseen || stuck ? SD_FATAL : SD_WARNING;
    /* A server that dislikes the key is silent, too, if it is GnuTLS (measured). */
    f->confidence = unheard ? SD_HIGH : uses_psk(c->x) ? SD_LOW : SD_MEDIUM;
    if (unseen) {
        sd_confuse(f, "finished-mismatch");
        sd_say(f,
               "The client sent its flight %u times, but the server never repeated its own. The "
               "server has probably finished, and its last flight does not arrive.",
               again);
    } else {
        sd_say(f,
               "The client sent its flight %u times and the server its last flight %u time%s. %s.",
               again, last, sd_plural(last),
               unheard ? "The client keeps repeating, so the answer does not reach it"
               : stuck ? "The client did not get or not accept it, and the server does not send it "
                         "again"
                       : "The first copy of the last flight was lost");
    }
    return true;
}

bool sd_rule_ccs_finished_reorder(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    if (x->version == SD_DTLS_1_3 || x->mid_session)
        return false;
    for (int s = SD_CLIENT; s < SD_SIDES; s++) {
        struct overtaken o;
        char name[SD_NAME_TEXT];
        if (!overtaken(x, (enum sd_side)s, &o))
            continue;
        sd_prove(f, o.ccs);
        sd_prove(f, o.other);
        bool early = o.other < o.ccs;
        bool stuck = c->outcome == SD_FAILED || last_flight_not_repeated(c->view);
        f->severity = stuck ? SD_FATAL : SD_WARNING;
        f->confidence = SD_MEDIUM;
        sd_confuse(f, "loss-recovered");
        sd_say(f,
               "The %s's ChangeCipherSpec arrived %s its %s. The network changed the order, or the "
               "first copy was lost. Some stacks drop the early record and wait for the timer.",
               s == SD_SERVER ? "server" : "client", early ? "after" : "before",
               early ? "Finished" : sd_name(SD_NAME_HANDSHAKE, o.other->message, name));
        return true;
    }
    return false;
}

bool sd_rule_early_appdata(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    if (x->mid_session || x->version == SD_DTLS_1_3 || !x->negotiated || c->view->one_way)
        return false;
    for (int s = SD_CLIENT; s < SD_SIDES; s++) {
        const struct sd_event *data = first_of(x, (enum sd_side)s, SD_EV_APPDATA);
        const struct sd_event *own = first_of(x, (enum sd_side)s, SD_EV_PROTECTED);
        const struct sd_event *peer = first_of(x, sd_other((enum sd_side)s), SD_EV_PROTECTED);
        /* Without its own Finished, the capture rather misses both; so it does where the peer
         * goes on without one. */
        const struct sd_direction *other = &x->side[sd_other((enum sd_side)s)];
        if (!data || !data->epoch || x->opened || !own ||
            (peer && (peer < data || peer->time <= data->time)) || (!peer && other->sealed.seen) ||
            other->snapped)
            continue;
        sd_prove(f, data);
        f->confidence = SD_MEDIUM;
        sd_say(f,
               "The %s sent application data before the %s's Finished was seen. The %s may drop "
               "this data.",
               s == SD_SERVER ? "server" : "client", s == SD_SERVER ? "client" : "server",
               s == SD_SERVER ? "client" : "server");
        return true;
    }
    return false;
}
