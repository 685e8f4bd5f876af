/* SPDX-License-Identifier: MIT */
/* The retransmission timer. OpenSSL calls the timer callback whenever it starts or doubles its
 * timer, whichever call found it due. So the callback is the place that sees a timeout, and the
 * last moment to lower the MTU before the flight goes out again. */
#include "session/internal.h"

enum {
    MAX_TIMER_US = 60 * 1000 * 1000, /* RFC 6347 section 4.2.4.1 */
    LAST_TIMEOUT = 12                /* at the next one OpenSSL gives up */
};

#define RESTART_SLACK (100 * SD_MS) /* each message of a flight restarts OpenSSL's timer */
#define LOOK_AGAIN (1 * SD_SEC)     /* when its timer is late */

/* A step of the wall clock must not stop the retransmissions: see sd_retransmit_deadline. */
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

/* RFC 6347 section 4.1.1.1 wants smaller records after repeated retransmission. When the size
 * was reported as too big, the first retransmission is already smaller. */
static unsigned next_timeout(struct sd_session *s, unsigned us)
{
    if (++s->timeouts > LAST_TIMEOUT)
        return us;
    s->retransmits++;
    if (s->guard.too_big || s->timeouts >= 2)
        sd_pathmtu_step_down(s);
    s->guard.too_big = false;
    sd_sent_forget(&s->guard.sent); /* OpenSSL sends all of it again */
    return us > MAX_TIMER_US / 2 ? MAX_TIMER_US : us * 2;
}

static unsigned on_timer(SSL *ssl, unsigned us)
{
    struct sd_session *s = sd_session_of(ssl);
    us = us ? next_timeout(s, us) : first_timeout(s);
    remember_due(s, us);
    return us;
}

void sd_retransmit_setup(struct sd_session *s, unsigned first_ms)
{
    unsigned ms = first_ms ? first_ms : SD_SESSION_TIMER_MS;
    s->first_timer_us = ms > MAX_TIMER_US / 1000 ? MAX_TIMER_US : ms * 1000;
    s->timer_due = SD_NEVER;
    DTLS_set_timer_cb(s->ssl, on_timer);
}

bool sd_retransmit_gave_up(const struct sd_session *s)
{
    return s->timeouts > LAST_TIMEOUT;
}

/* OpenSSL's timer follows the wall clock and cannot be fired from outside: when the clock is
 * set back, the timer is late by as much. So once our own clock says that it is due, we look
 * again every second; the endpoint's handshake deadline, which is monotonic, ends the rest. */
sd_time sd_retransmit_deadline(const struct sd_session *s, sd_time now)
{
    struct timeval left;
    if (s->phase != SD_PHASE_HANDSHAKE || DTLSv1_get_timeout(s->ssl, &left) != 1)
        return SD_NEVER;
    sd_time wait = (sd_time)left.tv_sec * SD_SEC + (sd_time)left.tv_usec * SD_US;
    sd_time due = s->timer_due == SD_NEVER ? now + wait : s->timer_due + RESTART_SLACK;
    if (now + wait <= due)
        return now + wait;
    sd_time again = now + (wait < LOOK_AGAIN ? wait : LOOK_AGAIN);
    return again > due ? again : due;
}
