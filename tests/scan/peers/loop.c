/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 64, DATAGRAM_MAX = 17000, TICK_MS = 100, IDLE_MS = 120000, HANDSHAKE_MS = 30000 };

static struct {
    const struct scan_engine *engine;
    struct scan_client clients[CLIENTS];
    int fd;
    bool asked_for_cookie; /* the last datagram did */
} loop;

static volatile sig_atomic_t ended;

static void on_term(int sig)
{
    (void)sig;
    ended = 1;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

size_t scan_take(struct scan_client *c, void *out, size_t size)
{
    size_t n = c->in_len < size ? c->in_len : size;
    if (!c->in)
        return 0;
    memcpy(out, c->in, n);
    c->in = NULL;
    return n;
}

/* HelloVerifyRequest, or the random that makes a ServerHello a HelloRetryRequest. */
static bool is_cookie_request(const uint8_t *data, size_t len)
{
    static const uint8_t retry[] = {0xcf, 0x21, 0xad, 0x74};
    return len > 13 && data[0] == 22 &&
           (data[13] == 3 ||
            (len > 31 && data[13] == 2 && !memcmp(data + 27, retry, sizeof retry)));
}

void scan_send(const struct scan_client *c, const void *data, size_t len)
{
    loop.asked_for_cookie = is_cookie_request(data, len);
    sendto(loop.fd, data, len, 0, (const struct sockaddr *)&c->address, sizeof c->address);
}

static void drop(struct scan_client *c)
{
    loop.engine->close(c);
    *c = (struct scan_client){0};
}

/* The client of that address, or a free place. */
static struct scan_client *place_of(const struct sockaddr_in *from)
{
    struct scan_client *empty = NULL;
    for (struct scan_client *c = loop.clients; c < loop.clients + CLIENTS; c++)
        if (!c->state)
            empty = c;
        else if (c->address.sin_addr.s_addr == from->sin_addr.s_addr &&
                 c->address.sin_port == from->sin_port)
            return c;
    return empty;
}

static void receive(void)
{
    static uint8_t data[DATAGRAM_MAX];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(loop.fd, data, sizeof data, 0, (struct sockaddr *)&from, &size);
    struct scan_client *c = n > 0 ? place_of(&from) : NULL;
    if (!c)
        return;
    if (!c->state) {
        c->address = from;
        if (!(c->state = loop.engine->open(c)))
            exit(1);
    }
    c->in = data;
    c->in_len = (size_t)n;
    c->heard_ms = now_ms();
    loop.asked_for_cookie = false;
    if (!loop.engine->step(c) || (loop.asked_for_cookie && !c->ready))
        drop(c);
    else
        c->in = NULL;
}

static void tick(void)
{
    for (struct scan_client *c = loop.clients; c < loop.clients + CLIENTS; c++)
        if (c->state &&
            (!loop.engine->tick(c) || now_ms() - c->heard_ms > (c->ready ? IDLE_MS : HANDSHAKE_MS)))
            drop(c);
}

static int listen_anywhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) ||
        getsockname(fd, (struct sockaddr *)&at, &len))
        exit(2);
    printf("port %u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void read_psk(struct scan_options *o, const char *hex)
{
    while (o->psk_len < sizeof o->psk &&
           sscanf(hex + 2 * o->psk_len, "%2hhx", &o->psk[o->psk_len]) == 1)
        o->psk_len++;
}

static struct scan_options parse(int argc, char **argv)
{
    struct scan_options o = {0};
    for (int c; (c = getopt(argc, argv, "c:k:a:p:CTI34")) != -1;)
        switch (c) {
        case 'c':
            o.cert = optarg;
            break;
        case 'k':
            o.key = optarg;
            break;
        case 'a':
            o.ca = optarg;
            break;
        case 'p':
            read_psk(&o, optarg);
            break;
        case 'C':
            o.no_cookie = true;
            break;
        case 'T':
            o.no_tickets = true;
            break;
        case 'I':
            o.cid = true;
            break;
        case '3':
            o.v13 = true;
            break;
        case '4':
            o.v13 = o.only13 = true;
            break;
        default:
            exit(2);
        }
    return o;
}

static unsigned held(void)
{
    unsigned n = 0;
    for (struct scan_client *c = loop.clients; c < loop.clients + CLIENTS; c++)
        n += c->state != NULL;
    return n;
}

int scan_serve(int argc, char **argv, const struct scan_engine *e)
{
    struct scan_options o = parse(argc, argv);
    loop.engine = e;
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL);
    if (!e->init(&o)) {
        fprintf(stderr, "%s: the certificate, the key or an option is refused\n", argv[0]);
        return 1;
    }
    loop.fd = listen_anywhere();
    while (!ended) {
        struct pollfd p = {.fd = loop.fd, .events = POLLIN};
        if (poll(&p, 1, held() ? TICK_MS : -1) > 0)
            receive();
        tick();
    }
    printf("held %u\n", held());
    return 0;
}
