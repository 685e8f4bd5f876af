/* SPDX-License-Identifier: MIT */
/* A virtual kernel in memory: UDP sockets, epoll, timerfd, clock and random numbers. The system
 * calls of lib/net and lib/endpoint are wrapped at link time and end here.
 *
 * A datagram finds its socket as on Linux: the connected one, else one that is bound to the
 * address, else one that is bound to the port. Among equals (SO_REUSEPORT) the sender decides. */
#ifndef FUZZ_VK_H
#define FUZZ_VK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/cursor.h"

enum {
    VK_FD_FIRST = 1 << 21, /* the first fd of this kernel; others belong to the real one */
    VK_FILES = 128,
    VK_QUEUE = 32,    /* datagrams a socket keeps */
    VK_PACKETS = 256, /* for all sockets together */
    VK_BYTES = 4096,  /* of a datagram */
    VK_ERRORS = 4,    /* in a socket's error queue */
    VK_QUOTE = 64
};

/* Calls that fail together. */
enum vk_call {
    VK_SOCKET,
    VK_BIND,
    VK_CONNECT,
    VK_SEND,
    VK_RECV,  /* odd: nothing is read, without an error */
    VK_EPOLL, /* epoll_create1(), epoll_ctl(), timerfd_create(), eventfd() */
    VK_OPTION,
    VK_NAME, /* odd: an address of no family */
    VK_WAIT, /* epoll_wait(); poll(), odd: it is ready for something else */
    VK_ASK,  /* getsockopt(); odd: the answer is always 1 */
    VK_TIMER,
    VK_REPORT,  /* the error queue */
    VK_PROCESS, /* fcntl() */
    VK_RANDOM,
    VK_RESOLVE, /* odd: the name does not exist */
    VK_CALLS
};

/* A name that no interface has. */
#define VK_NO_INTERFACE "gone"

/* Begins again: nothing is open, nothing fails, the clock is at 1001 s. */
void vk_reset(void);
unsigned vk_open(void);
/* A socket as a service manager hands it over; port 0: not bound. Sets IP_TOS if `tos` is not 0.
 * -1: no descriptor is free. */
int vk_adopted(const struct sd_addr *a, int tos);
void vk_close(int fd);
/* Number of datagrams that nobody has read yet. */
unsigned vk_queued(void);
sd_time vk_now(void);
void vk_pass(sd_time time);
/* Lets a call fail. `arg`: bits 0 to 2 the call, 3 and 4 how many of these calls still work, 5 to 7
 * the errno. `follows`, if not empty: bit 0 selects the other eight calls, bit 1 other errnos (the
 * first of them means an odd answer), the other bits how many more calls fail. */
void vk_fault(uint8_t arg, struct sd_span follows);
/* Nothing fails any more. */
void vk_mend(void);
/* getrandom() fails until this is called with false. */
void vk_no_random(bool none);
/* connect() has no effect on where datagrams go, as in some sandboxes. */
void vk_connects_in_vain(void);
/* A datagram that no socket here receives goes to this function. */
void vk_on_send(void (*fn)(void *arg, const struct sd_addr *from, const struct sd_addr *to,
                           struct sd_span data),
                void *arg);

enum vk_trait {
    VK_PLAIN,
    VK_HUGE = 1,     /* larger than any buffer */
    VK_PIECES = 2,   /* came in IP fragments */
    VK_NEWEST = 4,   /* goes to the equal socket that was bound last, as before connect() */
    VK_EARLY = 8,    /* came before IP_PKTINFO was set: no local address for the answer */
    VK_SILENT = 16,  /* without the local address */
    VK_NAMELESS = 32 /* without the sender, and with unrequested control data */
};

/* A datagram from the network; false: no socket fits, or its queue is full. */
bool vk_deliver(const struct sd_addr *from, const struct sd_addr *to, struct sd_span data,
                unsigned traits);

enum vk_icmp_trait {
    VK_ICMP_HERE = 1,     /* no ICMP: this host refused */
    VK_ICMP_NAMELESS = 2, /* from an unknown router */
    VK_ICMP_CROWDED = 4,  /* with control data that nobody asked for */
    VK_ICMP_LONG = 8,     /* from a later kernel: the report is longer */
    VK_ICMP_EMPTY = 16    /* there is an entry, but no error in it */
};

/* An ICMP error about a datagram from `local` to `remote`. `report`: which error, MTU (2 bytes),
 * traits; the same bytes are the beginning of the quoted datagram. */
bool vk_icmp(const struct sd_addr *local, const struct sd_addr *remote, struct sd_span report);

#endif
