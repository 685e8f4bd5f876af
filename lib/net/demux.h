/* SPDX-License-Identifier: MIT */
/* The demultiplexer: one connected socket a peer, and a table that decides for
 * every datagram whichever fd it came in on.
 *
 * Between bind() and connect() a new socket receives its neighbours' datagrams
 * (measured: 1 creation in 4 under load), so the kernel's choice of socket is
 * a hint and the peer table is the authority. A peer whose socket cannot be
 * had, or that is one too many, or that has yet to say something, is served from
 * the listener through the same table. */
#ifndef SD_NET_DEMUX_H
#define SD_NET_DEMUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "net/errqueue.h"

struct sd_demux;
struct sd_net_group; /* group.h */
struct sd_peer;      /* one remote address as seen from one local address */

#define SD_NET_COUNTERS(X)                                                                         \
    X(RECEIVED, "received")           /* datagrams read, on any socket */                          \
    X(SENT, "sent")                   /* datagrams the kernel took */                              \
    X(REDISPATCHED, "redispatched")   /* read on the socket of another peer, given to its own */   \
    X(FOREIGN, "foreign")             /* on a client's socket, not from its server: dropped */     \
    X(TRUNCATED, "truncated")         /* larger than any DTLS datagram: dropped */                 \
    X(OVERFLOW, "overflow")           /* full receive queue, or wrong checksum (SO_RXQ_OVFL) */    \
    X(CONNECTED, "connected")         /* peers that got a socket of their own */                   \
    X(SHARED, "shared")               /* peers served from the listener */                         \
    X(SOCKET_FAILED, "socket-failed") /* of those: socket, bind or connect failed */               \
    X(HANDED_OVER, "handed-over")     /* given to the member of the group that has the peer */     \
    X(HANDOVER_FULL, "handover-full") /* dropped: that member is too far behind */                 \
    X(SEND_FULL, "send-full")         /* sends that met a full queue of socket or interface */     \
    X(SEND_FAILED, "send-failed")     /* send errors of any other kind */                          \
    X(ICMP, "icmp")                   /* errors reported by the network; in a storm not all */

enum sd_net_counter {
#define SD_X(name, text) SD_NET_##name,
    SD_NET_COUNTERS(SD_X)
#undef SD_X
        SD_NET_COUNTER_COUNT
};

/* Where a datagram travels when the program carries it. */
struct sd_path {
    struct sd_addr remote, local;
    size_t payload; /* UDP payload that it carries; 0 = not known */
};

struct sd_demux_config {
    /* The program carries all datagrams: this sends one; 0 or -errno. No socket is opened then, the
     * clock is not read, and of what is about listeners nothing may be called. NULL = sockets. */
    int (*output)(void *arg, const struct sd_addr *to, const struct sd_addr *from, const void *data,
                  size_t len);
    void *output_arg;
    size_t max_connected; /* peers with a socket of their own; 0 = none, all shared */
    /* Bytes that the queue of every socket should hold, as far as allowed; 0 = 4 MiB for a
     * listener, a share of 32 MiB for the others, see rcvbuf.c. */
    int rcvbuf;
    const char *interface; /* SO_BINDTODEVICE for every socket, or NULL; borrowed */
    /* Listen also where a process of the same user, or an older listener of this
     * one, already does: for a restart without a gap. Otherwise that is
     * -EADDRINUSE, because the kernel would share the new peers out. */
    bool take_over;
    struct sd_net_group *group; /* serves together with others; or NULL */
    /* Negative controls of the tests: what happens without each safeguard. */
    bool test_trust_kernel; /* no source check: whatever a socket yields is its peer's */
    bool test_plain_close;  /* no drain before closing */
    /* Called with the address of each new socket while it is bound but not
     * connected: the moment when it gets its neighbours' datagrams. */
    void (*test_between_bind_and_connect)(void *arg, const struct sd_addr *bound);
    void *test_arg;
};

/* One thing read: a datagram, or an error that the network reported. */
struct sd_received {
    const uint8_t *data; /* borrowed until the next sd_demux_next() */
    size_t len;
    size_t fragment; /* the largest IP fragment it came in, header included; 0 = whole */
    int error;       /* 0, or the errno (ECONNREFUSED, EMSGSIZE, ...) for `to`; no data */
    /* The error in full, borrowed until the next sd_demux_next(); NULL when that is all. */
    const struct sd_report *report;
    size_t payload;       /* UDP payload that its path carries, if the program carries it */
    size_t limit;         /* EMSGSIZE: UDP payload said to fit; 0 = not said */
    struct sd_addr peer;  /* who sent it */
    struct sd_addr local; /* the address it was sent to */
    struct sd_peer *to;   /* the known peer it belongs to, or NULL: unknown */
    unsigned listener;    /* which listener answers it, when `to` is NULL */
    bool verified;        /* the program knows that the sender receives at its address */
    bool chosen;          /* another member of the group wants this one to accept the sender */
};

/* All functions that return int return 0, or -errno. */
/* Also -EUSERS: the group has as many members as it can have. */
int sd_demux_new(struct sd_demux **pd, const struct sd_demux_config *config);
/* Closes every socket; peers must be closed before. */
void sd_demux_free(struct sd_demux *d);
/* One epoll fd, readable when sd_demux_next() has something. */
int sd_demux_fd(struct sd_demux *d);
/* One listener; an IPv6 one is V6ONLY. Port 0 = the kernel's choice. */
int sd_demux_listen(struct sd_demux *d, const struct sd_addr *local);
/* Takes over a bound socket, on success. Options it lacks are set. */
int sd_demux_adopt(struct sd_demux *d, int fd);
/* Address of listener i; NULL when retired and after the last. */
const struct sd_addr *sd_demux_local(const struct sd_demux *d, unsigned i);
/* How many listeners there have been: the index that the next one gets. */
unsigned sd_demux_listeners(const struct sd_demux *d);
/* Stops listening as a restart wants it: connects the listener to itself,
 * drains it through sd_demux_next(), closes. */
void sd_demux_retire(struct sd_demux *d, unsigned listener);

/* The next datagram or error. Listeners come before peers. 1 = filled, 0 = the
 * time passed, the armed deadline passed, or a signal came; -errno. */
int sd_demux_next(struct sd_demux *d, struct sd_received *out, int timeout_ms);
/* A datagram or an error that the program carried here: `to` is filled. -ENOENT: an error of no
 * known peer. */
int sd_demux_carry(struct sd_demux *d, struct sd_received *what);
/* Something that was read waits for sd_demux_next(), although the fd may not be readable. */
bool sd_demux_pending(const struct sd_demux *d);
/* Makes the fd readable, until a call of sd_demux_next() waits or finds nothing. */
void sd_demux_rouse(struct sd_demux *d);
/* Makes sd_demux_next() wake at `when`, on the clock of sd_clock_now(); SD_NEVER: it need not.
 * The fd does so after sd_demux_wake(), which sets a timerfd inside the epoll set. */
void sd_demux_arm(struct sd_demux *d, sd_time when);
/* Before the caller waits on the fd, if it ever asked for it. */
void sd_demux_wake(struct sd_demux *d);

/* Whether this one is to accept the sender of `from`, which is unknown here. False: another member
 * of the group has it, or has fewer peers, and gets the datagram. */
bool sd_demux_claim(struct sd_demux *d, const struct sd_received *from);
/* The claimed sender was not accepted. */
void sd_demux_disclaim(struct sd_demux *d, const struct sd_received *from);
/* Of a member of a group, from any thread: its sd_demux_next() returns 0. */
void sd_demux_call(struct sd_demux *d);
/* Of two members of a group, the second one the caller's: datagrams wait in the listeners, or were
 * handed over to the first one. */
bool sd_demux_behind(const struct sd_demux *other, const struct sd_demux *d);
/* A listener has dropped datagrams within the last second. */
bool sd_demux_lossy(const struct sd_demux *d);
/* Server: the sender of this datagram becomes a peer, served from the listener.
 * NULL only when there is no memory. `user` is the caller's. */
struct sd_peer *sd_demux_admit(struct sd_demux *d, const struct sd_received *from, void *user);
/* Gives it a socket of its own, if one can be had. Only the first call does. */
void sd_peer_open(struct sd_peer *p);
/* Both. */
struct sd_peer *sd_demux_accept(struct sd_demux *d, const struct sd_received *from, void *user);
/* Client: a socket connected to `remote`, from `source` (or NULL). */
int sd_demux_connect(struct sd_demux *d, const struct sd_addr *remote, const struct sd_addr *source,
                     void *user, struct sd_peer **pp);
/* The same when the program carries the datagrams; -EADDRINUSE: the path has a peer. */
int sd_demux_connect_path(struct sd_demux *d, const struct sd_path *path, void *user,
                          struct sd_peer **pp);
/* Answers a datagram of no known peer, from the address it was sent to. */
int sd_demux_reply(struct sd_demux *d, const struct sd_received *to, const void *data, size_t len);
/* Takes the peer out of the table at once, drains its socket with re-dispatch
 * and closes it. `peer` is gone afterwards, also from datagrams in the queue. */
void sd_demux_close(struct sd_demux *d, struct sd_peer *peer);

int sd_peer_send(struct sd_peer *p, const void *data, size_t len);
/* Whether what it sends stays in its own socket, unread. Without such a socket nothing changes. */
void sd_peer_hold(struct sd_peer *p, bool hold);
/* Bytes that were read from its socket and not handed out: they come although it is held. */
size_t sd_peer_batch(const struct sd_peer *p);
/* Datagrams wait in the socket that those of this peer come from, and will be read. */
bool sd_peer_waits(const struct sd_peer *p);
/* Its own socket, or -1 when shared. */
int sd_peer_fd(const struct sd_peer *p);
const struct sd_addr *sd_peer_remote(const struct sd_peer *p);
const struct sd_addr *sd_peer_local(const struct sd_peer *p);
void *sd_peer_user(const struct sd_peer *p);
void sd_peer_set_user(struct sd_peer *p, void *user);
/* Whether datagrams to it travel as IPv6: those to a mapped address do not. */
bool sd_peer_ipv6(const struct sd_peer *p);
/* UDP payload that the kernel's route MTU allows; 0 = not known. */
size_t sd_peer_route_payload(const struct sd_peer *p);

uint64_t sd_demux_counter(const struct sd_demux *d, enum sd_net_counter c);
/* What the kernel dropped since the last datagram was read: brings SD_NET_OVERFLOW up to date,
 * for one peer, and for the listeners. */
void sd_peer_count_drops(struct sd_peer *p);
void sd_demux_count_drops(struct sd_demux *d);

#endif
