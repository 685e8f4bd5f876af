/* SPDX-License-Identifier: MIT */
/* What the files of lib/endpoint share. */
#ifndef SD_ENDPOINT_INTERNAL_H
#define SD_ENDPOINT_INTERNAL_H

#include <pthread.h>
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
    X(LIMIT_HALF_OPEN, "limit-half-open") /* reached: max_half_open */                             \
    X(LIMIT_HOST, "limit-host")           /* reached: max_half_open_per_host */                    \
    X(LIMIT_HOST_CLIENTS, "limit-host-clients") /* refused: max_clients_per_host */                \
    X(LIMIT_MEMORY, "limit-memory")             /* reached: max_half_open_bytes */                 \
    X(EVICTED, "evicted")           /* half-open clients that gave way to another one */           \
    X(EVICTED_IDLE, "evicted-idle") /* established ones that did */                                \
    X(REPLAYED, "replayed")         /* hellos whose handshake was completed before */

enum sd_count {
#define SD_X(name, text) SD_COUNT_##name,
    SD_COUNT_COUNTERS(SD_X)
#undef SD_X
        SD_COUNT_COUNT
};

TAILQ_HEAD(sd_conn_list, sdtls_conn);

/* What a client of a server takes. */
enum sd_place { SD_HALF_OPEN, SD_ESTABLISHED, SD_PLACES };

struct sd_host; /* limits.c: all clients of one address */

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
 *   HANDSHAKE    sdtls_close(), a fatal alert, handshake_ms (TIMEOUT); a client also by proof
 *                that nobody serves there (REFUSED, IO, NOT_DTLS), or the answer to its probe
 *   ESTABLISHED  sdtls_close(), close_notify, a fatal alert, idle_ms without data (IDLE)
 *   both         the server's client starts again from the same address (RESTARTED), or gives way
 *                to another one when a limit is reached (LIMIT)
 * and has one timer, set to the earliest of its deadlines (sd_conn_rearm()):
 *   HANDSHAKE    began + handshake_ms; heard + ten times timer_ms while a server's client has not
 *                answered the first flight; the session's: retransmission, end of the wait after
 *                an alert that may be forged
 *   ESTABLISHED  active + idle_ms; the session's: last flight, another try of a larger path MTU
 *   CLOSING      none
 *
 * A client whose name has several addresses tries them beside each other (race.c). The program's
 * connection has the first; every other address has a rival, a connection that the program never
 * sees. The next address has its turn 250 ms after the one before, at once when the network reports
 * an error, and 3 s later when a server seems to have answered (that may be forged).
 *
 *   rival: HANDSHAKE ---> complete: its socket and session move into the program's connection,
 *              |                    which is ESTABLISHED; all others are freed
 *              +--------> failed: freed; the reason is kept. When the program's own attempt fails,
 *                                 a rival's socket and session move in, or the next address begins.
 *                                 When nothing is left, the best reason closes the connection.
 *
 * Before handshake_ms nothing ends an attempt that somebody off-path could have sent (replies.c):
 * datagrams that are not DTLS, ClientHellos of a peer, and ICMP errors become the reason when the
 * time is over. What contains the random of our ClientHello is proof that our datagram was seen:
 * errors that quote it, and echoes of it, count once for each ClientHello sent, and two suffice. */
enum sd_conn_state {
    SD_CONN_HANDSHAKE,
    SD_CONN_ESTABLISHED,
    SD_CONN_CLOSING, /* over; its CLOSED event has yet to be returned */
};

/* What came back instead of a server's answer, the weakest reason first: the sentence about a
 * silence, and the error, say the strongest. */
enum sd_reply_rank {
    SD_RANK_NOTHING,
    SD_RANK_ERROR,    /* an ICMP error that anybody can forge */
    SD_RANK_JUNK,     /* a datagram that is no DTLS */
    SD_RANK_RECORDS,  /* DTLS that answers no ClientHello */
    SD_RANK_RIVAL,    /* a ClientHello of the peer */
    SD_RANK_REFUSED,  /* an ICMP error that quotes our ClientHello, random included */
    SD_RANK_ECHO,     /* our own ClientHello */
    SD_RANK_ANSWERED, /* a server */
    SD_RANK_COUNT
};

/* The first bytes of a ClientHello in a datagram reach its random: 21 bytes of it, which nobody
 * off-path can know. */
enum { SD_HELLO_HEAD = 48, SD_HELLOS_KEPT = 4 };

struct sd_hello_sent {
    uint8_t head[SD_HELLO_HEAD];
    bool open; /* no error and no echo has shown it so far */
};

/* What came back to a client before the server's first answer. */
struct sd_replies {
    struct sd_hello_sent sent[SD_HELLOS_KEPT]; /* the last ones; [next % KEPT] is replaced next */
    unsigned next;
    unsigned count[SD_RANK_COUNT];
    bool plain; /* some of the records were in plaintext, as the answer to a ClientHello is */
    int error;  /* the last of the strongest kind of ICMP error */
};

/* A client's addresses in the resolver's order, and what became of them. */
struct sd_race {
    char *host;          /* NULL: the program has none for its path */
    struct sd_path path; /* without sockets; `addr` is then its remote address */
    struct sd_addr *addr;
    size_t count, next; /* next: the first that has not begun */
    sd_time begun;      /* the last one */
    sd_time next_at;    /* when the next one begins; SD_NEVER: none, or not yet */
    sd_time give_up;    /* after the failure of one that a server had answered */
    struct sd_conn_list rivals;
    size_t rival_count;
    unsigned noticed; /* enum sd_reply_rank as bits: the program was told of it */
    /* The best reason so far of an address that failed; code 0: none. */
    enum sd_reply_rank rank;
    struct sd_err err;
    struct sd_addr failed;
};

/* What a client's connection does that conn.c knows nothing of. */
struct sd_conn_hooks {
    void (*timed_out)(struct sdtls_conn *c, sd_time now); /* handshake_ms is over */
    void (*due)(struct sdtls_conn *c, sd_time now); /* also when race->next_at is not reached */
    /* It has failed. NULL when it goes on with another address; else the reason to report. */
    const struct sd_err *(*failed)(struct sdtls_conn *c, const struct sd_err *why);
    void (*over)(struct sdtls_conn *c); /* the handshake is complete, or the connection ends */
};

struct sdtls_conn {
    struct sdtls *ep;
    struct sd_peer *peer;
    struct sd_session *session;
    enum sd_conn_state state;
    bool server, queued;
    bool owes_accepted;    /* the ACCEPTED event has yet to be returned */
    bool owes_ready;       /* so has READY: the CLOSED of whose place it takes comes first */
    bool owes_writable;    /* so has WRITABLE */
    bool told_again;       /* sdtls_send() returned AGAIN: WRITABLE shall follow */
    bool paused;           /* by sdtls_pause() */
    bool settled;          /* see settle.c */
    bool too_big;          /* before that, this host refused a datagram for its size */
    unsigned retry_ms;     /* until the datagram that waits is offered to the socket again */
    sd_time retry_at;      /* then, or SD_NEVER */
    size_t stored;         /* bytes kept while paused, of a peer without a socket */
    sd_time began, active; /* first datagram; last application data */
    sd_time heard;         /* last datagram */
    sd_time ran;           /* when its timers were run last */
    unsigned postponed;    /* how often they had to wait for datagrams to be read */
    struct sd_timer timer;
    /* Its place among the server's clients, see limits.c; host NULL = it has none. */
    struct sd_host *host;
    enum sd_place place;
    TAILQ_ENTRY(sdtls_conn) neighbours;
    struct sd_timer idle; /* rank among the established by when they were active */
    size_t bytes;         /* what it counts for in half_open_bytes */
    bool answered;        /* the peer went on after its hello; for other threads, too */
    int own_fd;           /* its socket, or -1; the same */
    bool leaving;         /* it lost its place to another client */
    struct {
        size_t all, of_host;
    } crowd;                           /* clients in places of that kind, when it lost its own */
    TAILQ_ENTRY(sdtls_conn) departure; /* on the list of its endpoint */
    /* An established client whose address begins another handshake, and that handshake: both use
     * one peer until the second is complete (RFC 6347 section 4.2.8); see restart.c. */
    struct sdtls_conn *successor, *incumbent;
    uint8_t random[32]; /* of the ClientHello that was admitted, or sent */
    struct sd_addr remote, local;
    struct sd_err err;   /* why it closes */
    const char *finding; /* of the FINDING event that has yet to be returned, or NULL */
    char finding_text[160];
    char remote_text[SD_ADDR_TEXT];
    uint64_t handshake_us;
    size_t datagram, fragment;         /* of the last one read */
    struct sd_replies replies;         /* client */
    struct sd_race *race;              /* client that the program knows; else NULL */
    const struct sd_conn_hooks *hooks; /* the same */
    struct sdtls_conn *leader; /* of a rival: the connection that the program knows; else NULL */
    bool reported_refused;     /* ICMP port unreachable: only the first one is a finding */
    void *user;
    TAILQ_ENTRY(sdtls_conn) all, ready, rival, unsettled;
};

enum { SD_SPENT = 4096 };

/* The hello of a completed handshake; see spent.c. */
struct sd_spent {
    uint64_t hash;
    sd_time until;
};

/* The places of a server's clients, see limits.c. Endpoints that serve together, each in its own
 * thread, share one. */
struct sd_limits {
    bool shared; /* `mutex` is in use */
    pthread_mutex_t mutex;
    size_t places[SD_PLACES]; /* taken */
    size_t half_open_bytes;
    size_t stored;         /* bytes kept for paused connections that share a socket; atomic */
    struct sd_table hosts; /* of the clients */
    struct sd_hash_key key;
    struct sd_timers crowds[SD_PLACES]; /* hosts, the one with most places first */
    struct sd_timers idle;              /* established clients, the one idle longest first */
    struct sd_spent spent[SD_SPENT];    /* hellos whose handshake is complete */
};

struct sdtls {
    struct sdtls_group *group; /* NULL: serves alone */
    bool carried;              /* no sockets: the program carries the datagrams, see transport.c */
    sdtls_transport transport; /* then */
    sd_time now;               /* then: the time as the program last told it */
    sdtls_config cfg;          /* our copy: every string owned */
    struct sd_err err;
    int unusable; /* why the configuration cannot be used: the error of every call */
    struct sd_demux *demux;
    struct sd_tls *tls[2]; /* by enum sd_role; made when first needed */
    unsigned reloads;      /* of the group, as far as `tls` follows them */
    struct sd_gate gate;
    struct sd_tls_mac *mac;
    struct sd_timers timers;
    struct sd_conn_list conns, ready;
    struct sd_conn_list unsettled; /* see settle.c */
    struct sdtls_conn *dead;       /* its CLOSED event was returned: the next call frees it */
    size_t conn_total;             /* connections of both roles */
    size_t servers;                /* those that we serve; atomic */
    struct sd_limits *limits;      /* places of those that we serve */
    struct sd_limits own_limits;
    size_t half_open_bytes;         /* its part of that in `limits` */
    struct sd_conn_list departures; /* who lost its place to a client of another thread */
    bool departing;                 /* there are some; atomic */
    bool polled;                    /* the user waits on sdtls_fd() */
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

/* group.c */
const sdtls_config *sd_group_config(const struct sdtls_group *g);
/* s becomes an endpoint of the group. */
void sd_group_enter(struct sdtls_group *g, struct sdtls *s);
/* The rest is for an endpoint of a group. */
struct sd_net_group *sd_group_net(const struct sdtls_group *g);
/* The context of the group, for the endpoint as well. */
int sd_group_tls(struct sdtls *s, enum sd_role role);
/* reload.c for the whole group; the others follow with their next connection. */
int sd_group_reload(struct sdtls *s);
void sd_group_follow(struct sdtls *s);
/* The cookie secrets of the group, which are renewed when it is time. */
void sd_group_secrets(struct sdtls *s, sd_time now);

/* renew.c: makes again what there is of `tls`, both or none. */
int sd_tls_reload(struct sd_tls *tls[2], const sdtls_config *c, struct sd_err *err);

/* parts.c */
int sd_endpoint_open(struct sdtls *s);                   /* the demux, on first use */
int sd_endpoint_tls(struct sdtls *s, enum sd_role role); /* the context, on first use */
/* The time: the program's, if it carries the datagrams. */
sd_time sd_endpoint_now(const struct sdtls *s);
/* STATE for an endpoint without sockets. */
int sd_endpoint_need_sockets(struct sdtls *s);
/* Before returning to the user, who may wait on the fd: it must be readable as long as a
 * connection has something to report, or timers to set, or a datagram that was read waits. */
void sd_endpoint_wake(struct sdtls *s);
/* What a socket error means: strerror(), but it names the interface that does not exist. */
const char *sd_endpoint_error_text(const struct sdtls *s, int error,
                                   char buf[static SD_ENDPOINT_TEXT]);
void sd_endpoint_log(struct sdtls *s, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* endpoint.c: a datagram or an error, wherever it came from. */
void sd_endpoint_dispatch(struct sdtls *s, const struct sd_received *d, sd_time now);

/* conn.c */
struct sdtls_conn *sd_conn_new(struct sdtls *s, bool server, sd_time now);
/* A session over the connection's peer. */
int sd_conn_session(struct sdtls_conn *c, struct sd_err *err);
void sd_conn_set_peer(struct sdtls_conn *c, struct sd_peer *p);
/* Shows a datagram to the program's tap. */
void sd_conn_tap(struct sdtls_conn *c, int sent, const void *data, size_t len);
void sd_conn_free(struct sdtls_conn *c);
/* When the attempt ends; SD_NEVER once it is over. */
sd_time sd_conn_handshake_deadline(const struct sdtls_conn *c);
void sd_conn_rearm(struct sdtls_conn *c, sd_time now);
/* Puts the connection on the list of those with events; sleep takes it off. */
void sd_conn_wake(struct sdtls_conn *c);
void sd_conn_sleep(struct sdtls_conn *c);
/* It is over: CLOSED with this error follows. The first call counts. */
void sd_conn_end(struct sdtls_conn *c, const struct sd_err *why);
void sd_conn_fail(struct sdtls_conn *c, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Its client began again (RESTARTED), or it leaves for another client (LIMIT). */
void sd_conn_replaced(struct sdtls_conn *c);
void sd_conn_evict(struct sdtls_conn *c, sd_time now);
void sd_conn_finding(struct sdtls_conn *c, const char *id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Runs the timers that are due, after what waits in the socket has been read. */
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
/* Counts what is kept of a connection while it is paused. */
void sd_conn_count_stored(struct sdtls_conn *c);

/* accept.c: the server's side of every datagram read. */
void sd_accept_unknown(struct sdtls *s, const struct sd_received *d, sd_time now);
/* True when the datagram was a ClientHello and has been dealt with. */
bool sd_accept_hello(struct sdtls_conn *c, const struct sd_received *d, sd_time now);

/* attempt.c: opens the socket and session for an address, and sends the first flight. */
int sd_connect_try(struct sdtls_conn *c, const struct sd_addr *to, sd_time now, struct sd_err *err);
/* Closes them again. */
void sd_connect_drop(struct sdtls_conn *c);

/* race.c: the addresses of a client's peer. */
int sd_race_new(struct sdtls_conn *c, const char *host, struct sd_addr *list, size_t count);
/* Begins with the first address that lets us. */
int sd_race_begin(struct sdtls_conn *c, sd_time now, struct sd_err *err);
/* The handshake is complete, or the connection is over: no other address is of use. */
void sd_race_stop(struct sdtls_conn *c);
/* Begins with the next address if it is time. */
void sd_race_due(struct sdtls_conn *c, sd_time now);
/* The network reported an error for one of the addresses: the next one need not wait. */
void sd_race_hurry(struct sdtls_conn *c, sd_time now);
/* No address will do more: c goes on with the one that has the best reason. */
void sd_race_settle(struct sdtls_conn *c);
/* The current address of c has failed. NULL when another one goes on in its place; else the best
 * reason of all. */
const struct sd_err *sd_race_failed(struct sdtls_conn *c, const struct sd_err *why);
/* The turn of a rival with events: true when it won, and *ev is the READY of its leader. */
bool sd_race_event(struct sdtls_conn *rival, sdtls_event *ev, sd_time now);

/* client.c */
/* sdtls_connect() after the name is resolved; takes over `list`. */
int sd_connect_begin(struct sdtls *s, const char *host, struct sd_addr *list, size_t count,
                     struct sdtls_conn **pconn);
/* The same over a path of the program's; host may be NULL. */
int sd_connect_begin_path(struct sdtls *s, const struct sd_path *path, const char *host,
                          struct sdtls_conn **pconn);
/* Before the server's first answer a datagram or an error may tell something about the
 * attempt to connect. True when it did; false: it is for the session. */
bool sd_connect_takes(struct sdtls_conn *c, const struct sd_received *d, sd_time now);

/* replies.c: what comes back to a client before the server's first answer. */
/* The server has answered the ClientHello. */
bool sd_replies_answered(const struct sdtls_conn *c);
/* Keeps the beginning of our ClientHello, which is about to be sent. */
void sd_replies_note_hello(struct sdtls_conn *c, const void *data, size_t len);
/* The kind of a datagram or an error, counted; *rec is its first record. SD_RANK_NOTHING: it shows
 * a ClientHello that another one has shown already, or a matter of size. */
enum sd_reply_rank sd_replies_take(struct sdtls_conn *c, const struct sd_received *d,
                                   struct sd_record *rec);
/* This kind is proven to come from where our ClientHellos arrive. */
bool sd_replies_certain(const struct sd_replies *r, enum sd_reply_rank rank);
/* The strongest reason for a handshake that did not finish, and its sentence. */
enum sd_reply_rank sd_replies_rank(const struct sdtls_conn *c);
void sd_replies_explain(const struct sdtls_conn *c, char *buf, size_t cap);

/* admit.c: a client out of an admitted datagram. `peer`: its existing one or NULL; `old`: the
 * established connection that has it and stays, or NULL. */
void sd_admit_client(struct sdtls *s, const struct sd_received *d, const struct sd_gate_result *r,
                     struct sd_peer *peer, struct sdtls_conn *old, sd_time now);

/* settle.c: a socket of its own for a server's client, and the MTU of its route. Only the first
 * call does anything. */
void sd_conn_settle(struct sdtls_conn *c, sd_time now);
/* The same with a constant connection, for what the program asks. */
void sd_conn_settle_asked(const struct sdtls_conn *c);
/* Settles the oldest client that waits for that, if a listener drops datagrams. */
void sd_settle_in_flood(struct sdtls *s, sd_time now);

/* pair.c: `c` is the handshake that may replace the established `old`. */
void sd_pair_link(struct sdtls_conn *old, struct sdtls_conn *c);
/* This one is over: the other one has the peer alone. */
void sd_pair_leave(struct sdtls_conn *c);

/* restart.c: a client that begins again while its address has a connection. */
/* A datagram of a known client: for its connection, for its new handshake, or for both. */
void sd_restart_input(struct sdtls_conn *c, const struct sd_received *d, sd_time now);
/* A ClientHello with a good cookie, and another random than the connection's. */
void sd_restart_begin(struct sdtls_conn *old, const struct sd_received *d,
                      const struct sd_gate_result *r, sd_time now);

/* spent.c: hellos of completed handshakes. */
void sd_spent_add(struct sdtls *s, const struct sd_addr *peer, const uint8_t random[static 32],
                  sd_time now);
bool sd_spent_has(const struct sdtls *s, const struct sd_addr *peer,
                  const uint8_t random[static 32], sd_time now);

/* limits.c: who may come, and who must leave for it (*leaves, or NULL: nobody here). Who must leave
 * has lost its place already; the caller ends the connection. Of another endpoint that shares the
 * limits, that endpoint does, see sd_limit_departed(). */
bool sd_limits_init(struct sd_limits *l); /* of zeros; false: no memory, or no random numbers */
void sd_limits_fini(struct sd_limits *l);
/* Whether another client of this host may begin a handshake. *tell: it may not as long as the
 * others stay, and should know. */
bool sd_limit_admits(struct sdtls *s, const struct sd_addr *peer, sd_time now,
                     struct sdtls_conn **leaves, bool *tell);
/* The same for a client that starts again in the place of `old`. */
bool sd_limit_admits_restart(const struct sdtls_conn *old, sd_time now, struct sdtls_conn **leaves);
bool sd_limit_add(struct sdtls_conn *c); /* half-open; false: no memory */
/* Counts again what a half-open client holds. Who must leave for it, or NULL. */
struct sdtls_conn *sd_limit_measure(struct sdtls_conn *c);
/* A client whose handshake is complete gets a place among the established; false: there is none. */
bool sd_limit_establish(struct sdtls_conn *c, sd_time now, struct sdtls_conn **leaves);
void sd_limit_drop(struct sdtls_conn *c);
/* The next connection of this endpoint that lost its place to a client of another one; or NULL. */
struct sdtls_conn *sd_limit_departed(struct sdtls *s);
bool sd_limit_departing(const struct sdtls *s);
size_t sd_limit_bytes(const struct sdtls *s); /* of its half-open clients */
/* How many places there are for clients, established or not. */
size_t sd_limits_places(const sdtls_config *c);

/* Threads that look for who is idle longest read it. */
static inline sd_time sd_conn_active(const struct sdtls_conn *c)
{
    return __atomic_load_n(&c->active, __ATOMIC_RELAXED);
}

static inline void sd_conn_touch(struct sdtls_conn *c, sd_time now)
{
    __atomic_store_n(&c->active, now, __ATOMIC_RELAXED);
}

static inline void sd_limits_lock(struct sd_limits *l)
{
    if (l->shared)
        pthread_mutex_lock(&l->mutex);
}

static inline void sd_limits_unlock(struct sd_limits *l)
{
    if (l->shared)
        pthread_mutex_unlock(&l->mutex);
}

#endif
