/* SPDX-License-Identifier: MIT */
/* What the files of the room share. */
#ifndef SD_SESSION_INTERNAL_H
#define SD_SESSION_INTERNAL_H

#include <openssl/ssl.h>

#include "session/guard.h"
#include "session/session.h"

/* A session from its beginning to its end. What sd_session_next() reports is in capitals.
 *
 *      NEW
 *       |  sd_session_accept(): a server begins with the ClientHello that the gate admitted
 *       |  sd_session_connect(): a client sends its first flight
 *       v
 *   HANDSHAKE -----------------------------------------------------------------------+
 *       |  the last flight is in: READY                                              |
 *       v                                                                            |
 *  ESTABLISHED ---+                                                                  |
 *       |         |  a record of the peer: DATA                                      |
 *       |         |  sd_session_shutdown(): sends close_notify, once; still reads    |
 *       | <-------+                                                                  |
 *       |                                                                            |
 *       |  the peer's close_notify, which is answered: CLOSED                        |
 *       |  a protected fatal alert, or an error of OpenSSL: FAILED                   |
 *       v                                                                            |
 *     OVER <-------------------------------------------------------------------------+
 *             an alert, a wrong message, a peer that is not trusted, no answer: FAILED
 *
 * timer             runs in      what it does
 * retransmission    HANDSHAKE    after 1 s, then 2, 4, ... 60 s: the flight goes out again,
 *                                RETRANSMIT; from the second time on with a lower MTU, MTU;
 *                                the 13th time there is no retransmission: FAILED
 * unprotected alert HANDSHAKE    1.5 s after the alert: FAILED; a handshake record of the peer
 *                                stops the timer
 * MTU raise         ESTABLISHED  600 s after the MTU was lowered: back to the route's, MTU
 *
 * The deadline of the handshake and the idle limit belong to the connection (lib/endpoint). */
enum sd_phase { SD_PHASE_NEW, SD_PHASE_HANDSHAKE, SD_PHASE_ESTABLISHED, SD_PHASE_OVER };

/* Events that sd_session_next() has yet to report. */
enum { SD_OWED_MTU = 1, SD_OWED_READY = 2, SD_OWED_END = 4 };

struct sd_peer_text; /* info.c */

struct sd_session {
    struct sd_guard guard;
    SSL *ssl;
    struct sd_tls *tls;
    enum sd_phase phase;
    struct sd_stage stage; /* once it is established */
    bool server;
    bool cookie_proven; /* the gate saw a valid cookie */
    bool shut;          /* close_notify was sent */
    bool orderly;       /* over by the peer's close_notify */
    bool held;          /* nothing is read once established */
    bool read_all;      /* OpenSSL was asked for data until it had none: it keeps none back */
    unsigned owed;      /* SD_OWED_* */

    /* Retransmission, see retransmit.c. */
    unsigned first_timer_us;
    unsigned timeouts;    /* of the flight under way */
    unsigned retransmits; /* of all flights */
    unsigned retransmits_reported;
    sd_time timer_due; /* by our clock; OpenSSL counts in wall-clock time */

    /* UDP payload, see pathmtu.c. */
    size_t mtu, route_payload;
    const char *mtu_why; /* of the last change */
    bool mtu_fixed;      /* by the user */
    bool ipv6;
    bool mtu_lowered; /* after loss or after a report */
    bool mtu_refused; /* this host refused a datagram; its report has yet to come */
    bool mtu_probed;  /* a datagram as large as the route allows was sent */
    bool peer_ready;  /* the peer sent data, so its handshake is complete */
    sd_time raise_at;

    int alert_sent, alert_received; /* fatal ones and close_notify, or -1 */
    struct sd_err error;
    struct sd_peer_text *peer;
};

/* of.c */
struct sd_session *sd_session_of(const SSL *ssl);

/* retransmit.c */
void sd_retransmit_setup(struct sd_session *s, unsigned first_ms);
/* True after the timeout at which OpenSSL fails. */
bool sd_retransmit_gave_up(const struct sd_session *s);
sd_time sd_retransmit_deadline(const struct sd_session *s, sd_time now);

/* pathmtu.c */
void sd_pathmtu_setup(struct sd_session *s, const struct sd_session_config *c);
void sd_pathmtu_set(struct sd_session *s, size_t mtu);
void sd_pathmtu_established(struct sd_session *s);
/* The route carries datagrams of this size; what was larger goes out again in smaller ones. */
void sd_pathmtu_route(struct sd_session *s, size_t payload);
/* The peer sent data, so its handshake is complete. */
void sd_pathmtu_peer_ready(struct sd_session *s);
/* Takes the next lower step below the datagrams that were sent; false after the last step. */
bool sd_pathmtu_step_down(struct sd_session *s);
/* This host refused a datagram of data. */
void sd_pathmtu_refused(struct sd_session *s);
/* A router or this host reported that a datagram is too big. */
void sd_pathmtu_reported(struct sd_session *s, const struct sd_session_report *r);
/* After the time of a lowered MTU: tries the route's MTU again. */
void sd_pathmtu_raise(struct sd_session *s);

/* stage.c */
struct sd_stage sd_stage_of(const struct sd_session *s);

/* reason.c: fills s->error and empties OpenSSL's error queue. */
void sd_reason_openssl(struct sd_session *s);
void sd_reason_plain_alert(struct sd_session *s);
void sd_reason_timeout(struct sd_session *s);

/* info.c: what is known of the peer, collected at READY. */
void sd_info_collect(struct sd_session *s);
void sd_info_free(struct sd_session *s);

#endif
