/* SPDX-License-Identifier: MIT */
/* A client, a server and the network between them: datagrams wait until the target lets them
 * arrive. What a side runs is its stack: a session of ours (peers/ours.h) or stock OpenSSL
 * (openssl/stock.h). Clock and randomness belong to the simulation. */
#ifndef FUZZ_SIM_H
#define FUZZ_SIM_H

#include <openssl/ssl.h>

#include "base/clock.h"
#include "openssl/ossl_bio.h"
#include "openssl/ossl_env.h"
#include "openssl/pair.h"
#include "peers/agree.h"
#include "peers/witness.h"

enum {
    SIM_ROUTE = 1452, /* bytes of UDP payload that the network carries */
    SIM_QUEUE = 48,
    SIM_HISTORY = 16,
    SIM_DATAGRAM = 4096,
    SIM_MESSAGES = 64,
    SIM_SESSIONS = 8
};

struct sim_packet {
    size_t len;
    uint8_t data[];
};

struct sd_session;
struct sim;
struct sim_config;
struct sim_side;

/* An error of the network about a datagram that a side sent. */
struct sim_report {
    int error; /* errno */
    bool here; /* this host says so, no router */
    size_t limit;
    const struct sim_packet *quote;
};

/* What a side runs. A function that is NULL does nothing. */
struct sim_stack {
    bool ours;
    /* Makes what is made once for all runs, before the clock begins. */
    void (*prepare)(enum ossl_side side, const struct sim_config *c);
    void (*begin)(struct sim_side *e);
    /* The client's first flight. */
    void (*connect)(struct sim_side *e);
    /* A datagram arrives; `more`: another one arrives before the side looks. */
    void (*input)(struct sim_side *e, const uint8_t *data, size_t len, bool more);
    void (*timer)(struct sim_side *e);
    /* Microseconds until the next timer; false: no timer runs. */
    bool (*wait)(struct sim_side *e, uint64_t *us);
    /* The socket accepts datagrams again. */
    void (*go_on)(struct sim_side *e);
    void (*report)(struct sim_side *e, const struct sim_report *r);
    /* The program tries to send at a time when only errors can come of it. */
    void (*send_in_vain)(struct sim_side *e);
    void (*send)(struct sim_side *e, const uint8_t *data, size_t len);
    /* The same in a datagram of `size` bytes. */
    void (*send_padded)(struct sim_side *e, const uint8_t *data, size_t len, size_t size);
    void (*close)(struct sim_side *e);
    /* The run is over: drops what outlives a side. */
    void (*forget)(struct sim_side *e);
    void (*end)(struct sim_side *e);
};

struct sim_config {
    const struct sim_stack *stack[2];
    enum pair_kind kind;
    bool cookie;    /* stock: the server asks for one; ours: it does not, */
    bool listen;    /* stock: in DTLSv1_listen() */
    bool ipv6;      /* the path, for ours */
    size_t mtu;     /* 0: the sides find it out, below SIM_ROUTE */
    unsigned odd;   /* ours at both ends: enum ours_odd */
    unsigned suite; /* ours: below OURS_SUITES */
    unsigned timer_ms;
    bool deployed;      /* stock at both ends: */
    uint32_t habits[2]; /* openssl/habits.h */
};

struct sim_side {
    struct sim *sim;
    enum ossl_side id;
    const struct sim_stack *stack;
    bool ready, over; /* its handshake is complete; its association has ended */
    bool strict;      /* whatever the witness finds wrong is a finding */
    bool asked_to_close;
    unsigned failing;           /* this many of its next sends fail, */
    int with;                   /* with this errno */
    size_t received;            /* bytes */
    struct witness witness;     /* what it sent */
    struct agree agree;         /* what OpenSSL reads, and what our parsers read */
    unsigned messages;          /* of data it sent: each once, and no two alike */
    bool arrived[SIM_MESSAGES]; /* of the other side */
    unsigned timeouts;
    struct sim_packet *queue[SIM_QUEUE]; /* on their way to it, the oldest first */
    unsigned queued;
    struct sim_packet *history[SIM_HISTORY]; /* what it sent last; a ring */
    unsigned remembered;

    struct sd_session *session; /* ours; a server has none before a good cookie */

    SSL *ssl;                       /* stock; the others as well: */
    bool listening;                 /* no hello was accepted yet */
    uint32_t asked;                 /* habits: which questions */
    struct ossl_bio bio;            /* its socket */
    struct sim_packet *inbox;       /* arrived, not read yet */
    SSL_SESSION *had[SIM_SESSIONS]; /* the last sessions; a ring */
    unsigned sessions;
};

struct sim {
    bool scarce; /* an allocation was made to fail */
    struct sim_config config;
    struct sim_side side[2];
    SSL_SESSION *session; /* stock: of an earlier association of the client */
};

sd_time sim_now(void);

/* Afterwards the client has sent its first flight. */
void sim_begin(struct sim *s, const struct sim_config *c);
/* Both sides end and begin again with the configuration as it is now. */
void sim_restart(struct sim *s);
void sim_end(struct sim *s);

struct sim_packet *sim_packet(const void *data, size_t len);
/* Queues a datagram on its way to `to`; it is lost when the queue is full. */
void sim_put(struct sim *s, int to, const void *data, size_t len);
/* Takes one out of the queue; the caller frees it, fuzz_heap_free(). NULL: no such datagram. */
struct sim_packet *sim_take(struct sim *s, int to, unsigned index);
/* It arrives; `more`: another one arrives before the side looks. */
void sim_arrive(struct sim *s, int to, const uint8_t *data, size_t len, bool more);
/* `count` datagrams arrive together, the oldest first; false: the queue was empty. */
bool sim_deliver(struct sim *s, int to, unsigned count);

/* Moves the clock; timers that are due fire. */
void sim_later(struct sim *s, uint64_t us);
/* To the next timer of that side; false: it has none. */
bool sim_timeout(struct sim *s, int id);
/* The socket of that side accepts datagrams again. */
void sim_go_on(struct sim *s, int id);
void sim_report(struct sim *s, int id, const struct sim_report *r);
/* One message of data, padded to `len`. */
void sim_send(struct sim *s, int id, size_t len);
/* The same in a datagram of `size` bytes; only a stack of ours can. */
void sim_send_padded(struct sim *s, int id, size_t len, size_t size);
void sim_close(struct sim *s, int id);

/* Both handshakes are complete, and neither association has ended. */
bool sim_alive(const struct sim *s);

/* For stacks: a datagram leaves (0, or a negative errno), and data has arrived. */
int sim_transmit(struct sim_side *from, const void *data, size_t len);
void sim_got(struct sim_side *to, const uint8_t *data, size_t len);

#endif
