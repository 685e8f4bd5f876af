/* The MTU of a session, in bytes of UDP payload: where it begins, what lowers it
 * and what raises it again (facts: docs/guard.md).
 *
 * A flight begins with 1232 bytes, which every IPv6 path carries; that costs one
 * datagram more and spares most black holes. Data may fill what the route allows. */
#include <errno.h>

#include "session/internal.h"

enum {
    MTU_DEFAULT = 1232,
    MTU_MIN = 228, /* about the least that OpenSSL takes */
    /* OpenSSL collects a flight in a buffer of 4096 bytes. With an MTU of 8000 the
     * second datagram began in the middle of a record (measured with 3.0). */
    MTU_MAX = 4096,
    /* What every host must take, IPv4 and IPv6: an ICMP error that announces less is
     * ignored (RFC 6347 section 4.1.1.1). */
    PAYLOAD_V4 = 576 - 28,
    PAYLOAD_V6 = 1280 - 48,
    /* No router on the path of a loopback interface: nothing to find out. */
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

static void tell(struct sd_session *s, const char *why)
{
    s->tell |= SD_TELL_MTU;
    s->mtu_why = why;
}

static void lower(struct sd_session *s, size_t mtu, const char *why)
{
    sd_pathmtu_set(s, mtu);
    tell(s, why);
    s->mtu_lowered = true;
    s->raise_at = s->guard.now + RAISE_S * SD_SEC;
}

bool sd_pathmtu_step_down(struct sd_session *s)
{
    size_t below = s->guard.largest < s->mtu ? s->guard.largest : s->mtu;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (steps[i] >= below || steps[i] < least(s))
            continue;
        lower(s, steps[i], "large ones get no answer");
        return true;
    }
    return false;
}

/* Nothing but junk, as large as the route allows: where a router finds it too big,
 * that is known before data gets lost. Not before the peer is known to be through
 * with the handshake: until then a plaintext record kills an OpenSSL (docs/guard.md). */
static void probe(struct sd_session *s)
{
    s->mtu_probed = true;
    if (s->guard.stage && !s->mtu_fixed && s->mtu == s->route_payload && s->mtu > MTU_DEFAULT &&
        s->mtu <= PROBE_MAX)
        sd_guard_probe(&s->guard, s->mtu);
}

void sd_pathmtu_established(struct sd_session *s)
{
    sd_sent_forget(&s->guard.sent);
    if (s->route_payload && !s->mtu_fixed && !s->mtu_lowered)
        sd_pathmtu_set(s, s->route_payload);
    /* A server that has sent Finished last, in a full handshake, has ours. */
    if (!s->server && !SSL_session_reused(s->ssl))
        probe(s);
}

void sd_pathmtu_peer_ready(struct sd_session *s)
{
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
    tell(s, "the route is tried anew");
    probe(s);
}

/* Bytes that the report is about: of this host it is true, of ICMP only when it
 * quotes what was sent. */
static bool believed(const struct sd_session *s, const struct sd_session_report *r)
{
    if (r->here)
        return r->limit >= MTU_MIN;
    size_t sent = sd_sent_quoted(&s->guard.sent, r->quote, r->quoted);
    return r->limit < sent && r->limit >= (size_t)(s->ipv6 ? PAYLOAD_V6 : PAYLOAD_V4);
}

/* The route of this host is what it is: no guess that was made meanwhile counts. */
static void refused_here(struct sd_session *s, size_t limit)
{
    s->route_payload = limit;
    if (!s->mtu_refused || s->mtu_fixed)
        return;
    s->mtu_refused = false;
    sd_pathmtu_set(s, limit);
    tell(s, "this host sends no larger ones");
}

void sd_pathmtu_refused(struct sd_session *s)
{
    s->mtu_refused = sd_pathmtu_step_down(s);
}

void sd_pathmtu_reported(struct sd_session *s, const struct sd_session_report *r)
{
    if (!believed(s, r)) {
        /* It may be forged, or quote too little: a hint for when packets are lost anyway. */
        if (s->phase == SD_PHASE_HANDSHAKE)
            s->guard.too_big = true;
        return;
    }
    if (r->here)
        refused_here(s, r->limit);
    if (r->limit >= s->mtu)
        return;
    lower(s, r->limit, r->here ? "this host sends no larger ones" : "a router said so by ICMP");
    if (s->phase == SD_PHASE_HANDSHAKE)
        sd_guard_resend(&s->guard, s->mtu);
}
