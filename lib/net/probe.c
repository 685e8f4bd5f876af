/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "net/internal.h"

enum { PATIENCE_MS = 200 }; /* only spent when a datagram is lost on loopback */

/* The cast: two listeners on one port, the connected socket of `known`, and two
 * senders. */
enum { LISTENER, CLIENT, LATE, KNOWN, UNKNOWN, SOCKETS };

static int open_bound(int family, bool reuseport, const struct sd_addr *at)
{
    const struct sd_socket_options o = {.family = family, .reuseport = reuseport};
    int fd = sd_socket_open(&o);
    int rc = fd < 0 ? fd : sd_socket_bind(fd, at);
    if (rc < 0 && fd >= 0)
        close(fd);
    return rc < 0 ? rc : fd;
}

/* 0, or -errno: without a loopback nothing can be said about the kernel. */
static int open_senders(int family, int fd[SOCKETS], struct sd_addr *port, struct sd_addr *known)
{
    struct sd_addr loopback = sd_addr_any(family, 0), other;
    if (family == AF_INET)
        loopback.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        loopback.in6.sin6_addr = in6addr_loopback;
    /* The listener is bound alone, for a port that nobody else has. */
    const int first[] = {KNOWN, UNKNOWN, LISTENER};
    for (int i = 0; i < 3; i++)
        if ((fd[first[i]] = open_bound(family, false, &loopback)) < 0)
            return fd[first[i]];
    int rc = sd_socket_local(fd[KNOWN], known);
    if (!rc)
        rc = sd_socket_local(fd[UNKNOWN], &other);
    if (!rc)
        rc = sd_socket_send(fd[KNOWN], "", 1, &other, NULL);
    return rc ? rc : sd_socket_local(fd[LISTENER], port);
}

static bool open_receivers(int family, int fd[SOCKETS], const struct sd_addr *port,
                           const struct sd_addr *known)
{
    const struct sd_socket_options o = {.family = family, .reuseport = true};
    if (sd_socket_set(fd[LISTENER], &o))
        return false;
    fd[CLIENT] = open_bound(family, true, port);
    if (fd[CLIENT] < 0 || sd_socket_connect(fd[CLIENT], known))
        return false;
    fd[LATE] = open_bound(family, true, port);
    return fd[LATE] >= 0;
}

/* Which of the three gets a datagram from this sender; -1 = none. */
static int receiver_of(int fd[SOCKETS], int sender, const struct sd_addr *port)
{
    struct pollfd p[KNOWN];
    char byte = 0;
    for (int i = LISTENER; i < KNOWN; i++)
        p[i] = (struct pollfd){.fd = fd[i], .events = POLLIN};
    if (sd_socket_send(fd[sender], &byte, 1, port, NULL) || poll(p, KNOWN, PATIENCE_MS) <= 0)
        return -1;
    for (int i = LISTENER; i < KNOWN; i++)
        if (p[i].revents & POLLIN)
            return recv(fd[i], &byte, 1, MSG_DONTWAIT) == 1 ? i : -1;
    return -1;
}

bool sd_probe_connected(int family)
{
    int fd[SOCKETS] = {-1, -1, -1, -1, -1};
    struct sd_addr port, known;
    bool works = true;
    if (!open_senders(family, fd, &port, &known)) {
        works =
            open_receivers(family, fd, &port, &known) && receiver_of(fd, KNOWN, &port) == CLIENT;
        int other = works ? receiver_of(fd, UNKNOWN, &port) : -1;
        works = works && (other == LISTENER || other == LATE);
    }
    for (int i = 0; i < SOCKETS; i++)
        if (fd[i] >= 0)
            close(fd[i]);
    return works;
}
