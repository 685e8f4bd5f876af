/* SPDX-License-Identifier: MIT */
/* Sockets on the path to be measured: they set DF, ignore the path MTU that the kernel has cached,
 * and read the errors of the network from the error queue. */
#ifndef MTU_PATH_H
#define MTU_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "dtls_mtu/carrier.h"

/* Sockets kept when each probe has one: answers may come late. */
enum { MTU_PATH_SOCKETS = 16, MTU_PATH_DATAGRAM = 65536 };
/* Probes whose answers are recognised: the last ones. */
enum { MTU_PATH_PROBES = 1024 };

struct mtu_path {
    struct sd_addr to;
    const char *source;
    int signals; /* readable when it is time to stop; -1 = none */
    bool ipv6;
    bool each; /* a socket for each probe: for servers that do not repeat its number */
    enum mtu_hello_pad pad;
    uint64_t base; /* record number of probe 0: random, so that nobody forges a report */
    struct {
        int fd;
        uint32_t id; /* of the last probe it sent */
    } sock[MTU_PATH_SOCKETS];
    unsigned open, next;
    unsigned probes;               /* sent so far; the record number of the next is base + probes */
    uint32_t ids[MTU_PATH_PROBES]; /* of the last probes */
    uint64_t bytes;
};

/* 0 or -errno. */
int mtu_path_open(struct mtu_path *p, const struct sd_addr *to, const char *source, int signals);
void mtu_path_close(struct mtu_path *p);
/* Sends a probe in an IP packet of `packet` bytes (0 = a plain hello); ttl 0 = the default.
 * 0 or -errno: -EMSGSIZE when this host refuses the size. */
int mtu_path_send(struct mtu_path *p, uint32_t id, unsigned packet, int ttl);
/* What comes next, until `until`. */
void mtu_path_hear(struct mtu_path *p, struct mtu_heard *h, sd_time until);
/* Largest IP packet that leaves this host on this path, whatever the kernel has cached. */
unsigned mtu_path_local_limit(const struct mtu_path *p);
/* The path MTU that the kernel has cached or the administrator has set; 0 = unknown. */
unsigned mtu_path_kernel_mtu(const struct mtu_path *p);
/* Ends the handshakes that a server without cookies may have begun. */
void mtu_path_goodbye(struct mtu_path *p);
/* Bytes of IP and UDP header. */
unsigned mtu_path_headers(const struct mtu_path *p);

#endif
