/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve.h"

enum { BUCKETS = 1 << 18, DATAGRAM_MAX = 17000, EVENTS = 64 };

static struct {
    const struct engine *engine;
    struct server_options options;
    struct server_count count;
    struct peer *bucket[BUCKETS];
    int listener, epoll;
} server;

static struct peer **find(const struct sockaddr_in *a)
{
    uint32_t hash = (a->sin_addr.s_addr ^ (uint32_t)a->sin_port << 16) * 2654435769u;
    struct peer **p = &server.bucket[hash >> 14];
    while (*p && ((*p)->address.sin_addr.s_addr != a->sin_addr.s_addr ||
                  (*p)->address.sin_port != a->sin_port))
        p = &(*p)->next;
    return p;
}

void serve_send(const struct peer *p, const uint8_t *data, size_t len)
{
    if (p->fd != server.listener)
        send(p->fd, data, len, 0);
    else
        sendto(p->fd, data, len, 0, (const struct sockaddr *)&p->address, sizeof p->address);
}

void serve_ready(void)
{
    server.count.handshakes++;
}

void serve_message(struct peer *p, const uint8_t *data, size_t len)
{
    server.count.messages++;
    server.count.bytes += len;
    for (unsigned i = 0; i < server.options.echoes; i++)
        server.engine->write(p, data, len);
}

static int bind_socket(const struct sockaddr_in *at)
{
    int on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) &&
        !bind(fd, (const struct sockaddr *)at, sizeof *at))
        return fd;
    perror("socket");
    exit(1);
}

static void watch(int fd)
{
    if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd,
                  &(struct epoll_event){.events = EPOLLIN, .data.fd = fd})) {
        perror("epoll_ctl");
        exit(1);
    }
}

/* Of the datagrams that come in before connect(), read_from() sorts out those of others. */
static int connected_socket(const struct peer *p)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    getsockname(server.listener, (struct sockaddr *)&at, &len);
    int fd = bind_socket(&at);
    connect(fd, (const struct sockaddr *)&p->address, sizeof p->address);
    watch(fd);
    return fd;
}

static void drop(struct peer **link)
{
    struct peer *p = *link;
    *link = p->next;
    server.engine->close(p);
    if (p->fd != server.listener)
        close(p->fd);
    free(p);
}

static void admit(struct peer **link, const struct sockaddr_in *from, const uint8_t *data,
                  size_t len)
{
    struct peer maybe = {.address = *from, .fd = server.listener}, *p;
    if (!server.engine->open(&maybe, data, len))
        return;
    p = malloc(sizeof *p);
    if (!p)
        exit(1);
    *p = maybe;
    *link = p;
    if (server.options.own_sockets)
        p->fd = connected_socket(p);
    if (!server.engine->input(p, data, len))
        drop(link);
}

static void handle(const struct sockaddr_in *from, const uint8_t *data, size_t len)
{
    struct peer **link = find(from);
    if (!*link)
        admit(link, from, data, len);
    else if (!server.engine->input(*link, data, len))
        drop(link);
}

static bool read_from(int fd, int flags)
{
    static uint8_t data[DATAGRAM_MAX];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(fd, data, sizeof data, flags, (struct sockaddr *)&from, &size);
    if (n > 0)
        handle(&from, data, (size_t)n);
    return n > 0;
}

static void loop_with_sockets(void)
{
    struct epoll_event ev[EVENTS];
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(server.listener);
    while (!server_ended()) {
        int n = epoll_wait(server.epoll, ev, EVENTS, -1);
        for (int i = 0; i < n; i++)
            read_from(ev[i].data.fd, MSG_DONTWAIT);
    }
}

int serve(int argc, char **argv, const struct engine *e)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    server.engine = e;
    server.options = server_options(argc, argv);
    if (!e->init(&server.options)) {
        fprintf(stderr, "%s: the certificate, the key or an option is refused\n", argv[0]);
        return 1;
    }
    server.listener = bind_socket(&at);
    getsockname(server.listener, (struct sockaddr *)&at, &len);
    server_say_port(ntohs(at.sin_port));
    if (server.options.own_sockets)
        loop_with_sockets();
    while (!server_ended())
        read_from(server.listener, 0);
    server_say_count(&server.count);
    return 0;
}
