/* SPDX-License-Identifier: MIT */
/* A server and clients without sockets, and a network between them that loses, repeats and delays
 * what it carries. Time passes only here. */
#ifndef TESTS_CARRIED_H
#define TESTS_CARRIED_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "sukat_dtls.h"

enum { ON_THE_WAY = 4096, LARGEST = 2048, TYPES = SDTLS_EV_WRITABLE + 1 };

/* OpenSSL takes the time of its timers from gettimeofday(): it gets ours. */
static sd_time virtual_time = 1000 * SD_SEC;

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv,
                                                        void *restrict zone)
{
    const time_t year_2023 = 1700000000;
    (void)zone;
    tv->tv_sec = year_2023 + (time_t)(virtual_time / SD_SEC);
    tv->tv_usec = (suseconds_t)(virtual_time % SD_SEC / SD_US);
    return 0;
}

struct net;

struct end {
    struct net *net;
    sdtls *s;
    size_t sent, largest;    /* datagrams; bytes of the largest one */
    unsigned told[TYPES];    /* events */
    sdtls_event last[TYPES]; /* without data and text */
    char text[160];          /* of the last CLOSED */
    void (*on_data)(struct end *e, const sdtls_event *ev);
    int refuses;    /* -errno that the transport returns instead of sending */
    bool mute;      /* it sends into the void */
    size_t carries; /* larger datagrams get EMSGSIZE; 0 = any */
};

struct flying {
    struct end *to;
    sd_time at;
    struct sockaddr_in peer, local;
    uint64_t id;
    bool addressed;
    size_t len;
    uint8_t data[LARGEST];
};

struct net {
    struct end server, client;
    struct flying *flying; /* unordered */
    size_t count;
    unsigned lost, repeated, delayed; /* percent */
    bool verified;
    size_t payload;
    uint32_t random;
    size_t dropped; /* datagrams that the network lost */
};

static inline uint32_t next_random(struct net *n)
{
    n->random = n->random * 1664525 + 1013904223;
    return n->random >> 8;
}

static inline bool by_chance(struct net *n, unsigned percent)
{
    return next_random(n) % 100 < percent;
}

static inline void put_on_the_way(struct end *from, const sdtls_path *path, const void *data,
                                  size_t len)
{
    struct net *n = from->net;
    assert_true(n->count < ON_THE_WAY && len <= LARGEST);
    struct flying *f = &n->flying[n->count++];
    f->to = from == &n->server ? &n->client : &n->server;
    f->at = virtual_time + 10 * SD_MS;
    if (by_chance(n, n->delayed))
        f->at += next_random(n) % 100 * SD_MS;
    f->addressed = path->peer;
    f->id = path->id;
    if (f->addressed) { /* the other end sees it from the other side */
        memcpy(&f->local, path->peer, sizeof f->local);
        memcpy(&f->peer, path->local, sizeof f->peer);
    }
    f->len = len;
    memcpy(f->data, data, len);
}

static inline int carry(void *arg, const sdtls_path *path, const void *data, size_t len)
{
    struct end *from = arg;
    struct net *n = from->net;
    assert_int_equal(path->size, sizeof *path);
    if (from->refuses)
        return from->refuses;
    if (from->carries && len > from->carries)
        return -EMSGSIZE;
    from->sent++;
    from->largest = len > from->largest ? len : from->largest;
    if (from->mute || by_chance(n, n->lost)) {
        n->dropped++;
        return 0;
    }
    put_on_the_way(from, path, data, len);
    if (by_chance(n, n->repeated))
        put_on_the_way(from, path, data, len);
    return 0;
}

static inline void end_up(struct net *n, struct end *e, const sdtls_config *config)
{
    const sdtls_transport t = {sizeof t, carry, e};
    e->net = n;
    e->s = sdtls_new_with(config, &t);
    assert_non_null(e->s);
}

static inline void net_up(struct net *n, const sdtls_config *server, const sdtls_config *client)
{
    memset(n, 0, sizeof *n);
    n->flying = calloc(ON_THE_WAY, sizeof *n->flying);
    assert_non_null(n->flying);
    end_up(n, &n->server, server);
    end_up(n, &n->client, client);
    if (sdtls_serve(n->server.s))
        fail_msg("serve: %s", sdtls_errmsg(n->server.s));
}

static inline void net_down(struct net *n)
{
    sdtls_free(n->client.s);
    sdtls_free(n->server.s);
    free(n->flying);
}

static inline struct sockaddr_in address(const char *ip, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, ip, &a.sin_addr);
    return a;
}

static inline sdtls_conn *connect_from(struct net *n, unsigned port)
{
    const struct sockaddr_in here = address("192.0.2.1", port), there = address("198.51.100.9", 4);
    const sdtls_path path = {.size = sizeof path,
                             .peer = (const struct sockaddr *)&there,
                             .local = (const struct sockaddr *)&here,
                             .payload = n->payload};
    sdtls_conn *c;
    if (sdtls_connect_path(n->client.s, &path, NULL, virtual_time, &c))
        fail_msg("connect: %s", sdtls_errmsg(n->client.s));
    return c;
}

static inline sdtls_conn *connect_by_id(struct net *n, uint64_t id)
{
    const sdtls_path path = {.size = sizeof path, .id = id, .payload = n->payload};
    sdtls_conn *c;
    if (sdtls_connect_path(n->client.s, &path, NULL, virtual_time, &c))
        fail_msg("connect: %s", sdtls_errmsg(n->client.s));
    return c;
}

static inline void hear(struct end *e)
{
    sdtls_event ev;
    int rc;
    while ((rc = sdtls_next(e->s, &ev, 1000)) > 0) {
        e->told[ev.type]++;
        if (ev.type == SDTLS_EV_DATA && e->on_data)
            e->on_data(e, &ev);
        if (ev.type == SDTLS_EV_CLOSED)
            snprintf(e->text, sizeof e->text, "%s", ev.text ? ev.text : "");
        ev.data = ev.text = NULL;
        e->last[ev.type] = ev;
    }
    assert_int_equal(rc, 0);
}

/* What is handed in is gone afterwards. */
static inline int hand_in(struct end *e, const sdtls_path *path, const void *data, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    const sdtls_datagram d = {.size = sizeof d, .path = path, .data = copy, .len = len};
    int rc = sdtls_input(e->s, &d, virtual_time);
    free(copy);
    return rc;
}

static inline void arrive(struct net *n, size_t which)
{
    const struct flying f = n->flying[which];
    const sdtls_path path = {.size = sizeof path,
                             .peer = f.addressed ? (const struct sockaddr *)&f.peer : NULL,
                             .local = f.addressed ? (const struct sockaddr *)&f.local : NULL,
                             .id = f.id,
                             .payload = n->payload,
                             .verified = n->verified};
    n->flying[which] = n->flying[--n->count];
    assert_int_equal(hand_in(f.to, &path, f.data, f.len), 0);
    hear(f.to);
}

static inline sd_time next_of(struct net *n, size_t *which)
{
    sd_time at = SD_NEVER;
    for (size_t i = 0; i < n->count; i++)
        if (n->flying[i].at < at)
            at = n->flying[ *which = i].at;
    return at;
}

static inline sd_time earlier(sd_time a, sd_time b)
{
    return a < b ? a : b;
}

static inline void let_pass(struct end *e, sd_time at)
{
    virtual_time = at > virtual_time ? at : virtual_time;
    sdtls_advance(e->s, virtual_time);
    hear(e);
}

/* The next thing that happens, until then at the latest; false: nothing does. */
static inline bool net_step(struct net *n, sd_time until)
{
    size_t which = 0;
    const sd_time arrival = next_of(n, &which);
    const sd_time server = sdtls_deadline(n->server.s), client = sdtls_deadline(n->client.s);
    const sd_time at = earlier(arrival, earlier(server, client));
    if (at > until)
        return false;
    if (at == arrival) {
        virtual_time = at > virtual_time ? at : virtual_time;
        arrive(n, which);
    } else {
        let_pass(at == server ? &n->server : &n->client, at);
    }
    return true;
}

static inline void net_run(struct net *n, sd_time duration)
{
    const sd_time until = virtual_time + duration;
    while (net_step(n, until))
        continue;
    virtual_time = until;
}

/* Until the end has told this event so many times. */
static inline void net_until(struct net *n, struct end *e, enum sdtls_event_type type,
                             unsigned times)
{
    const sd_time until = virtual_time + 300 * SD_SEC;
    while (e->told[type] < times)
        if (!net_step(n, until))
            fail_msg("event %d came %u times, not %u; %u closed: %s", type, e->told[type], times,
                     e->told[SDTLS_EV_CLOSED], e->text);
}

#endif
