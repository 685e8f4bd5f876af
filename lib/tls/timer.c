/* Retransmission timer and MTU of handshake flights. OpenSSL asks the timer
 * callback whenever it starts or doubles its timer, whichever call found it
 * due, so this is where a timeout is seen, and the last moment to lower the MTU
 * before the flight goes out again. */
#include "tls/internal.h"

enum {
    MAX_TIMER_US = 60 * 1000 * 1000, /* RFC 6347 section 4.2.4.1 */
    LAST_TIMEOUT = 12,               /* OpenSSL gives up at the one after it */
    /* What an IPv6 path carries at least, and about the least that OpenSSL takes. */
    MTU_DEFAULT = 1232,
    MTU_MIN = 228,
    /* OpenSSL collects a flight in a buffer of 4096 bytes. With an MTU of 8000 the
     * second datagram began in the middle of a record (measured with 3.0). */
    MTU_MAX = 4096,
};

/* 548: what an IPv4 host has to accept. */
static const uint16_t mtu_steps[] = {MTU_DEFAULT, 1024, 548, MTU_MIN};

void sd_mtu_set(struct sd_session *s, size_t mtu)
{
    if (s->route_payload && mtu > s->route_payload)
        mtu = s->route_payload;
    s->mtu = mtu < MTU_MIN ? MTU_MIN : mtu;
    s->guard.mtu = s->mtu;
    SSL_set_mtu(s->ssl, (long)s->mtu);
}

/* Without SSL_OP_NO_QUERY_MTU OpenSSL forgets the MTU when the handshake begins. */
void sd_mtu_setup(struct sd_session *s, size_t mtu, size_t route_payload)
{
    SSL_set_options(s->ssl, SSL_OP_NO_QUERY_MTU);
    s->route_payload = route_payload;
    if (!mtu)
        mtu = MTU_DEFAULT;
    sd_mtu_set(s, mtu < MTU_MAX ? mtu : MTU_MAX);
}

/* A flight starts careful, application data may fill what the route allows. */
void sd_mtu_for_data(struct sd_session *s)
{
    if (s->route_payload)
        sd_mtu_set(s, s->route_payload);
}

bool sd_mtu_step_down(struct sd_session *s)
{
    size_t below = s->guard.largest < s->mtu ? s->guard.largest : s->mtu;
    for (size_t i = 0; i < sizeof mtu_steps / sizeof *mtu_steps; i++) {
        if (mtu_steps[i] >= below)
            continue;
        sd_mtu_set(s, mtu_steps[i]);
        s->tell |= SD_TELL_MTU;
        return true;
    }
    return false;
}

/* A step of the wall clock must not silence us: see sd_timer_deadline. */
static void remember_due(struct sd_session *s, unsigned us)
{
    s->timer_due = s->guard.now + us * SD_US;
}

static unsigned first_timeout(struct sd_session *s)
{
    s->timeouts = 0;
    s->guard.largest = 0;
    s->guard.too_big = false;
    return s->first_timer_us;
}

/* RFC 6347 section 4.1.1.1 wants smaller records after repeated retransmission;
 * when the kernel refused a datagram there is nothing to wait for. */
static unsigned next_timeout(struct sd_session *s, unsigned us)
{
    if (++s->timeouts > LAST_TIMEOUT)
        return us;
    s->retransmits++;
    if (s->guard.too_big || s->timeouts >= 2)
        sd_mtu_step_down(s);
    s->guard.too_big = false;
    return us > MAX_TIMER_US / 2 ? MAX_TIMER_US : us * 2;
}

static unsigned on_timer(SSL *ssl, unsigned us)
{
    struct sd_session *s = sd_session_of(ssl);
    us = us ? next_timeout(s, us) : first_timeout(s);
    remember_due(s, us);
    return us;
}

void sd_timer_setup(struct sd_session *s, unsigned first_ms)
{
    unsigned ms = first_ms ? first_ms : 1000;
    s->first_timer_us = ms > MAX_TIMER_US / 1000 ? MAX_TIMER_US : ms * 1000;
    s->timer_due = SD_NEVER;
    DTLS_set_timer_cb(s->ssl, on_timer);
}

bool sd_timer_gave_up(const struct sd_session *s)
{
    return s->timeouts > LAST_TIMEOUT;
}

/* OpenSSL's timer runs by the wall clock and cannot be fired from outside: when
 * the clock was set back it is late by as much. So once our own clock says that
 * it is due, look again every second; the endpoint's handshake deadline, which
 * is monotonic, bounds the rest. */
sd_time sd_timer_deadline(const struct sd_session *s, sd_time now)
{
    const sd_time slack = 100 * SD_MS; /* OpenSSL restarts it with every message of a flight */
    struct timeval left;
    if (s->phase != SD_PHASE_HANDSHAKE || DTLSv1_get_timeout(s->ssl, &left) != 1)
        return SD_NEVER;
    sd_time wait = (sd_time)left.tv_sec * SD_SEC + (sd_time)left.tv_usec * SD_US;
    sd_time due = s->timer_due == SD_NEVER ? now + wait : s->timer_due + slack;
    if (now + wait <= due)
        return now + wait;
    sd_time again = now + (wait < SD_SEC ? wait : SD_SEC);
    return again > due ? again : due;
}
