/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

/* The least that a server of many clients does around its DTLS library: one loop, one table of
 * addresses, one call for each datagram. floor_server, wolfssl_server and mbedtls_server are this
 * and an engine. */
#include <netinet/in.h>

#include "server.h"

struct peer {
    struct sockaddr_in address;
    struct peer *next; /* of the same bucket */
    int fd;            /* its own socket, or the listener */
    void *state;       /* the engine's */
};

struct engine {
    bool (*init)(const struct server_options *o);
    /* A datagram of an unknown address. False: answered or dropped, there is no client. True: the
     * same datagram is handed to input(). */
    bool (*open)(struct peer *p, const uint8_t *data, size_t len);
    /* The datagram of a client. False: the client has ended. */
    bool (*input)(struct peer *p, const uint8_t *data, size_t len);
    bool (*write)(struct peer *p, const uint8_t *data, size_t len);
    void (*close)(struct peer *p);
};

/* For engines: a datagram to the peer; a handshake came to its end; a message arrived. */
void serve_send(const struct peer *p, const uint8_t *data, size_t len);
void serve_ready(void);
void serve_message(struct peer *p, const uint8_t *data, size_t len);

int serve(int argc, char **argv, const struct engine *e);

#endif
