/* SPDX-License-Identifier: MIT */
/* What the files of lib/endpoint share. */
#ifndef SD_ENDPOINT_INTERNAL_H
#define SD_ENDPOINT_INTERNAL_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/table.h"
#include "base/timers.h"
#include "gate/gate.h"
#include "net/demux.h"
#include "sukat_dtls.h"
#include "tls/context.h"
#include "tls/mac.h"
#include "session/session.h"
#include "wire/record.h"

/* A record of application data holds 2^14 bytes at most (RFC 6347 4.1). */
enum { SD_PLAINTEXT_MAX = 16384 };
enum { SD_ENDPOINT_TEXT = 64 };

#define SD_COUNT_COUNTERS(X)                                                                       \
    X(ACCEPTED, "accepted")               /* clients admitted by the gate */                       \
    X(CONNECTING, "connecting")           /* connections started by sdtls_connect() */             \
    X(ESTABLISHED, "established")         /* handshakes completed */                               \
    X(FAILED, "failed")                   /* connections that ended with an error */               \
    X(RESTARTED, "restarted")             /* clients that started again from the same address */   \
    X(RETRANSMITS, "retransmits")         /* handshake flights sent again */                       \
    X(LIMIT_CLIENTS, "limit-clients")     /* refused: max_clients */                               \
    X(LIMIT_HALF_OPEN, "limit-half-open") /* refused: max_half_open */                             \
    X(LIMIT_HOST, "limit-host")           /* refused: max_half_open_per_host */

enum sd_count {
#define SD_X(name, text) SD_COUNT_##name,
    SD_COUNT_COUNTERS(SD_X)
#undef SD_X
        SD_COUNT_COUNT
};

TAILQ_HEAD(sd_conn_list, sdtls_conn);

/* The states of a connection; in [] the events that the program gets.
 *
 *   sdtls_connect(), or a                 the handshake is
 *   ClientHello with a cookie [ACCEPTED]  complete [READY]
 *   ------------------------> HANDSHAKE ------------------> ESTABLISHED
 *                              |  |  ^                       |  |  ^
 *                              |  |  |                       |  |  | [DATA] [WRITABLE]
 *                              |  +--+ [RETRANSMIT]          |  +--+ [RETRANSMIT]
 *                              |       [MTU] [FINDING]       |       [MTU] [FINDING]
 *                              |                             |
 *                              | failed or closed            | failed or closed
 *                              v                             |
 *                             CLOSING <----------------------+
 *                              | [CLOSED], then the next sdtls_next()
 *                              v
 *                             freed
 *
 * A connection fails or is closed by
 *   HANDSHAKE    sdtls_close(), a fatal alert, handshake_ms (TIMEOUT); a client also by ICMP
 *                (REFUSED, IO), an answer that is not DTLS (NOT_DTLS), or the answer to its probe
 *   ESTABLISHED  sdtls_close(), close_notify, a fatal alert, idle_ms without data (IDLE)
 *   both         the server's client starts again from the same address (RESTARTED)
 * and has one timer, set to the earliest of its deadlines (sd_conn_rearm()):
 *   HANDSHAKE    began + handshake_ms; the session's: retransmission, end of the wait after an
 *                alert that may be forged
 *   ESTABLISHED  active + idle_ms; the session's: last flight, another try of a larger path MTU
 *   CLOSING      none
 * Before the first answer of a server, an error from the network makes a client try the next
 * address of the name: the same connection, with another socket and another session. */
enum sd_conn_state {
    SD_CONN_HANDSHAKE,
    SD_CONN_ESTABLISHED,
    SD_CONN_CLOSING, /* over; its CLOSED event has yet to be returned */
};

/* Where a client may still try to connect, in the resolver's order. */
struct sd_candidates {
    struct sd_addr *addr;
    size_t count, next;
    char *host;
};

/* What came back before the server's first answer. */
struct sd_replies {
    unsigned echoes;  /* our own ClientHello */
    unsigned hellos;  /* a ClientHello of the peer */
    unsigned records; /* other DTLS */
    bool plain;       /* some of it in plaintext, as the answer to a ClientHello is */
    unsigned junk;    /* datagrams that are no DTLS */
    unsigned icmp;    /* errors; the last one is `error` */
    int error;
};

struct sdtls_conn {
    struct sdtls *ep;
    struct sd_peer *peer;
    struct sd_session *session;
    enum sd_conn_state state;
    bool server, queued;
    bool owes_accepted;    /* the ACCEPTED event has yet to be returned */
    bool owes_writable;    /* so has WRITABLE */
    bool told_again;       /* sdtls_send() returned AGAIN: WRITABLE shall follow */
    bool paused;           /* by sdtls_pause() */
    unsigned retry_ms;     /* until the datagram that waits is offered to the socket again */
    sd_time retry_at;      /* then, or SD_NEVER */
    size_t stored;         /* bytes kept while paused, of a peer without a socket */
    bool half_open;        /* counted in the half-open limits */
    sd_time began, active; /* first datagram; last application data */
    struct sd_timer timer;
    uint8_t random[32]; /* of the ClientHello that was admitted, or sent */
    struct sd_addr remote, local;
    struct sd_err err;   /* why it closes */
    const char *finding; /* of the FINDING event that has yet to be returned, or NULL */
    char finding_text[160];
    char remote_text[SD_ADDR_TEXT];
    uint64_t handshake_us;
    size_t datagram, fragment; /* of the last one read */
    struct sd_candidates to;   /* client */
    struct sd_replies replies; /* client */
    bool reported_refused;     /* ICMP port unreachable: only the first one is a finding */
    void *user;
    TAILQ_ENTRY(sdtls_conn) all, ready;
};

struct sdtls {
    sdtls_config cfg; /* our copy: every string owned */
    struct sd_err err;
    int unusable; /* why the configuration cannot be used: the error of every call */
    struct sd_demux *demux;
    struct sd_tls *tls[2]; /* by enum sd_role; made when first needed */
    struct sd_gate gate;
    struct sd_tls_mac *mac;
    struct sd_timers timers;
    struct sd_conn_list conns, ready;
    struct sdtls_conn *dead; /* its CLOSED event was returned: the next call frees it */
    size_t conn_total;       /* connections of both roles */
    size_t servers;          /* those that we serve */
    size_t half_open;
    size_t stored;         /* bytes kept for paused connections that share a socket */
    struct sd_table hosts; /* half-open clients by host */
    struct sd_hash_key host_key;
    bool polled; /* the user waits on sdtls_fd() */
    uint64_t conn_count[SD_COUNT_COUNT];
    uint64_t gate_count[SD_GATE_REASON_COUNT];
    uint64_t gate_trailing; /* datagrams with bytes after the last record */
    uint64_t guard_count[SD_GUARD_COUNTER_COUNT];
    uint8_t data[SD_PLAINTEXT_MAX];
};

/* config.c: a deep copy. SDTLS_ARG when the program was built for a newer library and sets
 * options that this one does not know. */
int sd_config_copy(sdtls_config *to, const sdtls_config *from, struct sd_err *err);
void sd_config_free(sdtls_config *c);

/* parts.c */
int sd_endpoint_open(struct sdtls *s);                   /* the demux, on first use */
int sd_endpoint_tls(struct sdtls *s, enum sd_role role); /* the context, on first use */
/* Before returning to the user, who may wait on the fd: it must be readable as long as a
 * connection has something to report, or timers to set. */
void sd_endpoint_wake(struct sdtls *s);
/* What a socket error means: strerror(), but it names the interface that does not exist. */
const char *sd_endpoint_error_text(const struct sdtls *s, int error,
                                   char buf[static SD_ENDPOINT_TEXT]);
void sd_endpoint_log(struct sdtls *s, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* conn.c */
struct sdtls_conn *sd_conn_new(struct sdtls *s, bool server, sd_time now);
/* A session over the connection's peer. */
int sd_conn_session(struct sdtls_conn *c, struct sd_err *err);
void sd_conn_set_peer(struct sdtls_conn *c, struct sd_peer *p);
/* Shows a datagram to the program's tap. */
void sd_conn_tap(struct sdtls_conn *c, int sent, const void *data, size_t len);
void sd_conn_free(struct sdtls_conn *c);
void sd_conn_rearm(struct sdtls_conn *c, sd_time now);
/* Puts the connection on the list of those with events; sleep takes it off. */
void sd_conn_wake(struct sdtls_conn *c);
void sd_conn_sleep(struct sdtls_conn *c);
/* It is over: CLOSED with this error follows. The first call counts. */
void sd_conn_end(struct sdtls_conn *c, const struct sd_err *why);
void sd_conn_fail(struct sdtls_conn *c, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sd_conn_finding(struct sdtls_conn *c, const char *id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Runs the timers that are due. */
void sd_conn_due(struct sdtls_conn *c, sd_time now);
/* What the network reported of it, for the session's path MTU and statistics. */
void sd_conn_note_error(struct sdtls_conn *c, const struct sd_received *d, sd_time now);
/* A datagram or an error for the session, after accept.c or client.c did not take it. */
void sd_conn_input(struct sdtls_conn *c, const struct sd_received *d, sd_time now);
/* The next event; false when there is none. */
bool sd_conn_event(struct sdtls_conn *c, sdtls_event *ev, sd_time now);

/* blocked.c: what a full socket, and a program that does not want data, hold up. */
/* A datagram waits for room in the socket: it will be offered again. */
void sd_conn_blocked(struct sdtls_conn *c, sd_time now);
/* Offers it again when it is time; the caller sees to timer and events. */
void sd_conn_unblock(struct sdtls_conn *c, sd_time now);
/* Whether this datagram of a paused peer may be kept; counted when it may not. */
bool sd_conn_may_store(struct sdtls_conn *c, size_t len);
/* Nothing of this connection is kept any more. */
void sd_conn_drop_stored(struct sdtls_conn *c);

/* accept.c: the server's side of every datagram read. */
void sd_accept_unknown(struct sdtls *s, const struct sd_received *d, sd_time now);
/* True when the datagram was a ClientHello and has been dealt with. */
bool sd_accept_hello(struct sdtls_conn *c, const struct sd_received *d, sd_time now);

/* client.c: before the server's first answer a datagram or an error may settle the attempt to
 * connect. True when it did, or was no DTLS; false: it is for the session. */
bool sd_connect_takes(struct sdtls_conn *c, const struct sd_received *d, sd_time now);

/* replies.c: what comes back to a client before the server's first answer. */
/* The server has answered the ClientHello. */
bool sd_replies_answered(const struct sdtls_conn *c);
/* Keeps the random of our ClientHello, which is about to be sent. */
void sd_replies_note_hello(struct sdtls_conn *c, const void *data, size_t len);
enum sd_reply {
    SD_REPLY_DTLS,    /* for the session; *rec is the first record */
    SD_REPLY_FOREIGN, /* from no DTLS server, or forged */
    SD_REPLY_JUNK,    /* that is certain: the second datagram that is no DTLS, */
    SD_REPLY_ECHO,    /* the second copy of our ClientHello, */
    SD_REPLY_RIVAL    /* the second ClientHello of the peer */
};
enum sd_reply sd_replies_take(struct sdtls_conn *c, const struct sd_received *d,
                              struct sd_record *rec);
/* The sentence for a handshake that got no answer. */
void sd_replies_explain(const struct sd_replies *r, char *buf, size_t cap);

/* limits.c: 0, or the counter of the limit that was hit. */
bool sd_limit_admits(struct sdtls *s, const struct sd_addr *peer, enum sd_count *hit);
/* The same for a client that starts again in the place of `old`. */
bool sd_limit_admits_restart(const struct sdtls_conn *old, enum sd_count *hit);
bool sd_limit_add(struct sdtls_conn *c); /* false: no memory */
void sd_limit_drop(struct sdtls_conn *c);

#endif
