/* SPDX-License-Identifier: MIT */
/* The socket calls of the demultiplexer: options in the order that facts of
 * the kernel demand, local addresses of datagrams, the route's MTU. */
#ifndef SD_NET_SOCKET_H
#define SD_NET_SOCKET_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

struct sd_socket_options {
    int family;
    int rcvbuf;     /* bytes */
    bool reuseport; /* listeners and the sockets of their peers */
    bool reports;   /* connected sockets: keep the errors of the network, see errqueue.h */
    bool pktinfo;   /* listeners: report the local address of each datagram */
    bool dual;      /* IPv6 that also serves mapped IPv4: only adopted sockets */
    bool freebind;  /* may use local addresses that no interface has */
    int tos;        /* IP_TOS or IPV6_TCLASS */
    char interface[IFNAMSIZ]; /* SO_BINDTODEVICE, or "" */
};

/* A non-blocking UDP socket with its options set, not bound; or -errno. */
int sd_socket_open(const struct sd_socket_options *o);
/* Sets those options that may be set on a socket that is bound already. */
int sd_socket_set(int fd, const struct sd_socket_options *o);
int sd_socket_bind(int fd, const struct sd_addr *a);
int sd_socket_connect(int fd, const struct sd_addr *a);
int sd_socket_local(int fd, struct sd_addr *a);
int sd_socket_remote(int fd, struct sd_addr *a);
/* Reads the options of a socket that was not made here. */
int sd_socket_inspect(int fd, struct sd_socket_options *o, struct sd_addr *local);
/* Sends to `to` from the local address `from`; both NULL on a connected socket. */
int sd_socket_send(int fd, const void *data, size_t len, const struct sd_addr *to,
                   const struct sd_addr *from);
/* How many datagrams the kernel dropped since the socket was made: the queue was full, or the
 * checksum wrong (Linux counts both together: a forged datagram is enough, measured on 6.18);
 * false when the kernel does not say. */
bool sd_socket_dropped(int fd, uint32_t *count);
/* The same; *empty: neither a datagram nor the report of an error is in its queue. */
bool sd_socket_state(int fd, uint32_t *dropped, bool *empty);
/* Nothing to read; an error that is pending does not say that. */
bool sd_socket_empty(int fd);
/* A datagram probably waits to be read. It takes no pending error off the socket. */
bool sd_socket_waits(int fd);
/* Bytes of IP and UDP header of a datagram to this address. */
size_t sd_socket_headers(const struct sd_addr *to);
/* UDP payload that the route of a connected socket carries; 0 = unknown. */
size_t sd_socket_route_payload(int fd);
/* The same when the caller knows the peer. */
size_t sd_socket_payload_to(int fd, const struct sd_addr *remote);

#endif
