/* SPDX-License-Identifier: MIT */
/* The MTU of a session, in bytes of UDP payload: where it begins, what lowers it and what
 * raises it again (facts: docs/guard.md).
 *
 * A handshake begins with 1232 bytes, which every IPv6 path carries: a flight needs one
 * datagram more, but gets through most black holes. Data may be as large as the route allows. */
#include <errno.h>

#include "session/internal.h"

enum {
    MTU_DEFAULT = 1232,
    MTU_MIN = 228, /* about the least that OpenSSL accepts */
    /* OpenSSL collects a flight in a buffer of 4096 bytes. With an MTU of 8000 the
     * second datagram began in the middle of a record (measured with 3.0). */
    MTU_MAX = 4096,
    /* What every host must accept, IPv4 and IPv6: an ICMP error that reports less is ignored
     * (RFC 6347 section 4.1.1.1). */
    PAYLOAD_V4 = 576 - 28,
    PAYLOAD_V6 = 1280 - 48,
    /* Above it the interface is loopback: no router on the path, nothing to find out. */
    PROBE_MAX = 9000,
    RAISE_S = 600 /* PMTU_RAISE_TIMER of RFC 8899 section 5.1.1, and Linux's own */
};

static const uint16_t steps[] = {MTU_DEFAULT, PAYLOAD_V4, MTU_MIN};

static size_t least(const struct sd_session *s)
{
    return s->ipv6 ? PAYLOAD_V6 : MTU_MIN;
}

void sd_pathmtu_set(struct sd_session *s, size_t mtu)
{
    if (s->route_payload && mtu > s->route_payload)
        mtu = s->route_payload;
    s->mtu = mtu < MTU_MIN ? MTU_MIN : mtu;
    s->guard.mtu = s->mtu;
    SSL_set_mtu(s->ssl, (long)s->mtu);
}

/* Without SSL_OP_NO_QUERY_MTU OpenSSL forgets the MTU when the handshake begins. */
void sd_pathmtu_setup(struct sd_session *s, const struct sd_session_config *c)
{
    SSL_set_options(s->ssl, SSL_OP_NO_QUERY_MTU);
    s->route_payload = c->route_payload;
    s->mtu_fixed = c->mtu;
    s->ipv6 = c->ipv6;
    s->raise_at = SD_NEVER;
    size_t mtu = c->mtu ? c->mtu : MTU_DEFAULT;
    sd_pathmtu_set(s, mtu < MTU_MAX ? mtu : MTU_MAX);
}

static void owe_mtu_event(struct sd_session *s, const char *why)
{
    s->owed |= SD_OWED_MTU;
    s->mtu_why = why;
}

static void lower(struct sd_session *s, size_t mtu, const char *why)
{
    sd_pathmtu_set(s, mtu);
    owe_mtu_event(s, why);
    s->mtu_lowered = true;
    s->raise_at = s->guard.now + RAISE_S * SD_SEC;
}

bool sd_pathmtu_step_down(struct sd_session *s)
{
    size_t below = s->guard.largest < s->mtu ? s->guard.largest : s->mtu;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (steps[i] >= below || steps[i] < least(s))
            continue;
        lower(s, steps[i], "large datagrams get no answer");
        return true;
    }
    return false;
}

/* Sends a datagram of junk, as large as the route allows: when a router finds it too big, we
 * know before data gets lost. Not before the peer has completed the handshake: until then a
 * plaintext record ends the session of an OpenSSL (docs/guard.md). */
static void probe(struct sd_session *s)
{
    s->mtu_probed = s->route_payload;
    if (s->guard.stage && !s->mtu_fixed && s->mtu == s->route_payload && s->mtu > MTU_DEFAULT &&
        s->mtu <= PROBE_MAX)
        sd_guard_probe(&s->guard, s->mtu);
}

void sd_pathmtu_established(struct sd_session *s)
{
    sd_sent_forget(&s->guard.sent);
    if (s->route_payload && !s->mtu_fixed && !s->mtu_lowered)
        sd_pathmtu_set(s, s->route_payload);
    /* In a full handshake the server sends the last Finished, so it has ours. */
    if (!s->server && !SSL_session_reused(s->ssl))
        probe(s);
}

void sd_pathmtu_route(struct sd_session *s, size_t payload)
{
    bool established = s->phase == SD_PHASE_ESTABLISHED;
    s->route_payload = payload;
    if (!payload || s->phase == SD_PHASE_OVER)
        return;
    if (payload < s->mtu || (established && !s->mtu_fixed && !s->mtu_lowered))
        sd_pathmtu_set(s, payload);
    if (!established)
        sd_guard_resend(&s->guard, s->mtu);
    else if (s->peer_ready)
        probe(s);
}

void sd_pathmtu_peer_ready(struct sd_session *s)
{
    s->peer_ready = true;
    if (!s->mtu_probed)
        probe(s);
}

void sd_pathmtu_raise(struct sd_session *s)
{
    s->raise_at = SD_NEVER;
    s->mtu_lowered = false;
    if (!s->route_payload || s->mtu_fixed || s->mtu == s->route_payload)
        return;
    sd_pathmtu_set(s, s->route_payload);
    owe_mtu_event(s, "the MTU of the route is tried again");
    probe(s);
}

/* This host tells the truth; ICMP is believed only when it quotes a datagram that was sent. */
static bool is_believed(const struct sd_session *s, const struct sd_session_report *r)
{
    if (r->here)
        return r->limit >= MTU_MIN;
    size_t sent = sd_sent_quoted(&s->guard.sent, r->quote, r->quoted);
    return r->limit < sent && r->limit >= (size_t)(s->ipv6 ? PAYLOAD_V6 : PAYLOAD_V4);
}

/* This host knows the MTU of its route: it replaces the guess that was made meanwhile. */
static void refused_here(struct sd_session *s, size_t limit)
{
    s->route_payload = limit;
    if (!s->mtu_refused || s->mtu_fixed)
        return;
    s->mtu_refused = false;
    sd_pathmtu_set(s, limit);
    owe_mtu_event(s, "this host sends no larger datagrams");
}

void sd_pathmtu_refused(struct sd_session *s)
{
    s->mtu_refused = sd_pathmtu_step_down(s);
}

void sd_pathmtu_reported(struct sd_session *s, const struct sd_session_report *r)
{
    if (!is_believed(s, r)) {
        /* It may be forged, or quote too little: it only counts when datagrams are lost as well. */
        if (s->phase == SD_PHASE_HANDSHAKE)
            s->guard.too_big = true;
        return;
    }
    if (r->here)
        refused_here(s, r->limit);
    if (r->limit >= s->mtu)
        return;
    lower(s, r->limit,
          r->here ? "this host sends no larger datagrams" : "a router reported it by ICMP");
    if (s->phase == SD_PHASE_HANDSHAKE)
        sd_guard_resend(&s->guard, s->mtu);
}
