/* SPDX-License-Identifier: MIT */
/* A client and a server of stock OpenSSL that exchange datagrams in memory, with a clock of their
 * own: no check waits, and no result depends on the machine. */
#ifndef REGRESS_LAB_H
#define REGRESS_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

enum { CLIENT, SERVER };

/* Times of the lab's clock, in milliseconds. */
enum {
    LAB_SECOND = 1000,
    LAB_HOUR = 3600 * LAB_SECOND,
    LAB_FIRST_TIMEOUT = LAB_SECOND + 100,        /* later than OpenSSL's first timeout */
    LAB_LONGEST_TIMEOUT = 60 * LAB_SECOND,       /* OpenSSL doubles its timeout up to this */
    LAB_ANY_TIMEOUT = LAB_LONGEST_TIMEOUT + 1000 /* later than all of them */
};

enum { LAB_LONG_CERTIFICATE = 3000 }; /* a padding that makes the server's flight long */

struct regress_datagram {
    struct regress_datagram *next;
    size_t len;
    uint8_t data[];
};

/* What is broken in the lab on purpose: every check must notice. */
enum regress_lab_fault {
    LAB_SOUND,
    LAB_DEAF,  /* no datagram arrives */
    LAB_FROZEN /* the clock stands still */
};

/* Reasons why a check did not work. */
#define LAB_REFUSED "OpenSSL refuses the setup"
#define LAB_UNCONNECTED "no connection was established"

struct regress_lab;

struct regress_end {
    struct regress_lab *lab;
    int id;
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *bio;
    struct regress_datagram *in; /* datagrams it has not read yet */
    size_t sent;                 /* datagrams */
    size_t too_long;             /* longer writes fail with EMSGSIZE; 0: none do */
    bool limited;                /* it sends `room` more datagrams, then writes fail with EAGAIN */
    size_t room;
    int read_error; /* errno of the next read; 0: none */
    bool peeks;     /* reads leave the datagram in the queue */
    bool exceeded;  /* the last write was too long */
    bool done;      /* its handshake is complete */
};

struct regress_lab {
    struct regress_end end[2];
    BIO_METHOD *method;
    long mtu; /* what the BIO answers to BIO_CTRL_DGRAM_QUERY_MTU */
    /* Sees each datagram before it is queued for `to`; NULL: nobody does. */
    void (*before)(struct regress_lab *lab, int to, const uint8_t *data, size_t len);
    bool forged;    /* set by `before`: it has sent its forgery */
    size_t longest; /* set by `before`: the longest datagram it has seen */
};

struct regress_lab_setup {
    const char *ciphers;
    long mtu;
    size_t padding; /* bytes of comment in the certificate */
    int version;    /* the only one; 0: up to DTLS 1.2 */
    EVP_PKEY *key;  /* the server's; NULL: a new one, ECDSA with P-256 */
};

/* NULL when OpenSSL refuses the setup. The caller frees it. */
struct regress_lab *regress_lab_new(const struct regress_lab_setup *setup);
/* A new RSA key of 2048 bits: a large part of a second of CPU time. NULL: OpenSSL refuses. The
 * caller frees it. */
EVP_PKEY *regress_lab_rsa_key(void);
/* With an MTU of 1400 bytes and everything else by default. */
struct regress_lab *regress_lab_usual(void);
/* The same, after a handshake and four bytes of data each way; NULL when they fail. */
struct regress_lab *regress_lab_connected(void);
void regress_lab_free(struct regress_lab *lab);
/* The server asks for cookies, and accepts any cookie of 16 bytes. */
void regress_lab_use_cookies(struct regress_lab *lab);

/* Sends a DTLS 1.2 record made up by somebody on or off the path. */
bool regress_lab_inject(struct regress_lab *lab, int to, uint8_t type, uint16_t epoch, uint64_t seq,
                        const void *body, size_t len);
bool regress_lab_put(struct regress_lab *lab, int to, const void *data, size_t len);
/* Takes the oldest unread datagram; the caller frees it. NULL: there is none. */
struct regress_datagram *regress_lab_take(struct regress_lab *lab, int to);
void regress_lab_drop_all(struct regress_lab *lab, int to);
/* Unread datagrams. */
size_t regress_lab_count(const struct regress_lab *lab, int to);
/* Bytes of the largest unread datagram. */
size_t regress_lab_largest(const struct regress_lab *lab, int to);

/* One SSL_do_handshake(), and its result. */
int regress_lab_step(struct regress_lab *lab, int id);
/* `count` of them, in turns; the client is first. */
void regress_lab_turns(struct regress_lab *lab, int count);
/* Until both ends are done, without any timeout. False: they do not get there. */
bool regress_lab_handshake(struct regress_lab *lab);
/* The same, with time for some retransmissions. */
bool regress_lab_handshake_slowly(struct regress_lab *lab);
/* Sends four bytes each way. */
bool regress_lab_data(struct regress_lab *lab);
/* Moves the clock on; back when `ms` is negative. */
void regress_lab_later(long ms);

/* Breaks every lab of this process from now on. */
void regress_lab_break(enum regress_lab_fault fault);
/* True when a handshake whose first datagram is lost completes after a timeout. Without that, no
 * check says anything about OpenSSL. */
bool regress_lab_works(void);

#endif
