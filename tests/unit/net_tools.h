/* SPDX-License-Identifier: MIT */
/* What the tests of lib/net share: demuxes and plain sockets on loopback. */
#ifndef NET_TOOLS_H
#define NET_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/demux.h"

enum { DEADLINE_MS = 30000 };

static inline struct sd_addr addr_of(const char *ip, uint16_t port)
{
    struct sd_addr a = sd_addr_any(strchr(ip, ':') ? AF_INET6 : AF_INET, port);
    void *to = a.sa.sa_family == AF_INET6 ? (void *)&a.in6.sin6_addr : (void *)&a.in.sin_addr;
    assert_int_equal(inet_pton(a.sa.sa_family, ip, to), 1);
    return a;
}

static inline struct sd_demux *new_demux(const struct sd_demux_config *config)
{
    struct sd_demux *d = NULL;
    assert_int_equal(sd_demux_new(&d, config), 0);
    return d;
}

/* Listens on a port of the kernel's choice. */
static inline struct sd_addr listen_on(struct sd_demux *d, const char *ip)
{
    struct sd_addr a = addr_of(ip, 0);
    unsigned i = sd_demux_listeners(d);
    assert_int_equal(sd_demux_listen(d, &a), 0);
    return *sd_demux_local(d, i);
}

/* A plain UDP socket bound to this address. */
static inline int sender(const char *ip)
{
    struct sd_addr a = addr_of(ip, 0);
    int fd = socket(a.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, &a.sa, sd_addr_len(&a)), 0);
    return fd;
}

static inline void send_bytes(int fd, const struct sd_addr *to, const void *data, size_t len)
{
    assert_int_equal(sendto(fd, data, len, 0, &to->sa, sd_addr_len(to)), (ssize_t)len);
}

static inline void send_text(int fd, const struct sd_addr *to, const char *text)
{
    send_bytes(fd, to, text, strlen(text));
}

/* Receives one datagram within the deadline; returns who sent it. */
static inline struct sd_addr expect_text(int fd, const char *text)
{
    char buf[256];
    struct sd_addr from;
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
    ssize_t n = recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&ss, &len);
    assert_int_equal(n, (ssize_t)strlen(text));
    assert_memory_equal(buf, text, (size_t)n);
    assert_true(sd_addr_from(&from, (struct sockaddr *)&ss, len));
    return from;
}

/* The next datagram or error, within the deadline. */
static inline struct sd_received next_datagram(struct sd_demux *d)
{
    struct sd_received got;
    sd_time end = sd_clock_now() + DEADLINE_MS * SD_MS;
    int rc = 0;
    while (rc == 0 && sd_clock_now() < end)
        rc = sd_demux_next(d, &got, 100);
    assert_int_equal(rc, 1);
    return got;
}

static inline bool readable(struct sd_demux *d, int ms)
{
    struct pollfd p = {.fd = sd_demux_fd(d), .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

#endif
