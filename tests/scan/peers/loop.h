/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SCAN_PEERS_LOOP_H
#define TESTS_SCAN_PEERS_LOOP_H

/* The least that a deployed server does around its DTLS library: many clients on one socket, told
 * apart by address, with retransmission timers and a deadline for handshakes. A client that has
 * only been sent a request for its cookie is forgotten at once. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan_options {
    const char *cert, *key; /* PEM; NULL without a certificate */
    const char *ca;         /* asks for a client certificate, which this must have signed */
    uint8_t psk[64];
    size_t psk_len;
    bool no_cookie;
    bool no_tickets;
    bool cid;
    bool v13, only13; /* where the library has it */
};

struct scan_client {
    struct sockaddr_in address;
    void *state;       /* the engine's; NULL: this place is free */
    const uint8_t *in; /* one datagram, read once */
    size_t in_len;
    int64_t heard_ms;
    bool ready;
};

struct scan_engine {
    bool (*init)(const struct scan_options *o);
    void *(*open)(struct scan_client *c);
    /* Goes on with the handshake, or reads messages and sends them back. False: it has ended. */
    bool (*step)(struct scan_client *c);
    /* Time passes: retransmits what is due. False: it has given up. */
    bool (*tick)(struct scan_client *c);
    void (*close)(struct scan_client *c);
};

/* For engines: takes the datagram that waits (0: none waits), sends one. */
size_t scan_take(struct scan_client *c, void *out, size_t size);
void scan_send(const struct scan_client *c, const void *data, size_t len);

/* -c CERT -k KEY -a CA -p PSK-HEX -C (no cookie) -T (no tickets) -I (connection IDs)
 * -3 (DTLS 1.3 as well) -4 (DTLS 1.3 only). Prints "port N"; ends at SIGTERM with the number of
 * clients that it still holds. */
int scan_serve(int argc, char **argv, const struct scan_engine *e);

#endif
