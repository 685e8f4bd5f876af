/* SPDX-License-Identifier: MIT */
/* One live session: an SSL object behind the guard BIO. Datagrams come in as bytes and go out
 * through a callback; the session opens no socket. Its phases, events and timers are drawn in
 * session/internal.h. */
#ifndef SD_SESSION_SESSION_H
#define SD_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "session/counters.h"
#include "tls/context.h"

struct sd_session;

enum { SD_SESSION_TIMER_MS = 1000 }; /* RFC 6347 section 4.2.4.1 */

struct sd_session_config {
    /* Sends one datagram; 0 or -errno. Data that meets EAGAIN or ENOBUFS is kept, and offered
     * again; any other error is counted and hidden from OpenSSL. */
    int (*send)(void *arg, const void *data, size_t len);
    void *arg;
    uint64_t *counters;   /* SD_GUARD_COUNTER_COUNT of them, shared by all sessions; not NULL */
    const char *host;     /* client: the name the user asked for (SNI, verify), or NULL; copied */
    size_t mtu;           /* UDP payload of all datagrams; 0 = automatic, see pathmtu.c */
    size_t route_payload; /* UDP payload that the route allows, never exceeded; 0 = not known */
    bool ipv6;            /* an IPv6 path carries a UDP payload of 1232 bytes everywhere */
    unsigned timer_ms;    /* until the first retransmission; 0 = SD_SESSION_TIMER_MS */
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

/* What the network or this host reported about a datagram that we sent. */
struct sd_session_report {
    int error;            /* errno */
    bool here;            /* from this host; otherwise ICMP, which may be forged */
    size_t limit;         /* with EMSGSIZE: the UDP payload that fits; 0 = not reported */
    const uint8_t *quote; /* the first bytes of the datagram */
    size_t quoted;
};

/* Errors: NOMEM, TLSLIB, OPTION. */
int sd_session_new(struct sd_session **ps, struct sd_tls *tls, const struct sd_session_config *c,
                   struct sd_err *err);
void sd_session_free(struct sd_session *s);
/* From now on `arg` is the callback's first argument. */
void sd_session_rebind(struct sd_session *s, void *arg);

/* Server: begins with the datagram that the gate admitted. record_seq: the record number of its
 * ClientHello. cookie = false: no cookie was exchanged (SDTLS_F_NO_COOKIE). */
int sd_session_accept(struct sd_session *s, const uint8_t *data, size_t len, uint64_t record_seq,
                      bool cookie, sd_time now);
/* Client: sends the first flight. */
int sd_session_connect(struct sd_session *s, sd_time now);

/* One datagram from the peer. Call sd_session_next() until IDLE afterwards. */
void sd_session_input(struct sd_session *s, const uint8_t *data, size_t len, sd_time now);
/* The same, and the bytes are not copied if they can be read at once: they must stay as they are
 * until sd_session_keep(), or until sd_session_has_more() is false. */
void sd_session_lend(struct sd_session *s, const uint8_t *data, size_t len, sd_time now);
/* Copies what was lent and is not read. */
void sd_session_keep(struct sd_session *s);
/* The route is known now: see route_payload. */
void sd_session_route(struct sd_session *s, size_t payload, sd_time now);
/* Counts the error; it never ends the session. EMSGSIZE lowers the MTU when the report quotes a
 * datagram that was sent; the current flight then goes out again in pieces that fit. */
void sd_session_net_error(struct sd_session *s, const struct sd_session_report *r, sd_time now);
/* The next event. READY, CLOSED and FAILED come once; after CLOSED or FAILED only IDLE. buf
 * should have room for 16 KiB. */
enum sd_session_event sd_session_next(struct sd_session *s, void *buf, size_t cap, size_t *len,
                                      sd_time now);
/* After DATA: false when the next call would return IDLE, and change nothing. */
bool sd_session_has_more(struct sd_session *s);
/* When sd_session_timer() is to be called, or SD_NEVER. */
sd_time sd_session_deadline(const struct sd_session *s, sd_time now);
void sd_session_timer(struct sd_session *s, sd_time now);

/* One record in one datagram. SDTLS_OK, or STATE, TOOBIG, PROTO; IO when this host refused the
 * datagram, which is lost; AGAIN when the one before it still waits for the socket: nothing was
 * done then. */
int sd_session_send(struct sd_session *s, const void *data, size_t len);
/* The same, filled up with junk to a datagram of `size` bytes, whatever the MTU is. ARG when
 * that size is not possible. */
int sd_session_send_padded(struct sd_session *s, const void *data, size_t len, size_t size);
/* After AGAIN: tries to send the datagram that waits; true when none is left. */
bool sd_session_flush(struct sd_session *s);
/* Bytes of the datagram that waits; 0 = none. */
size_t sd_session_unsent(const struct sd_session *s);
/* After IO: the errno. */
int sd_session_refused(const struct sd_session *s);
/* Whether records wait unread in the queue of an established session, CLOSED among them. The queue
 * may have `more` bytes than usual: for what was read from the peer's socket before. */
void sd_session_hold(struct sd_session *s, bool hold, size_t more);
/* Bytes of datagrams that wait to be read. */
size_t sd_session_waiting(const struct sd_session *s);
/* Sends close_notify, once, when established. Data of the peer is still read afterwards. */
void sd_session_shutdown(struct sd_session *s);

/* The number of datagrams of the peer of which the guard let a record pass. */
uint64_t sd_session_heard(const struct sd_session *s);
/* The peer went on after its hello. A server without filter never knows. */
bool sd_session_answered(const struct sd_session *s);
/* Protected records of the peer can be opened. */
bool sd_session_has_keys(const struct sd_session *s);
/* Bytes that a session holds before its handshake is complete: an estimate from above. */
size_t sd_session_memory(const struct sd_session *s);
size_t sd_session_max_payload(const struct sd_session *s);
size_t sd_session_mtu(const struct sd_session *s);
/* Why the MTU changed last, in a few words; NULL = it did not change. */
const char *sd_session_mtu_reason(const struct sd_session *s);
const struct sd_err *sd_session_error(const struct sd_session *s);
/* Fills all but retransmits and handshake_us; strings live in the session. */
void sd_session_info(const struct sd_session *s, sdtls_info *info);
unsigned sd_session_retransmits(const struct sd_session *s);
int sd_session_export(const struct sd_session *s, const char *label, void *out, size_t len);
void *sd_session_native(const struct sd_session *s); /* SSL *, borrowed */

#endif
