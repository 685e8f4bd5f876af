/* SPDX-License-Identifier: MIT */
/* A crowd of clients that prove their address and then say no more.
 *
 *     crowd SERVER-IP SERVER-PORT [OPTION...]
 *
 * --first IP      address of the first host (127.9.0.1); the others follow it. In IPv6 each host
 *                 has a /64 of its own
 * --hosts N       how many hosts (1)
 * --rate N        cookie exchanges that begin each second, of all hosts together (300)
 * --count N       ends with the N-th (0: only with the time)
 * --seconds N     ends after this time (5)
 * --early N,BYTES each client goes on with N protected records of this size
 * --tell N        prints a line after the N-th exchange
 * --idle          waits for stdin to end before it closes its sockets
 * Prints how many exchanges there were, as one line of JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/random.h"

enum {
    OPEN = 16384,
    HELLO_MAX = 128,
    COOKIE = 20,
    VERIFY = 48,
    COOKIE_AT = 28,
    RECORD_MAX = 16384
};

struct client {
    int fd;
    uint8_t random[32];
};

struct crowd {
    struct sd_addr server, first;
    unsigned hosts, rate, count, seconds, tell, early, early_bytes;
    bool idle;
    int epoll;
    struct client ring[OPEN]; /* the oldest closes when another one needs its place */
    unsigned long begun, proven, unsent;
};

static void die(const char *what)
{
    fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* One that a server with a P-256 certificate answers: its curve is among the groups. */
static size_t build_hello(uint8_t out[static HELLO_MAX], const struct client *c,
                          struct sd_span cookie)
{
    static const uint8_t rest[] = {0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0,  0, 18, 0, 10, 0, 6,
                                   0, 4, 0,    0x1d, 0,    0x17, 0, 13, 0, 4,  0, 2,  4, 3};
    struct sd_wr w = sd_wr_init(out, HELLO_MAX);
    size_t body = 2 + sizeof c->random + 2 + cookie.len + sizeof rest, message = body + 12;
    sd_wr_u8(&w, 22);
    sd_wr_u16(&w, 0xfefd);
    sd_wr_u16(&w, 0);
    sd_wr_u48(&w, cookie.len != 0);
    sd_wr_u16(&w, (uint16_t)message);
    sd_wr_u8(&w, 1);
    sd_wr_u24(&w, (uint32_t)body);
    sd_wr_u16(&w, cookie.len != 0);
    sd_wr_u24(&w, 0);
    sd_wr_u24(&w, (uint32_t)body);
    sd_wr_u16(&w, 0xfefd);
    sd_wr_bytes(&w, c->random, sizeof c->random);
    sd_wr_u8(&w, 0);
    sd_wr_u8(&w, (uint8_t)cookie.len);
    sd_wr_bytes(&w, cookie.p, cookie.len);
    sd_wr_bytes(&w, rest, sizeof rest);
    return sd_wr_len(&w);
}

static void send_hello(struct crowd *k, const struct client *c, struct sd_span cookie)
{
    uint8_t hello[HELLO_MAX];
    size_t len = build_hello(hello, c, cookie);
    k->unsent += send(c->fd, hello, len, 0) != (ssize_t)len;
}

static void send_early(struct crowd *k, const struct client *c)
{
    static uint8_t record[13 + RECORD_MAX] = {23, 0xfe, 0xfd, 0, 1};
    for (unsigned i = 1; i <= k->early; i++) {
        struct sd_wr w = sd_wr_init(record + 5, 8);
        sd_wr_u48(&w, i);
        sd_wr_u16(&w, (uint16_t)k->early_bytes);
        k->unsent += send(c->fd, record, 13 + (size_t)k->early_bytes, 0) < 0;
    }
}

static struct sd_addr host_address(const struct crowd *k, unsigned i)
{
    struct sd_addr a = k->first;
    if (a.sa.sa_family == AF_INET6)
        for (int at = 7; i; i >>= 8)
            a.in6.sin6_addr.s6_addr[at--] += (uint8_t)i;
    else
        a.in.sin_addr.s_addr = htonl(ntohl(a.in.sin_addr.s_addr) + i);
    return a;
}

static void begin_client(struct crowd *k)
{
    struct client *c = &k->ring[k->begun % OPEN];
    struct sd_addr from = host_address(k, (unsigned)(k->begun % k->hosts));
    int one = 1;
    if (k->begun >= OPEN)
        close(c->fd);
    c->fd = socket(from.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof one);
    if (c->fd < 0 || bind(c->fd, &from.sa, sd_addr_len(&from)) ||
        connect(c->fd, &k->server.sa, sd_addr_len(&k->server)))
        die("socket");
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
    if (!sd_random(c->random, sizeof c->random) || epoll_ctl(k->epoll, EPOLL_CTL_ADD, c->fd, &ev))
        die("epoll");
    k->begun++;
    send_hello(k, c, (struct sd_span){0});
}

static void hear(struct crowd *k, struct client *c)
{
    uint8_t got[2048];
    ssize_t n = recv(c->fd, got, sizeof got, 0);
    if (n != VERIFY || got[13] != 3)
        return; /* the server's flight */
    if (++k->proven == k->tell) {
        printf("proven %u\n", k->tell);
        fflush(stdout);
    }
    send_hello(k, c, (struct sd_span){got + COOKIE_AT, COOKIE});
    send_early(k, c);
}

static void run_crowd(struct crowd *k)
{
    sd_time begin = sd_clock_now(), now;
    struct epoll_event ev[64];
    while ((now = sd_clock_now()) < begin + k->seconds * SD_SEC) {
        uint64_t due = (now - begin) * k->rate / SD_SEC + 1;
        while (k->begun < due && (!k->count || k->begun < k->count))
            begin_client(k);
        if (k->count && k->proven >= k->count)
            return;
        int n = epoll_wait(k->epoll, ev, 64, 1);
        for (int i = 0; i < n; i++)
            hear(k, ev[i].data.ptr);
    }
}

static struct sd_addr parse_address(const char *ip, const char *port)
{
    struct sd_addr a = sd_addr_any(strchr(ip, ':') ? AF_INET6 : AF_INET, (uint16_t)atoi(port));
    void *at = a.sa.sa_family == AF_INET6 ? (void *)&a.in6.sin6_addr : (void *)&a.in.sin_addr;
    if (inet_pton(a.sa.sa_family, ip, at) != 1)
        die(ip);
    return a;
}

static void parse_option(struct crowd *k, const char *name, const char *value)
{
    if (!strcmp(name, "--first"))
        k->first = parse_address(value, "0");
    else if (!strcmp(name, "--hosts"))
        k->hosts = (unsigned)atoi(value);
    else if (!strcmp(name, "--rate"))
        k->rate = (unsigned)atoi(value);
    else if (!strcmp(name, "--count"))
        k->count = (unsigned)atoi(value);
    else if (!strcmp(name, "--seconds"))
        k->seconds = (unsigned)atoi(value);
    else if (!strcmp(name, "--tell"))
        k->tell = (unsigned)atoi(value);
    else if (!strcmp(name, "--early"))
        sscanf(value, "%u,%u", &k->early, &k->early_bytes);
    else
        die(name);
}

int main(int argc, char **argv)
{
    static struct crowd k = {.hosts = 1, .rate = 300, .seconds = 5};
    struct rlimit files = {OPEN + 64, OPEN + 64};
    if (argc < 3)
        die("crowd IP PORT");
    k.server = parse_address(argv[1], argv[2]);
    k.first = parse_address("127.9.0.1", "0");
    for (int i = 3; i < argc; i++) {
        k.idle |= !strcmp(argv[i], "--idle");
        if (strcmp(argv[i], "--idle") && i + 1 < argc) {
            parse_option(&k, argv[i], argv[i + 1]);
            i++;
        }
    }
    k.early_bytes = k.early_bytes > RECORD_MAX ? RECORD_MAX : k.early_bytes;
    setrlimit(RLIMIT_NOFILE, &files);
    k.epoll = epoll_create1(0);
    run_crowd(&k);
    printf("{\"begun\":%lu,\"proven\":%lu,\"unsent\":%lu}\n", k.begun, k.proven, k.unsent);
    fflush(stdout);
    while (k.idle && getchar() != EOF)
        continue;
    return 0;
}
