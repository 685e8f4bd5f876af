/* SPDX-License-Identifier: MIT */
#ifndef BENCH_CLIENTS_H
#define BENCH_CLIENTS_H

/* Any number of DTLS clients behind one socket: each has an address of its own out of 127.1.0.0
 * and up, which loopback carries without configuration. To the server they are hosts. */
#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

struct client {
    struct wire wire; /* first */
    SSL *ssl;
    unsigned number;
    bool ready;
    unsigned outstanding; /* messages that were not echoed yet */
};

struct clients {
    struct client *client;
    unsigned count;
    SSL_CTX *ctx;
    SSL_SESSION *session; /* offered by those made later, when not NULL */
    uint64_t sent, received;
};

/* What arrived at a client, or at an address without one (c is NULL). */
typedef void clients_on_datagram(void *arg, struct client *c, const uint8_t *data, size_t len);

/* Room for count clients that talk to 127.0.0.1:port. The process has one such set. */
void clients_init(struct clients *s, unsigned count, unsigned short port, const char *psk_hex);
/* Makes the SSL objects of those from `from` on, before any clock runs. */
void clients_prepare(struct clients *s, unsigned from, unsigned to);
/* Frees what client number n has, so that its place can be prepared again. */
void clients_drop(struct clients *s, unsigned n);

/* Sends a datagram as client number n, which need not be prepared. It goes out with the next
 * flush, at the latest when a batch is full. */
void clients_send(unsigned n, const uint8_t *data, size_t len);
void clients_flush(void);
/* Waits up to timeout_ms, hands out what arrived, and flushes. Returns the number of datagrams. */
unsigned clients_receive(struct clients *s, int timeout_ms, clients_on_datagram *f, void *arg);

/* A ClientHello without a cookie, as an SSL object of the context writes it. */
size_t clients_hello(struct clients *s, uint8_t *out, size_t size);

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

#endif
