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
    VK_FILES = 96,
    VK_QUEUE = 32,    /* datagrams a socket keeps */
    VK_PACKETS = 256, /* all sockets together */
    VK_BYTES = 4096,  /* of a datagram */
    VK_ERRORS = 4,    /* in a socket's error queue */
    VK_QUOTE = 64
};

enum vk_call {
    VK_SOCKET,
    VK_BIND,
    VK_CONNECT,
    VK_SEND,
    VK_RECV,
    VK_EPOLL,
    VK_OPTION,
    VK_NAME,
    VK_CALLS
};

/* Nothing is open, it is a second past 1000, and nothing fails. */
void vk_reset(void);
unsigned vk_open(void);
/* A bound socket, as a service manager hands it over; -1 when there is none. */
int vk_adopted(const struct sd_addr *a);
void vk_close(int fd);
/* Datagrams that nobody has read. */
unsigned vk_queued(void);
sd_time vk_now(void);
void vk_pass(sd_time time);
/* The n-th such call from now on fails with this errno, once. */
void vk_fail(enum vk_call call, unsigned n, int error);
/* Sends that go to nobody here come to this function. */
void vk_on_send(void (*fn)(void *arg, const struct sd_addr *from, const struct sd_addr *to,
                           struct sd_span data),
                void *arg);

enum vk_trait {
    VK_PLAIN,
    VK_HUGE = 1,   /* larger than any buffer */
    VK_PIECES = 2, /* came in IP fragments */
    VK_NEWEST = 4  /* among equal sockets the one bound last, as in the moment before connect() */
};

/* A datagram from the network; false when no socket takes it, or its queue is full. */
bool vk_deliver(const struct sd_addr *from, const struct sd_addr *to, struct sd_span data,
                unsigned traits);
/* An ICMP error about a datagram from `local` to `remote`; mtu 0 = none. */
bool vk_icmp(const struct sd_addr *local, const struct sd_addr *remote, int error, uint32_t mtu,
             struct sd_span quote);

#endif
