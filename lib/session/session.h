/* One DTLS association: an SSL behind the guard BIO. Datagrams come in as
 * bytes, go out through a callback; the session opens no socket. */
#ifndef SD_SESSION_SESSION_H
#define SD_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "tls/context.h"
#include "session/counters.h"

struct sd_session;

struct sd_session_config {
    /* Sends one datagram; 0 or -errno. Errors are swallowed and counted. */
    int (*send)(void *arg, const void *data, size_t len);
    void *arg;
    uint64_t *counters;   /* SD_GUARD_COUNTER_COUNT of them, shared by all sessions; not NULL */
    const char *host;     /* client: the name the user asked for (SNI, verify); copied; or NULL */
    size_t mtu;           /* UDP payload of all datagrams; 0 = automatic, see pathmtu.c */
    size_t route_payload; /* what the route allows, 0 = not known; never exceeded */
    bool ipv6;            /* the path is one of IPv6, which carries 1232 bytes everywhere */
    unsigned timer_ms;    /* first retransmission; 0 = 1000 */
};

enum sd_session_event {
    SD_SESSION_IDLE,       /* nothing more until input or timer */
    SD_SESSION_READY,      /* the handshake completed, once */
    SD_SESSION_DATA,       /* one record of application data in buf */
    SD_SESSION_RETRANSMIT, /* a flight was sent again */
    SD_SESSION_MTU,        /* the MTU changed */
    SD_SESSION_CLOSED,     /* authenticated close_notify from the peer; answered */
    SD_SESSION_FAILED      /* over: see sd_session_error() */
};

/* What the network, or this host, reported about a datagram of ours. */
struct sd_session_report {
    int error;            /* errno */
    bool here;            /* this host refused it; else it was ICMP, which may be forged */
    size_t limit;         /* with EMSGSIZE: UDP payload said to fit; 0 = not said */
    const uint8_t *quote; /* how the datagram begins that it is about */
    size_t quoted;
};

/* Errors: NOMEM, TLSLIB, OPTION. */
int sd_session_new(struct sd_session **ps, struct sd_tls *tls, const struct sd_session_config *c,
                   struct sd_err *err);
void sd_session_free(struct sd_session *s);

/* Server: begins with the datagram the gate admitted. record_seq is that of its
 * ClientHello. cookie = false: no cookie was exchanged (SDTLS_F_NO_COOKIE). */
int sd_session_accept(struct sd_session *s, const uint8_t *data, size_t len, uint64_t record_seq,
                      bool cookie, sd_time now);
/* Client: sends the first flight. */
int sd_session_connect(struct sd_session *s, sd_time now);

/* One datagram from the peer. Call sd_session_next() until IDLE afterwards. */
void sd_session_input(struct sd_session *s, const uint8_t *data, size_t len, sd_time now);
/* Counted, and never obeyed as such. What is too big and quotes what was sent lowers
 * the MTU; a flight under way goes out again in pieces that fit. */
void sd_session_net_error(struct sd_session *s, const struct sd_session_report *r, sd_time now);
/* The next thing that happened. READY, CLOSED and FAILED come once; after
 * CLOSED and FAILED only IDLE. buf should hold 16 KiB. */
enum sd_session_event sd_session_next(struct sd_session *s, void *buf, size_t cap, size_t *len,
                                      sd_time now);
/* When sd_session_timer() wants to run, or SD_NEVER. */
sd_time sd_session_deadline(const struct sd_session *s, sd_time now);
void sd_session_timer(struct sd_session *s, sd_time now);

/* One record in one datagram. SDTLS_OK, or STATE, TOOBIG, PROTO. */
int sd_session_send(struct sd_session *s, const void *data, size_t len);
/* The same, filled up with junk to a datagram of `size` bytes, whatever the MTU. Also
 * ARG, when that is not possible. */
int sd_session_send_padded(struct sd_session *s, const void *data, size_t len, size_t size);
/* Sends close_notify when established (or the alert that a failed handshake
 * owes), once. */
void sd_session_shutdown(struct sd_session *s);

/* Datagrams of the peer that the guard let through so far. */
uint64_t sd_session_heard(const struct sd_session *s);
size_t sd_session_max_payload(const struct sd_session *s);
size_t sd_session_mtu(const struct sd_session *s);
/* Why it changed last, in a few words; NULL = it did not. */
const char *sd_session_mtu_reason(const struct sd_session *s);
const struct sd_err *sd_session_error(const struct sd_session *s);
/* Fills all but retransmits and handshake_us; strings live in the session. */
void sd_session_info(const struct sd_session *s, sdtls_info *info);
unsigned sd_session_retransmits(const struct sd_session *s);
int sd_session_export(const struct sd_session *s, const char *label, void *out, size_t len);
void *sd_session_native(const struct sd_session *s); /* SSL *, borrowed */

#endif
