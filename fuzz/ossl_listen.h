/* The operations of fuzz_ossl_listen, and what its seeds are made with. */
#ifndef FUZZ_OSSL_LISTEN_H
#define FUZZ_OSSL_LISTEN_H

#include "ossl_cookie.h"
#include "ossl_env.h"

enum code {
    CODE_DATAGRAM, /* bits 0 and 1 the peer; bit 7: no reading yet */
    CODE_TICK,     /* arg * 100 ms */
    CODE_WRITE,    /* a write fails: bits 0 and 1 how, 2 and 3 which from now on */
    CODE_READ,     /* the next read fails: bits 0 and 1 how */
    CODE_NEW,      /* it listens again; bit 0: with the SSL it has */
    CODE_STEP,     /* nothing new, only another call */
    CODE_SEND,     /* data to the peer, once connected; bit 0: close_notify, bit 1: begin anew */
    CODE_CONFIG,   /* first operation, see below; data: MTU (2) */
    CODES
};

enum config {
    CONFIG_COOKIE = 3, /* of 20, 16, 32, 255 bytes */
    CONFIG_CLIENT_CERT = 4,
    CONFIG_MTU = 8,
    CONFIG_NO_TICKET = 16,
    CONFIG_CALLBACK = 32, /* messages and states are watched */
    CONFIG_SERVER_ORDER = 64,
    CONFIG_NO_COOKIES = 128 /* no callbacks: listening must fail */
};

/* A datagram in memory on its way to somebody. */
enum { OSSL_DATAGRAM = 4096, OSSL_QUEUE = 16 };

struct ossl_queue {
    unsigned first, count;
    struct {
        unsigned from;
        size_t len;
        uint8_t bytes[OSSL_DATAGRAM];
    } datagram[OSSL_QUEUE];
};

/* False: it is full, the datagram is lost. */
bool ossl_queue_put(struct ossl_queue *q, unsigned from, const void *bytes, size_t len);
/* The oldest, at most `cap` bytes of it; false: there is none. */
bool ossl_queue_take(struct ossl_queue *q, unsigned *from, uint8_t *bytes, size_t cap, size_t *len);

/* One run, operation by operation. What the server sends goes to `sent`, too. */
void ossl_listen_begin(const struct fuzz_op *config, struct ossl_queue *sent);
void ossl_listen_apply(const struct fuzz_op *op);
void ossl_listen_end(void);

#endif
