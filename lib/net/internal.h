/* SPDX-License-Identifier: MIT */
/* What the parts of the demultiplexer know of each other. */
#ifndef SD_NET_INTERNAL_H
#define SD_NET_INTERNAL_H

#include <pthread.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/table.h"
#include "base/timers.h"
#include "net/batch.h"
#include "net/demux.h"
#include "net/directory.h"
#include "net/group.h"
#include "net/socket.h"

enum {
    SD_ROUND = 64,      /* sockets served after one epoll_wait() */
    SD_DRAIN_READS = 8, /* listener batches between an accept and the next peer's socket */
    /* As much may be read from a peer's socket at once. It comes out although the peer is held
     * meanwhile, and waits in memory then: of 500 peers 8 MB. */
    SD_PEER_BYTES = 16 << 10,
    /* Calls on a connected socket before a pending error counts as a failure: each ICMP message
     * makes one call fail. At 20,000 of them each second a call meets one in 25. */
    SD_TRIES = 8,
    SD_LINGER_MS = 10,   /* after this time no earlier lookup of the kernel delivers to a socket */
    SD_LINGER_TURNS = 99 /* a socket that never falls silent is closed after this many lingers */
};

/* SD_CALL: other members of the group want something. */
enum sd_source_kind { SD_LISTENER, SD_PEER, SD_CLIENT, SD_CALL };

/* One socket in the epoll set. */
struct sd_source {
    enum sd_source_kind kind;
    int fd;
    unsigned listener;    /* which listener answers the unknown senders read here */
    struct sd_addr local; /* where datagrams without PKTINFO were sent to */
    struct sd_peer *peer; /* whose socket it is; NULL for listeners and dying ones */
    bool dying;           /* drained through the table until it is closed */
    bool paused;          /* out of the epoll set for a while: shut down, but not by us */
    bool held;            /* out of the epoll set: its peer is not to be read */
    int rcvbuf;           /* its share, see rcvbuf.c */
    bool deaf;            /* the kernel keeps no reports: in a storm of ICMP errors, while held */
    uint32_t events;      /* of epoll, in this round */
    unsigned burst;   /* datagrams of the last read, twice as many when it brought all it could */
    unsigned reports; /* ICMP errors since `counted` */
    sd_time counted;
    unsigned turns;         /* how often a dying socket's time was up */
    uint32_t dropped;       /* SO_RXQ_OVFL as last read */
    uint32_t *shared_drops; /* the same, of a socket that several members read; or NULL */
    sd_time lossy_until;    /* it has dropped datagrams a moment ago */
    struct sd_timer timer;  /* end of the pause, of the deafness, or of the life */
};

struct sd_listener {
    struct sd_source *source; /* NULL once closed */
    struct sd_addr local;
    struct sd_socket_options options; /* what the sockets of its peers inherit */
};

struct sd_peer {
    struct sd_node node;
    struct sd_demux *demux;
    struct sd_source *own; /* NULL: shared */
    bool settled;          /* it has a socket of its own, or does without */
    unsigned listener;
    struct sd_addr remote, local;
    size_t payload; /* of its path, when the program carries the datagrams */
    void *user;
};

/* What the demultiplexers of a process may use together; atomic. */
struct sd_sums {
    size_t connected;     /* sockets of server peers */
    int64_t rcvbuf_given; /* bytes, in shares */
};

/* A datagram on its way to the member that has its peer. */
struct sd_parcel {
    struct sd_parcel *next;
    bool chosen; /* that member is to accept the sender itself */
    size_t len, fragment;
    unsigned listener;
    uint64_t hash; /* of peer and local */
    struct sd_addr peer, local;
    uint8_t data[];
};

enum { SD_MEMBERS = 64 };
_Static_assert((int)SD_MEMBERS <= (int)SD_DIRECTORY_MEMBERS, "the directory can name every member");

/* Of one thread's demultiplexer, what the other threads use. It stays when that one goes. */
struct sd_member {
    struct sd_parcel *inbox; /* the newest first; atomic, as the next four are */
    size_t bytes;            /* handed over and not looked at yet */
    size_t load;             /* peers */
    bool open, called;
    bool taken; /* under `changing` */
    int event;  /* eventfd: something is in the inbox, or listeners have changed; -1 = none yet */
};

struct sd_shared_listener {
    int fd; /* -1 = retired */
    struct sd_socket_options options;
    uint32_t dropped; /* SO_RXQ_OVFL as last read by any member; atomic */
};

struct sd_net_group {
    pthread_mutex_t reading;  /* held while a listener is read and the batch handed over */
    pthread_mutex_t changing; /* of listeners, members and the directory */
    struct sd_hash_key key;
    struct sd_directory directory;
    struct sd_member members[SD_MEMBERS];
    struct sd_shared_listener **listeners;
    unsigned listener_count;
    struct sd_sums sums;
};

struct sd_demux {
    struct sd_demux_config config;
    char interface[IFNAMSIZ];
    int epoll, timer;
    int rouse;   /* an eventfd: readable while something waits that no socket shows */
    bool roused; /* it is */
    uint64_t counters[SD_NET_COUNTER_COUNT];

    struct sd_listener *listeners;
    unsigned listener_count;
    bool probed[2], shared_only[2]; /* IPv4, IPv6 */

    struct sd_hash_key key;
    struct sd_table peers;
    struct sd_sums *sums, own_sums;

    struct sd_net_group *group; /* NULL: alone */
    struct sd_member *member;
    struct sd_source *call;
    bool called;                              /* sd_demux_next() shall return */
    struct sd_parcel *parcels, **parcels_end; /* the oldest first */
    struct sd_parcel *parcel;                 /* the last one that was looked at */

    struct sd_timers timers; /* of sources */
    sd_time deadline;        /* the caller's */
    bool polled;             /* the caller may wait on the fd */
    sd_time armed;           /* the timerfd's */
    bool fired;              /* it is readable until it is set again */

    struct sd_source *round[SD_ROUND]; /* readable ones, listeners first; NULL = gone since */
    unsigned round_at, round_count;
    unsigned drain;       /* the listener being drained after an accept; listener_count: none */
    unsigned drain_reads; /* left in this round */

    struct sd_batch batch;
    struct sd_reports reports;
    /* The socket that the batch and the reports came from; it may be gone already. */
    struct sd_source origin;
};

/* pending.c: nothing that was read is the peer's any more. */
void sd_demux_forget(struct sd_demux *d, const struct sd_peer *p);

/* wake.c: the earliest of all deadlines. */
sd_time sd_demux_deadline(const struct sd_demux *d);
/* The end of sd_demux_rouse(). */
void sd_demux_calm(struct sd_demux *d);

/* source.c: opening, pausing and closing of sockets in the epoll set. Adding
 * takes over the fd; NULL when there is no memory (the fd is closed). */
struct sd_source *sd_source_add(struct sd_demux *d, enum sd_source_kind kind, int fd);
/* At once, whatever is in its queue. */
void sd_source_close(struct sd_demux *d, struct sd_source *s);
/* Closes it without losing anything: no new datagrams from now on, those that
 * are there or on the way are drained, then it is closed. A plain close() takes
 * along what came since the last read (measured: 1 to 4 datagrams in 34,000). */
void sd_source_bury(struct sd_demux *d, struct sd_source *s);
/* Takes it out of the epoll set, or puts it back. */
void sd_source_hold(struct sd_demux *d, struct sd_source *s, bool hold);
/* Counts what the kernel dropped, by a count of the kernel since the socket was made. */
void sd_source_dropped(struct sd_demux *d, struct sd_source *s, uint32_t dropped);
/* The same, with a count that it asks for. */
void sd_source_count_drops(struct sd_demux *d, struct sd_source *s);
/* Counts ICMP errors that were reported for this socket. In a storm of them the kernel is told
 * to keep no more reports, because they take the memory that datagrams need. */
void sd_source_reported(struct sd_demux *d, struct sd_source *s, unsigned errors);
/* A timer of a source is due. */
void sd_source_due(struct sd_demux *d, struct sd_source *s, sd_time now);
/* Its queue was found empty; closes a dying one whose time is up, and takes one that was shut
 * down, so is always readable, out of the epoll set for a moment. */
void sd_source_idle(struct sd_demux *d, struct sd_source *s);

/* rcvbuf.c: the receive buffer that a socket of one peer should ask for. */
int sd_rcvbuf_share(const struct sd_demux *d);

/* pending.c: who sent the datagram to which address, as its source tells; `to` is not filled. */
void sd_demux_describe(const struct sd_source *s, const struct sd_batch_datagram *p,
                       struct sd_received *out);

/* group.c, all for a demultiplexer that is in a group: what one gives to another. */
/* Gives the datagram of an unknown sender to the member that knows it; false: no other one does. */
bool sd_group_passes_on(struct sd_demux *d, const struct sd_received *what);
/* Gives it to anybody else, if there is somebody. */
void sd_group_give(struct sd_demux *d, const struct sd_received *what);
/* Fetches what others have handed over. */
void sd_group_take(struct sd_demux *d);
void sd_group_call_others(struct sd_demux *d);
/* A peer that was claimed is gone; how many there are has changed. */
void sd_group_disclaim(struct sd_demux *d, uint64_t hash);
void sd_group_count_peers(struct sd_demux *d);

/* shared.c, the same: what it does as a member. */
int sd_group_join(struct sd_demux *d, struct sd_net_group *g);
/* Nobody gives it anything more; then, when its peers are gone and it has given away what it has:
 * it is no member any more. */
void sd_group_close(struct sd_demux *d);
void sd_group_leave(struct sd_demux *d);
/* Takes over the fd, also on failure: every member listens on it. */
int sd_group_share(struct sd_demux *d, int fd, const struct sd_socket_options *o);
void sd_group_retire(struct sd_demux *d, unsigned listener);
/* A batch from a listener, without what belongs to others: they have it already. */
int sd_group_read(struct sd_demux *d, struct sd_source *s, unsigned max);
/* The next of what others have handed over. */
bool sd_group_next(struct sd_demux *d, struct sd_received *out);
/* The eventfd is readable. */
void sd_group_called(struct sd_demux *d, const struct sd_source *s);

/* listeners.c: takes over the fd, also on failure; -1: a listener that is gone, for its number. */
int sd_listener_add(struct sd_demux *d, int fd, const struct sd_socket_options *o);
/* A listener that can send from `local`: number i, or one like it. NULL: none. */
struct sd_source *sd_listener_for(const struct sd_demux *d, unsigned i,
                                  const struct sd_addr *local);

/* known.c */
uint64_t sd_peer_hash(const struct sd_demux *d, const struct sd_addr *remote,
                      const struct sd_addr *local);
struct sd_peer *sd_peer_find(const struct sd_demux *d, const struct sd_addr *remote,
                             const struct sd_addr *local);

/* peer.c: into the table. */
void sd_peer_add(struct sd_demux *d, struct sd_peer *p);

/* probe.c: whether a connected socket on a listener's port gets its peer's
 * datagrams and nobody else's, also when another listener comes later. */
bool sd_probe_connected(int family);

#endif
