/* Sockets on the path to be measured: DF set, what the kernel remembers of the path
 * ignored, errors of the network read from the error queue. */
#ifndef MTU_PATH_H
#define MTU_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "dtls_mtu/hello.h"
#include "net/errqueue.h"

/* Sockets kept when each probe has one: answers may come late. */
enum { PATH_SOCKETS = 16, PATH_DATAGRAM = 65536 };

enum heard_kind {
    HEARD_NOTHING, /* the time is over */
    HEARD_ANSWER,
    HEARD_REPORT, /* of the network or of this host */
    HEARD_STOP    /* a signal */
};

struct heard {
    enum heard_kind kind;
    sd_time at;
    uint32_t id; /* of the probe it is about; `known` when that is certain */
    bool known;
    bool echoed; /* ANSWER: it repeats the record number of the probe */
    enum hello_answer answer;
    uint8_t alert;
    size_t size; /* ANSWER: UDP payload */
    struct sd_report report;
};

struct path {
    struct sd_addr to;
    const char *source;
    int signals; /* readable when it is time to end; -1 = none */
    bool ipv6;
    bool each; /* a socket for each probe: for servers that do not repeat its number */
    enum hello_pad pad;
    uint64_t base; /* record number of probe 0: random, so that nobody forges a report */
    struct {
        int fd;
        uint32_t id; /* of the last probe it sent */
    } sock[PATH_SOCKETS];
    unsigned open, next;
    unsigned probes;
    uint64_t bytes;
};

/* The first address of host and port. 0, or a value of getaddrinfo(). */
int path_resolve(struct sd_addr *to, const char *host, const char *port, int family);
/* 0 or -errno. */
int path_open(struct path *p, const struct sd_addr *to, const char *source, int signals);
void path_close(struct path *p);
/* Sends a probe of an IP packet of `packet` bytes (0 = a plain hello); ttl 0 = the usual.
 * 0 or -errno: -EMSGSIZE when this host refuses the size. */
int path_send(struct path *p, uint32_t id, unsigned packet, int ttl);
/* What comes next, until `until`. */
void path_hear(struct path *p, struct heard *h, sd_time until);
/* Largest IP packet that leaves this host on this path, whatever the kernel remembers. */
unsigned path_local_limit(const struct path *p);
/* What the kernel remembers or was told by the administrator; 0 = unknown. */
unsigned path_kernel_mtu(const struct path *p);
/* Ends what a server without cookies may have begun. */
void path_goodbye(struct path *p);
unsigned path_headers(const struct path *p);
/* An address without its port; returns buf. */
const char *path_host_text(const struct sd_addr *a, char buf[static SD_ADDR_TEXT]);

#endif
