/* SPDX-License-Identifier: MIT */
#include "dtls_probe/pairs.h"

#include <stdlib.h>
#include <string.h>

/* What must be equal besides the ClientHello random, the surest first. */
enum likeness {
    LIKE_SERVER_RANDOM,
    LIKE_ALONE, /* nothing: no other handshake has this ClientHello random */
    LIKE_ADDRESSES,
    LIKE_SERVER, /* a NAT has changed the client's address */
    LIKE_CLIENT, /* a load balancer has changed the server's */
    LIKE_RANDOM, /* nothing */
    LIKENESSES
};

/* ns; one way through the network, and what two clocks drift apart during a capture */
#define DELAY_MAX (5 * SD_NS_SECOND)

/* The handshakes of one capture that have no pair yet. */
struct single_ends {
    struct probe_end **list;
    size_t count;
};

struct pairing {
    struct single_ends client, server;
    enum likeness by;
    int64_t *offsets; /* ns; of the pairs made so far */
    size_t pairs;
    int64_t offset; /* ns; server's clock ahead of the client's */
    bool timed;     /* the offset is known */
};

static int compare_addresses(const struct sd_addr *a, const struct sd_addr *b)
{
    uint8_t x[SD_ADDR_BYTES] = {0}, y[SD_ADDR_BYTES] = {0};
    sd_addr_bytes(a, x);
    sd_addr_bytes(b, y);
    return memcmp(x, y, sizeof x);
}

static int compare_keys(const struct sd_exchange *a, const struct sd_exchange *b, enum likeness by)
{
    int order = memcmp(a->client_random, b->client_random, sizeof a->client_random);
    if (!order && by == LIKE_SERVER_RANDOM)
        order = a->has_server_random != b->has_server_random
                    ? a->has_server_random - b->has_server_random
                    : memcmp(a->server_random, b->server_random, sizeof a->server_random);
    if (!order && (by == LIKE_ADDRESSES || by == LIKE_SERVER))
        order = compare_addresses(&a->server, &b->server);
    if (!order && (by == LIKE_ADDRESSES || by == LIKE_CLIENT))
        order = compare_addresses(&a->client, &b->client);
    return order;
}

static int by_key_and_time(const void *a, const void *b, void *by)
{
    const struct probe_end *x = *(struct probe_end *const *)a, *y = *(struct probe_end *const *)b;
    int order = compare_keys(&x->x, &y->x, *(const enum likeness *)by);
    return order ? order : (x->x.start > y->x.start) - (x->x.start < y->x.start);
}

static void sort_singles(struct single_ends *s, enum likeness *by)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!s->list[i]->other)
            s->list[n++] = s->list[i];
    s->count = n;
    qsort_r(s->list, n, sizeof(struct probe_end *), by_key_and_time, by);
}

/* --- time --- */

/* a - b, or the nearest that can be said and negated: a capture may claim any time. */
static int64_t time_less(int64_t a, int64_t b)
{
    int64_t d;
    if (!__builtin_sub_overflow(a, b, &d) && d != INT64_MIN)
        return d;
    return a < b ? -INT64_MAX : INT64_MAX;
}

static int64_t distance_between(const struct pairing *p, const struct probe_end *client,
                                const struct probe_end *server)
{
    int64_t d = time_less(time_less(server->x.start, client->x.start), p->offset);
    return d < 0 ? -d : d;
}

/* What arrives at the server begins while the client still sends. */
static bool fits_in_time(const struct pairing *p, const struct probe_end *client,
                         const struct probe_end *server)
{
    int64_t begin = time_less(server->x.start, p->offset);
    return !p->timed || (time_less(client->x.start, begin) <= DELAY_MAX &&
                         time_less(begin, client->x.last) <= DELAY_MAX);
}

static int compare_offsets(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The median: a lost first ClientHello makes the offset of its handshake too large. */
static void learn_offset(struct pairing *p)
{
    if (!p->pairs)
        return;
    qsort(p->offsets, p->pairs, sizeof *p->offsets, compare_offsets);
    p->offset = p->offsets[p->pairs / 2];
    p->timed = true;
}

static void first_and_last(const struct single_ends *s, int64_t *first, int64_t *last)
{
    *first = INT64_MAX;
    *last = INT64_MIN;
    for (size_t i = 0; i < s->count; i++) {
        const struct sd_exchange *x = &s->list[i]->x;
        *first = x->start < *first ? x->start : *first;
        *last = x->last > *last ? x->last : *last;
    }
}

/* No pair is certain. Captures that overlap are from clocks that agree; others begin together. */
static void guess_offset(struct pairing *p)
{
    int64_t first, last, server_first, server_last;
    first_and_last(&p->client, &first, &last);
    first_and_last(&p->server, &server_first, &server_last);
    if (p->timed || !p->client.count || !p->server.count)
        return;
    bool overlap =
        time_less(server_first, last) <= DELAY_MAX && time_less(first, server_last) <= DELAY_MAX;
    p->offset = overlap ? 0 : time_less(server_first, first);
}

/* --- pairs --- */

/* Two ServerHellos are of two handshakes, unless a server answered twice. */
static bool contradict(const struct sd_exchange *a, const struct sd_exchange *b)
{
    return a->has_server_random && b->has_server_random && a->server_randoms <= 1 &&
           b->server_randoms <= 1 &&
           memcmp(a->server_random, b->server_random, sizeof a->server_random) != 0;
}

static bool can_pair(const struct pairing *p, const struct probe_end *client,
                     const struct probe_end *server)
{
    if (p->by == LIKE_SERVER_RANDOM)
        return client->x.has_server_random;
    return !contradict(&client->x, &server->x) && fits_in_time(p, client, server);
}

static void make_pair(struct pairing *p, struct probe_end *client, struct probe_end *server)
{
    client->other = server;
    server->other = client;
    p->offsets[p->pairs++] = time_less(server->x.start, client->x.start);
}

/* How many from `at` have its key. */
static size_t count_alike(const struct single_ends *s, size_t at, enum likeness by)
{
    size_t n = at;
    while (n < s->count && !compare_keys(&s->list[at]->x, &s->list[n]->x, by))
        n++;
    return n - at;
}

/* `c` clients and `s` servers with the same key, in order of time. A handshake waits for its
 * neighbour in the other capture when it is nearer to that one than to the first. */
static void pair_alike(struct pairing *p, struct probe_end **client, size_t clients,
                       struct probe_end **server, size_t servers)
{
    size_t c = 0, s = 0;
    while (c < clients && s < servers) {
        int64_t d = distance_between(p, client[c], server[s]);
        if (c + 1 < clients && distance_between(p, client[c + 1], server[s]) < d)
            c++;
        else if (s + 1 < servers && distance_between(p, client[c], server[s + 1]) < d)
            s++;
        else if (can_pair(p, client[c], server[s]))
            make_pair(p, client[c++], server[s++]);
        else if (time_less(server[s]->x.start, client[c]->x.start) > p->offset)
            c++;
        else
            s++;
    }
}

static void pair_by(struct pairing *p, enum likeness by)
{
    struct single_ends *c = &p->client, *s = &p->server;
    p->by = by;
    sort_singles(c, &p->by);
    sort_singles(s, &p->by);
    for (size_t i = 0, j = 0; i < c->count && j < s->count;) {
        size_t clients = count_alike(c, i, by), servers = count_alike(s, j, by);
        int order = compare_keys(&c->list[i]->x, &s->list[j]->x, by);
        if (!order && (by != LIKE_ALONE || (clients == 1 && servers == 1)))
            pair_alike(p, c->list + i, clients, s->list + j, servers);
        i += order <= 0 ? clients : 0;
        j += order >= 0 ? servers : 0;
    }
}

static bool list_singles(struct single_ends *s, struct probe_ends *e)
{
    s->list = malloc((e->count ? e->count : 1) * sizeof(struct probe_end *));
    for (size_t i = 0; s->list && i < e->count; i++)
        s->list[s->count++] = &e->list[i];
    return s->list;
}

bool probe_pairs_find(struct probe_ends *client, struct probe_ends *server)
{
    struct pairing p = {0};
    p.offsets = malloc((client->count ? client->count : 1) * sizeof *p.offsets);
    bool listed = list_singles(&p.client, client);
    listed = list_singles(&p.server, server) && listed && p.offsets;
    for (enum likeness by = 0; listed && by < LIKENESSES; by++) {
        if (by == LIKE_ADDRESSES)
            guess_offset(&p);
        pair_by(&p, by);
        if (by <= LIKE_ALONE)
            learn_offset(&p);
    }
    free(p.offsets);
    free(p.client.list);
    free(p.server.list);
    return listed;
}
