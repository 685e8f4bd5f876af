/* A client and a server of stock OpenSSL over datagrams in memory, with a clock of their own:
 * nothing waits, nothing depends on the machine. */
#ifndef REGRESS_LAB_H
#define REGRESS_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum { CLIENT, SERVER };

struct dgram {
    struct dgram *next;
    size_t len;
    uint8_t data[];
};

/* What is wrong with the bench on purpose: the experiments must notice. */
enum lab_fault {
    LAB_SOUND,
    LAB_DEAF,  /* no datagram arrives */
    LAB_FROZEN /* the clock stands still */
};

/* Why lab_new() gives none. */
#define LAB_REFUSED "OpenSSL refuses the setup"

struct lab;

struct end {
    struct lab *lab;
    int id;
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *bio;
    struct dgram *in; /* what it has not read yet */
    size_t sent;      /* datagrams */
    size_t too_long;  /* writes above this fail with EMSGSIZE; 0: none do */
    bool limited;     /* it takes `room` more datagrams, then writes say EAGAIN */
    size_t room;
    int read_error; /* errno of the next read; 0: none */
    bool peeks;     /* reads leave the datagram where it is */
    bool exceeded;  /* the last write was too long */
    bool done;      /* its handshake is complete */
};

struct lab {
    struct end end[2];
    BIO_METHOD *method;
    long mtu; /* what the BIO answers to QUERY_MTU */
    /* Sees each datagram before it is queued for `to`. */
    void (*before)(struct lab *lab, int to, const uint8_t *data, size_t len);
    bool forged;    /* for `before`: it has acted, */
    size_t longest; /* what it has seen */
};

struct lab_setup {
    const char *ciphers;
    long mtu;
    size_t padding; /* bytes of comment in the certificate */
    int version;    /* the only one; 0: up to DTLS 1.2 */
    bool rsa;       /* else ECDSA with P-256 */
};

/* NULL when OpenSSL refuses the setup. */
struct lab *lab_new(const struct lab_setup *setup);
void lab_free(struct lab *lab);
/* The server asks for cookies, and takes any of 16 bytes. */
void lab_use_cookies(struct lab *lab);
/* A record that somebody on the path, or off it, makes up. */
bool lab_inject(struct lab *lab, int to, uint8_t type, uint16_t epoch, uint64_t seq,
                const void *body, size_t len);
bool lab_put(struct lab *lab, int to, const void *data, size_t len);
/* Takes the oldest unread datagram; the caller frees it. */
struct dgram *lab_take(struct lab *lab, int to);
void lab_drop_all(struct lab *lab, int to);
size_t lab_count(const struct lab *lab, int to);
size_t lab_largest(const struct lab *lab, int to);
/* One SSL_do_handshake(). */
int lab_step(struct lab *lab, int id);
/* Until both are done, without any timer. */
bool lab_handshake(struct lab *lab);
/* The same, with time for some retransmissions. */
bool lab_handshake_slowly(struct lab *lab);
/* Four bytes each way. */
bool lab_data(struct lab *lab);
void lab_later(long ms);

/* For this process from now on. */
void lab_break(enum lab_fault fault);
/* A handshake whose first datagram is lost completes after a timeout: without that, no experiment
 * says anything. */
bool lab_works(void);

#endif
