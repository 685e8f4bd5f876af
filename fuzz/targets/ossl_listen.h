/* SPDX-License-Identifier: MIT */
/* The operations of fuzz_ossl_listen, and the functions that run them, also while seeds are
 * recorded. */
#ifndef FUZZ_OSSL_LISTEN_H
#define FUZZ_OSSL_LISTEN_H

#include "openssl/ossl_contexts.h"
#include "openssl/ossl_cookie.h"
#include "openssl/ossl_env.h"
#include "openssl/ossl_queue.h"

enum code {
    CODE_DATAGRAM, /* bits 0 and 1 the peer; bit 7: not read yet */
    CODE_TICK,     /* arg * 100 ms; from 128 on arg - 127 s */
    CODE_WRITE,    /* bits 0 and 1 how, 2 and 3 which write from now on fails; bit 4: flush fails */
    CODE_READ,     /* the next read fails: bits 0 and 1 how; bit 2: the BIO forgets the address */
    CODE_NEW,      /* it listens again; bit 0: with the SSL it has; bits 1 and 2: enum kind */
    CODE_STEP,     /* only another call */
    CODE_SEND,     /* data to the peer, once connected; bit 0: close_notify, bit 1: renegotiate */
    CODE_NO_MEMORY, /* the arg-th allocation fails in the next call that listens */
    CODE_CONFIG,    /* first operation, see below; data: MTU (2), enum more */
    CODES
};

enum kind { KIND_USUAL, KIND_NO_BIO, KIND_ONE_VERSION, KIND_TLS };

enum config {
    CONFIG_COOKIE = 3, /* of 20, 16, 32, 255 bytes */
    CONFIG_CLIENT_CERT = 4,
    CONFIG_MTU = 8,
    CONFIG_NO_TICKET = 16,
    CONFIG_CALLBACK = 32, /* messages and states are watched */
    CONFIG_SERVER_ORDER = 64,
    CONFIG_NO_COOKIES = 128 /* no callbacks: listening must fail */
};

enum more {
    MORE_TIMER = 1, /* a callback sets the timer */
    MORE_LINK_MTU = 2,
    MORE_SMALL_FRAGMENTS = 4,
    MORE_QUESTIONS = 8, /* asks for MTU and timeouts */
    MORE_NO_QUERY = 16
};

/* One run, operation by operation. What the server sends goes to `sent`, too. */
void ossl_listen_begin(const struct fuzz_op *config, struct ossl_queue *sent);
void ossl_listen_apply(const struct fuzz_op *op);
void ossl_listen_end(void);

#endif
