/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

/* What all servers of the benchmarks have in common: options, a first line with the port, a last
 * line with what was done. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server_options {
    const char *cert, *key; /* PEM */
    uint8_t psk[64];
    size_t psk_len;   /* then no certificate is used */
    unsigned echoes;  /* of each message; 0: it is only counted */
    bool own_sockets; /* a connected socket for each client */
    const char *psk_hex;
};

struct server_count {
    uint64_t handshakes, messages, bytes;
};

/* -c CERT -k KEY -p PSK -e ECHOES -o (own sockets); ends the program when they are wrong. Installs
 * the handler that server_ended() asks, for SIGTERM. */
struct server_options server_options(int argc, char **argv);
bool server_ended(void);

void server_say_port(unsigned short port);
void server_say_count(const struct server_count *n);

#endif
