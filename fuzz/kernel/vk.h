/* A virtual kernel: UDP sockets, epoll, timerfd, clock and randomness in memory, behind the calls
 * that lib/net and lib/endpoint make, which are wrapped at link time.
 *
 * Datagrams find their socket as on Linux: the connected one, else one that is bound to the
 * address, else one bound to the port; among equals (SO_REUSEPORT) the sender decides. */
#ifndef FUZZ_VK_H
#define FUZZ_VK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/cursor.h"

enum {
    VK_FD_FIRST = 1 << 21, /* of ours; any other fd is the real kernel's */
    VK_FILES = 128,
    VK_QUEUE = 32,    /* datagrams a socket keeps */
    VK_PACKETS = 256, /* all sockets together */
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
    VK_RECV,  /* odd: nothing is read, and no error said */
    VK_EPOLL, /* epoll_create1(), epoll_ctl(), timerfd_create() */
    VK_OPTION,
    VK_NAME, /* odd: an address of no family */
    VK_WAIT, /* epoll_wait(); poll(), odd: it is ready for something else */
    VK_ASK,  /* getsockopt(); odd: 1, whatever is asked */
    VK_TIMER,
    VK_REPORT,  /* the error queue */
    VK_PROCESS, /* fcntl() */
    VK_RANDOM,
    VK_RESOLVE, /* odd: there is no such name */
    VK_CALLS
};

/* Nothing is open, it is a second past 1000, and nothing fails. */
void vk_reset(void);
unsigned vk_open(void);
/* A socket as a service manager hands it over, perhaps not bound (port 0); with IP_TOS, when not 0.
 * -1 when there is none. */
int vk_adopted(const struct sd_addr *a, int tos);
void vk_close(int fd);
/* Datagrams that nobody has read. */
unsigned vk_queued(void);
sd_time vk_now(void);
void vk_pass(sd_time time);
/* Of arg: bits 0 to 2 a call, 3 and 4 how many of them until then, 5 to 7 an errno. Of what
 * follows: bit 0 another eight calls, bit 1 other errnos (the first one: an odd answer), the rest
 * how many more of them fail. */
void vk_fault(uint8_t arg, struct sd_span follows);
/* Nothing fails any more. */
void vk_mend(void);
/* No random numbers until it is called with false. */
void vk_no_random(bool none);
/* Connected sockets are like any other, as in some sandboxes. */
void vk_connects_in_vain(void);
/* Sends that go to nobody here come to this function. */
void vk_on_send(void (*fn)(void *arg, const struct sd_addr *from, const struct sd_addr *to,
                           struct sd_span data),
                void *arg);

enum vk_trait {
    VK_PLAIN,
    VK_HUGE = 1,     /* larger than any buffer */
    VK_PIECES = 2,   /* came in IP fragments */
    VK_NEWEST = 4,   /* among equal sockets the one bound last, as in the moment before connect() */
    VK_EARLY = 8,    /* came before IP_PKTINFO was set: the source to answer from is not said */
    VK_SILENT = 16,  /* nothing is said of where it came to */
    VK_NAMELESS = 32 /* nor of where it came from, but things that nobody asked for */
};

/* A datagram from the network; false when no socket takes it, or its queue is full. */
bool vk_deliver(const struct sd_addr *from, const struct sd_addr *to, struct sd_span data,
                unsigned traits);

enum vk_icmp_trait {
    VK_ICMP_HERE = 1,     /* no ICMP: this host refused */
    VK_ICMP_NAMELESS = 2, /* of an unknown router */
    VK_ICMP_CROWDED = 4,  /* with more control data than was asked for */
    VK_ICMP_LONG = 8,     /* of a later kernel: the report has more members */
    VK_ICMP_EMPTY = 16    /* there is something to read, which is no error */
};

/* An ICMP error about a datagram from `local` to `remote`; told: which error, MTU (2), traits; the
 * datagram quoted begins with the same bytes. */
bool vk_icmp(const struct sd_addr *local, const struct sd_addr *remote, struct sd_span told);

#endif
