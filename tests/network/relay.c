/* SPDX-License-Identifier: MIT */
/* A bad network in one process: forwards UDP between clients and one server, and
 * loses, doubles, delays, reorders, damages or size-limits what passes.
 *
 *     relay SERVER-IP SERVER-PORT [OPTION...]
 *
 * Options come for both directions, or for one with the prefix c2s- or s2c-:
 * --loss, --dup, --reorder, --corrupt PERCENT, --limit BYTES, --drop LIST; for
 * all --delay MS and --seed N. Ends at SIGTERM with its counts as one line of
 * JSON. A datagram chosen for reordering is LATE_MS late, so that those behind
 * it overtake; only then does it count. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <signal.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/table.h"
#include "base/timers.h"
#include "impair.h"

enum { LATE_MS = 20, MAX_DATAGRAM = 65536, QUEUE_BYTES = 4 << 20 };

struct counts {
    unsigned long passed, dropped, duplicated, reordered, corrupted;
};

struct flow {
    struct sd_node node;
    struct flow *older;
    struct sd_addr client;
    unsigned id;
    int up; /* socket towards the server */
    unsigned number[2];
    unsigned newest[2]; /* number of the latest datagram sent on, plus 1 */
};

struct packet {
    struct sd_timer timer;
    struct flow *flow;
    enum impair_direction direction;
    unsigned number;
    size_t len;
    uint8_t data[];
};

struct relay {
    int epoll, signals, down;
    struct sd_addr server;
    struct impair_rules rules[2];
    struct counts counts[2];
    unsigned delay_ms, flows;
    uint64_t seed;
    struct sd_table table;
    struct flow *newest;
    struct sd_timers timers;
};

static void die(const char *what)
{
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(struct relay *r, int fd, void *ptr)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = ptr};
    if (fd < 0 || epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &ev))
        die("epoll");
}

static int udp_socket(int family)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int bytes = QUEUE_BYTES;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    return fd;
}

static bool same_client(const struct sd_node *n, const void *key)
{
    return sd_addr_eq(&sd_container(n, const struct flow, node)->client, key);
}

static struct flow *flow_of(struct relay *r, const struct sd_addr *client)
{
    uint8_t bytes[SD_ADDR_BYTES];
    uint64_t hash = sd_hash((struct sd_hash_key){0}, bytes, sd_addr_bytes(client, bytes));
    struct sd_node *n = sd_table_find(&r->table, hash, same_client, client);
    if (n)
        return sd_container(n, struct flow, node);
    struct flow *f = calloc(1, sizeof *f);
    if (!f)
        die("memory");
    f->client = *client;
    f->id = r->flows++;
    f->up = udp_socket(r->server.sa.sa_family);
    if (f->up < 0 || connect(f->up, &r->server.sa, sd_addr_len(&r->server)))
        die("socket to the server");
    watch(r, f->up, f);
    sd_table_add(&r->table, &f->node, hash);
    f->older = r->newest;
    r->newest = f;
    return f;
}

/* An error is the network's business: a closed port answers to nobody here. */
static void send_on(struct relay *r, const struct packet *p)
{
    struct flow *f = p->flow;
    ssize_t n = p->direction == TO_SERVER
                    ? send(f->up, p->data, p->len, MSG_NOSIGNAL)
                    : sendto(r->down, p->data, p->len, 0, &f->client.sa, sd_addr_len(&f->client));
    r->counts[p->direction].passed += n >= 0;
    if (p->number + 1 < f->newest[p->direction])
        r->counts[p->direction].reordered++;
    else
        f->newest[p->direction] = p->number + 1;
}

static void submit(struct relay *r, const struct packet *p, unsigned late_ms)
{
    if (!late_ms) {
        send_on(r, p);
        return;
    }
    struct packet *copy = malloc(sizeof *copy + p->len);
    if (!copy)
        die("memory");
    memcpy(copy, p, sizeof *p + p->len);
    if (!sd_timers_set(&r->timers, &copy->timer, sd_clock_now() + late_ms * SD_MS))
        die("memory");
}

static void forward(struct relay *r, struct packet *p)
{
    enum impair_direction d = p->direction;
    struct counts *c = &r->counts[d];
    p->number = p->flow->number[d]++;
    struct impair_fate fate = impair(&r->rules[d], r->seed, p->flow->id, d, p->number, p->len);
    if (fate.drop) {
        c->dropped++;
        return;
    }
    if (fate.corrupt && p->len) {
        p->data[p->len / 2] ^= 0x20;
        c->corrupted++;
    }
    submit(r, p, r->delay_ms + (fate.late ? LATE_MS : 0));
    if (fate.duplicate) {
        submit(r, p, r->delay_ms);
        c->duplicated++;
    }
}

/* Reads what waits, from the clients (flow NULL) or from the server. */
static void drain(struct relay *r, struct flow *f, struct packet *p)
{
    for (;;) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        ssize_t n =
            recvfrom(f ? f->up : r->down, p->data, MAX_DATAGRAM, 0, (struct sockaddr *)&from, &len);
        if (n < 0 && errno == ECONNREFUSED)
            continue;
        if (n < 0)
            return;
        struct sd_addr client;
        if (!f && !sd_addr_from(&client, (struct sockaddr *)&from, len))
            continue;
        p->timer = (struct sd_timer){0};
        p->flow = f ? f : flow_of(r, &client);
        p->direction = f ? TO_CLIENT : TO_SERVER;
        p->len = (size_t)n;
        forward(r, p);
    }
}

static void send_late(struct relay *r)
{
    struct sd_timer *t;
    while ((t = sd_timers_due(&r->timers, sd_clock_now()))) {
        struct packet *p = sd_container(t, struct packet, timer);
        send_on(r, p);
        free(p);
    }
}

static void print_counts(const struct relay *r)
{
    static const char *const names[] = {"c2s", "s2c"};
    printf("{");
    for (int d = 0; d < 2; d++) {
        const struct counts *c = &r->counts[d];
        printf("\"%s\": {\"passed\": %lu, \"dropped\": %lu, \"duplicated\": %lu, "
               "\"reordered\": %lu, \"corrupted\": %lu}%s",
               names[d], c->passed, c->dropped, c->duplicated, c->reordered, c->corrupted,
               d ? "" : ", ");
    }
    printf("}\n");
}

static int wait_ms(const struct relay *r)
{
    sd_time next = sd_timers_next(&r->timers), now = sd_clock_now();
    return next == SD_NEVER ? -1 : next <= now ? 0 : (int)((next - now) / SD_MS) + 1;
}

static void run(struct relay *r)
{
    struct packet *p = malloc(sizeof *p + MAX_DATAGRAM);
    if (!p)
        die("memory");
    for (bool end = false; !end;) {
        struct epoll_event ev[64];
        int n = epoll_wait(r->epoll, ev, 64, wait_ms(r));
        for (int i = 0; i < n; i++) {
            if (ev[i].data.ptr == &r->signals)
                end = true;
            else
                drain(r, ev[i].data.ptr, p);
        }
        send_late(r);
    }
    free(p);
}

static unsigned per_mille(const char *percent)
{
    return (unsigned)(strtod(percent, NULL) * 10);
}

/* One option of one direction. */
static void set_rule(struct impair_rules *r, const char *name, const char *value)
{
    if (!strcmp(name, "loss"))
        r->loss = per_mille(value);
    else if (!strcmp(name, "dup"))
        r->duplicate = per_mille(value);
    else if (!strcmp(name, "reorder"))
        r->reorder = per_mille(value);
    else if (!strcmp(name, "corrupt"))
        r->corrupt = per_mille(value);
    else if (!strcmp(name, "limit"))
        r->limit = strtoul(value, NULL, 10);
    else if (!strcmp(name, "drop") && impair_parse_set(value, &r->drop))
        return;
    else {
        fprintf(stderr, "relay: bad option %s %s\n", name, value);
        exit(2);
    }
}

static void set_option(struct relay *r, const char *name, const char *value)
{
    if (!strcmp(name, "delay"))
        r->delay_ms = (unsigned)strtoul(value, NULL, 10);
    else if (!strcmp(name, "seed"))
        r->seed = strtoull(value, NULL, 10);
    else if (!strncmp(name, "c2s-", 4))
        set_rule(&r->rules[TO_SERVER], name + 4, value);
    else if (!strncmp(name, "s2c-", 4))
        set_rule(&r->rules[TO_CLIENT], name + 4, value);
    else
        for (int d = 0; d < 2; d++)
            set_rule(&r->rules[d], name, value);
}

static void open_relay(struct relay *r)
{
    struct rlimit files;
    sigset_t end;
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, NULL);
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->signals = signalfd(-1, &end, SFD_CLOEXEC);
    r->down = udp_socket(AF_INET);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof here;
    if (bind(r->down, (struct sockaddr *)&here, len) ||
        getsockname(r->down, (struct sockaddr *)&here, &len))
        die("bind");
    watch(r, r->signals, &r->signals);
    watch(r, r->down, NULL);
    if (!sd_table_init(&r->table))
        die("memory");
    fprintf(stderr, "Relaying at: 127.0.0.1:%u\n", ntohs(here.sin_port));
}

static void close_relay(struct relay *r)
{
    struct sd_timer *t;
    struct flow *f;
    while ((t = sd_timers_due(&r->timers, SD_NEVER)))
        free(sd_container(t, struct packet, timer));
    sd_timers_fini(&r->timers);
    sd_table_fini(&r->table);
    while ((f = r->newest)) {
        r->newest = f->older;
        close(f->up);
        free(f);
    }
    close(r->down);
    close(r->signals);
    close(r->epoll);
}

int main(int argc, char **argv)
{
    struct relay r = {.seed = 1};
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: relay SERVER-IP SERVER-PORT [--OPTION VALUE]...\n");
        return 2;
    }
    r.server = sd_addr_any(AF_INET, (uint16_t)strtoul(argv[2], NULL, 10));
    if (inet_pton(AF_INET, argv[1], &r.server.in.sin_addr) != 1) {
        fprintf(stderr, "relay: %s is no IPv4 address\n", argv[1]);
        return 2;
    }
    for (int i = 3; i < argc; i += 2)
        set_option(&r, argv[i] + strspn(argv[i], "-"), argv[i + 1]);
    open_relay(&r);
    run(&r);
    print_counts(&r);
    close_relay(&r);
    return 0;
}
