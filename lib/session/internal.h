/* What the files of a session share. */
#ifndef SD_SESSION_INTERNAL_H
#define SD_SESSION_INTERNAL_H

#include <openssl/ssl.h>

#include "session/guard.h"
#include "session/session.h"

enum sd_phase { SD_PHASE_NEW, SD_PHASE_HANDSHAKE, SD_PHASE_ESTABLISHED, SD_PHASE_OVER };

/* Events that wait for sd_session_next(). */
enum { SD_TELL_MTU = 1, SD_TELL_READY = 2, SD_TELL_END = 4 };

struct sd_peer_text; /* info.c */

struct sd_session {
    struct sd_guard guard;
    SSL *ssl;
    struct sd_tls *tls;
    enum sd_phase phase;
    bool server;
    bool cookie_proven; /* the gate saw a valid cookie */
    bool shut;          /* close_notify was sent */
    bool orderly;       /* over by the peer's close_notify */
    unsigned tell;      /* SD_TELL_* */

    /* Retransmission, see timer.c. */
    unsigned first_timer_us;
    unsigned timeouts;    /* of the flight under way */
    unsigned retransmits; /* of all flights */
    unsigned retransmits_told;
    sd_time timer_due; /* by our clock; OpenSSL counts in wall-clock time */

    /* UDP payload, see pathmtu.c. */
    size_t mtu, route_payload;
    const char *mtu_why; /* of the last change */
    bool mtu_fixed;      /* by the user */
    bool ipv6;
    bool mtu_lowered; /* by loss or by a report */
    bool mtu_refused; /* by a refusal of this host whose report is yet to come */
    bool mtu_probed;  /* the peer was sent a datagram as large as the route allows */
    sd_time raise_at;

    int alert_sent, alert_received; /* fatal ones and close_notify, or -1 */
    struct sd_err error;
    struct sd_peer_text *peer;
};

/* of.c */
struct sd_session *sd_session_of(const SSL *ssl);

/* timer.c */
void sd_timer_setup(struct sd_session *s, unsigned first_ms);
/* True after the timeout at which OpenSSL fails. */
bool sd_timer_gave_up(const struct sd_session *s);
sd_time sd_timer_deadline(const struct sd_session *s, sd_time now);

/* pathmtu.c */
void sd_pathmtu_setup(struct sd_session *s, const struct sd_session_config *c);
void sd_pathmtu_set(struct sd_session *s, size_t mtu);
void sd_pathmtu_established(struct sd_session *s);
/* The peer sent data: it is through with the handshake. */
void sd_pathmtu_peer_ready(struct sd_session *s);
/* The next step down below the datagrams that were sent; false when there is none. */
bool sd_pathmtu_step_down(struct sd_session *s);
/* This host refused a datagram of data. */
void sd_pathmtu_refused(struct sd_session *s);
/* Something was said to be too big. */
void sd_pathmtu_reported(struct sd_session *s, const struct sd_session_report *r);
/* The time of a lowered MTU is over. */
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
