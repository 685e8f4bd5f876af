/* A real client and a real server of OpenSSL, ours or stock, and the network between them:
 * datagrams wait until the target lets them arrive. Clock and randomness are its own. */
#ifndef FUZZ_SIM_H
#define FUZZ_SIM_H

#include <openssl/ssl.h>

#include "peers/agree.h"
#include "gate/gate.h"
#include "session/session.h"
#include "peers/witness.h"

enum { SIM_CLIENT, SIM_SERVER };
enum {
    SIM_ROUTE = 1452,
    SIM_NARROW_ROUTE = 200,
    SIM_QUEUE = 48,
    SIM_HISTORY = 16,
    SIM_DATAGRAM = 4096,
    SIM_MESSAGES = 64,
    SIM_SESSIONS = 8
};

/* How the two know each other. */
enum sim_kind {
    SIM_CERT,
    SIM_MUTUAL, /* the server asks for a certificate */
    SIM_PSK,
    SIM_OLD,  /* DTLS 1.0 */
    SIM_OURS, /* so many of them with a session of ours */
    /* With two of stock OpenSSL. */
    SIM_ETM = SIM_OURS, /* CBC with encrypt-then-MAC */
    SIM_RSA,            /* the client sends the secret encrypted */
    SIM_DHE,
    SIM_ANONYMOUS,
    SIM_PSK_DHE,
    SIM_PSK_RSA,
    SIM_EXTENSIONS, /* ALPN, SRTP, a stapled response, short fragments, a client's RSA certificate
                     */
    SIM_RESUMED,    /* of a session made before */
    SIM_ED25519,
    SIM_RSA_PSS, /* keys that sign so only */
    SIM_DSA,
    SIM_PSK_ECDHE,
    SIM_OLD_MUTUAL, /* DTLS 1.0 */
    SIM_ANY,        /* whatever there is */
    SIM_KINDS
};

/* What a program may do to sessions of ours; then less is promised. */
enum sim_odd {
    SIM_STRICT = 1,  /* neither trusts the other's certificate, and a client needs one */
    SIM_WAITING = 2, /* callbacks of the program put off their answer once */
    SIM_RAW = 4,     /* without the guard: SDTLS_F_RAW */
    SIM_NARROW = 8,  /* the route carries next to nothing */
    SIM_ODD = 16,
    SIM_SUITES = 5
};

struct sim_config {
    bool ours[2]; /* our session with its guard, else stock OpenSSL over a plain BIO */
    enum sim_kind kind;
    bool cookie;    /* a stock server asks for one, and ours does not, */
    bool listen;    /* in DTLSv1_listen() */
    bool ipv6;      /* the path, for ours */
    size_t mtu;     /* 0: it is found out, below SIM_ROUTE */
    unsigned odd;   /* of ours at both ends: enum sim_odd */
    unsigned suite; /* of ours: 0 that of the kind, see SIM_SUITES */
    unsigned timer_ms;
    bool deployed;      /* of stock at both ends: */
    uint32_t habits[2]; /* simhabits.h */
};

struct sim_packet {
    size_t len;
    uint8_t data[];
};

struct sim;

struct sim_side {
    struct sim *sim;
    int id;
    bool ours;
    struct sd_session *session; /* ours; a server has none before a good cookie */
    SSL *ssl;                   /* stock */
    bool listening;             /* stock: no hello was taken yet */
    bool ready, over;           /* its handshake is complete; it has ended */
    bool asked_to_close;
    uint32_t asked;             /* habits: which questions */
    unsigned failing;           /* so many of its next sends fail, */
    int with;                   /* with this errno */
    int refused;                /* of its last send; stock */
    size_t received;            /* bytes */
    struct witness witness;     /* what it sent */
    struct agree agree;         /* what OpenSSL makes of it, and we */
    unsigned messages;          /* of data it sent: each once, and each another one */
    bool arrived[SIM_MESSAGES]; /* of the other side */
    unsigned timeouts;
    /* On their way to it, the oldest first. */
    struct sim_packet *queue[SIM_QUEUE];
    unsigned queued;
    struct sim_packet *history[SIM_HISTORY]; /* what it sent last; a ring */
    unsigned remembered;
    struct sim_packet *inbox;       /* stock: arrived, not read yet */
    SSL_SESSION *had[SIM_SESSIONS]; /* stock: the last sessions; a ring */
    unsigned sessions;
};

struct sim {
    bool scarce; /* memory was, once */
    struct sim_config config;
    struct sim_side side[2];
    SSL_SESSION *session; /* of an earlier association of the client */
    struct sd_gate gate;
    uint64_t counters[SD_GUARD_COUNTER_COUNT];
    struct sd_err err;
};

/* The client has sent its first flight. */
void sim_begin(struct sim *s, const struct sim_config *c);
void sim_end(struct sim *s);

/* Puts a datagram behind the others on their way to `to`, or none when there are too many. */
void sim_put(struct sim *s, int to, const void *data, size_t len);
/* Takes one out of the queue; the caller frees it, fuzz_heap_free(). NULL: there is none such. */
struct sim_packet *sim_take(struct sim *s, int to, unsigned index);
/* It arrives; `more`: another one will have arrived before anybody looks. */
void sim_arrive(struct sim *s, int to, const uint8_t *data, size_t len, bool more);
/* So many arrive together, the oldest first; false: there was none. */
bool sim_deliver(struct sim *s, int to, unsigned count);

/* Moves the clock; timers that are due fire. */
void sim_later(struct sim *s, uint64_t us);
/* To the next timer of that side; false: it has none. */
bool sim_timeout(struct sim *s, int id);
/* One message of data, padded to `len`. */
void sim_send(struct sim *s, int id, size_t len);
/* The same in a datagram of `size`, ours only. */
void sim_send_padded(struct sim *s, int id, size_t len, size_t size);
void sim_close(struct sim *s, int id);
/* With the keys it has, or with new ones. */
void sim_renegotiate(struct sim *s, int id, bool abbreviated);
/* Stock at both ends: they forget each other and begin anew, the client with its session if it is
 * to `resume` it, and with other habits where there is a bit. */
void sim_again(struct sim *s, bool resume, uint32_t otherwise);

/* The n-th allocation of OpenSSL from now on fails. With a cache of sessions it does not: OpenSSL
 * then keeps one in the cache that it has freed, see docs/fuzzing.md. */
void sim_scarce(struct sim *s, unsigned n);

/* Both are through with the handshake, and none has ended. */
bool sim_alive(const struct sim *s);

/* simcontext.c */
sd_time sim_now(void);
struct sd_tls *sim_tls(int id, const struct sim_config *c);
/* `deployed`: one that habits are set on. */
SSL_CTX *sim_stock(int id, enum sim_kind kind, bool deployed);
/* SIM_RESUMED: the client's session, to be freed. */
SSL_SESSION *sim_session(void);

/* simstock.c: a side of stock OpenSSL. */
void sim_stock_begin(struct sim_side *e);
void sim_stock_input(struct sim_side *e, const uint8_t *data, size_t len);
void sim_stock_timer(struct sim_side *e);
void sim_stock_go_on(struct sim_side *e);
void sim_stock_free(SSL *ssl);
/* Of a side with that session no other handshake begins. */
bool sim_stock_is_short(const SSL_SESSION *session);

/* For the sides: what they say on the way out, and what they got. */
int sim_transmit(struct sim_side *from, const void *data, size_t len);
void sim_got(struct sim_side *to, const uint8_t *data, size_t len);

#endif
