/* SPDX-License-Identifier: MIT */
/* The error queue of a connected UDP socket (IP_RECVERR): each ICMP error, and
 * each refusal of this host, with the datagram it is about. Reading it takes the
 * pending error off the socket too, so that no send or receive fails of it.
 * The kernel takes the memory of the reports from the socket's receive buffer. */
#ifndef SD_NET_ERRQUEUE_H
#define SD_NET_ERRQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* What Linux keeps of the quoted packet: an ICMP error quotes 576 bytes at most
 * (RFC 1812 section 4.3.2.3), an ICMPv6 error what fits 1280 (RFC 4443). */
enum { SD_QUOTE_MAX = 1280, SD_REPORTS = 16 };

struct sd_report {
    int error;           /* the errno that the kernel made of it */
    bool here;           /* this host refused to send; else ICMP, which anybody can forge */
    uint8_t type, code;  /* of the ICMP message */
    unsigned mtu;        /* IP packet bytes said to fit; 0 = not said */
    struct sd_addr from; /* who sent the ICMP message; family AF_UNSPEC when not known */
    size_t quoted;       /* bytes of our UDP payload in `quote` */
    uint8_t quote[SD_QUOTE_MAX];
};

/* Several, as one call reads them. */
struct sd_reports {
    unsigned at, count; /* the next one to look at; how many there are */
    struct sd_report list[SD_REPORTS];
};

/* Whether the kernel keeps errors for this socket of either family; 0 or -errno. Switching it
 * off drops those that are queued. Without reports a connected socket still has one pending
 * error at a time, of the kinds that end a TCP connection (port unreachable, too big). */
int sd_errqueue_keep(int fd, int family, bool keep);
/* The oldest error: 1; 0 when the queue is empty, or held something else; or -errno. */
int sd_errqueue_read(int fd, struct sd_report *r);
/* The oldest errors, all that fit; an entry that was something else has error 0. */
void sd_errqueue_drain(int fd, struct sd_reports *r);

#endif
