/* SPDX-License-Identifier: MIT */
/* How many clients a server has at a time, and who gives up its place.
 *
 * A client that has proved its address and nothing else takes a half-open place. When these are
 * all taken, the host that holds most of them loses its oldest that has not answered yet: whoever
 * sends many hellos competes with itself, and a host with one client never pays for it. A client
 * whose handshake is complete takes a place among the established. When these are all taken, the
 * one that was idle longest goes, but none that had data a moment ago, unless its host holds more
 * places than the newcomer's would. */
#include <stdlib.h>

#include "base/hash.h"
#include "endpoint/internal.h"

enum {
    MAX_CLIENTS = 65536,
    MAX_CLIENTS_PER_HOST = 4096,
    MAX_HALF_OPEN = 2048,
    MAX_HALF_OPEN_PER_HOST = 256,
    MAX_HALF_OPEN_BYTES = 128 * 1000 * 1000
};

/* A host that replaces its own half-open clients leaves each of them the time of a retransmission
 * and a long round trip. This also bounds what the handshakes of one host cost. */
#define LEAST_LIFE (2 * SD_SEC)
/* An established client with data within this time is active. */
#define ACTIVE (10 * SD_SEC)

struct sd_host {
    struct sd_node node;
    struct sd_addr addr;
    struct {
        TAILQ_HEAD(, sdtls_conn) conns; /* the oldest first */
        size_t count;
        struct sd_timer rank; /* in the heap of hosts by their count */
    } of[SD_PLACES];
};

static size_t limit_of(size_t configured, size_t otherwise)
{
    return configured ? configured : otherwise;
}

static bool is_host(const struct sd_node *n, const void *key)
{
    return sd_addr_eq(&sd_container(n, const struct sd_host, node)->addr, key);
}

static uint64_t host_hash(const struct sdtls *s, const struct sd_addr *addr)
{
    uint8_t bytes[SD_ADDR_BYTES];
    return sd_hash(s->host_key, bytes, sd_addr_bytes(addr, bytes));
}

static struct sd_host *host_find(struct sdtls *s, const struct sd_addr *peer)
{
    struct sd_addr addr = sd_addr_host(peer);
    struct sd_node *n = sd_table_find(&s->hosts, host_hash(s, &addr), is_host, &addr);
    return n ? sd_container(n, struct sd_host, node) : NULL;
}

static struct sd_host *host_add(struct sdtls *s, const struct sd_addr *peer)
{
    struct sd_host *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    for (int p = 0; p < SD_PLACES; p++) {
        TAILQ_INIT(&h->of[p].conns);
        if (!sd_timers_reserve(&s->crowds[p], s->hosts.count + 1)) {
            free(h);
            return NULL;
        }
    }
    h->addr = sd_addr_host(peer);
    sd_table_add(&s->hosts, &h->node, host_hash(s, &h->addr));
    return h;
}

/* The heap of deadlines serves as one of counts: the largest comes first, and of equal ones that
 * with the oldest client. */
static void rank_host(struct sdtls *s, struct sd_host *h, enum sd_place p)
{
    enum { AGE_BITS = 44 }; /* milliseconds for 500 years; 20 bits are left for the count */
    const struct sdtls_conn *oldest = TAILQ_FIRST(&h->of[p].conns);
    sd_time rank = SD_NEVER;
    if (oldest)
        rank = ~(uint64_t)h->of[p].count << AGE_BITS | oldest->began / SD_MS;
    sd_timers_set(&s->crowds[p], &h->of[p].rank, rank);
}

static struct sd_host *most_crowded(const struct sdtls *s, enum sd_place p)
{
    const struct sd_timers *q = &s->crowds[p];
    return q->count ? sd_container(q->heap[0], struct sd_host, of[p].rank) : NULL;
}

static void enter_place(struct sdtls_conn *c, struct sd_host *h, enum sd_place p)
{
    c->host = h;
    c->place = p;
    TAILQ_INSERT_TAIL(&h->of[p].conns, c, neighbours);
    h->of[p].count++;
    rank_host(c->ep, h, p);
    c->ep->places[p]++;
}

static void leave_place(struct sdtls_conn *c)
{
    struct sd_host *h = c->host;
    TAILQ_REMOVE(&h->of[c->place].conns, c, neighbours);
    h->of[c->place].count--;
    rank_host(c->ep, h, c->place);
    c->ep->places[c->place]--;
    c->ep->half_open_bytes -= c->bytes;
    c->bytes = 0;
    sd_timers_cancel(&c->ep->idle, &c->idle);
    c->host = NULL;
}

static void forget_host(struct sdtls *s, struct sd_host *h)
{
    if (h->of[SD_HALF_OPEN].count || h->of[SD_ESTABLISHED].count)
        return;
    sd_table_remove(&s->hosts, &h->node);
    free(h);
}

void sd_limit_drop(struct sdtls_conn *c)
{
    struct sd_host *h = c->host;
    if (!h)
        return;
    leave_place(c);
    forget_host(c->ep, h);
}

/* --- half-open --- */

size_t sd_limit_crowd(const struct sdtls_conn *c)
{
    return c->host->of[SD_HALF_OPEN].count;
}

/* A client that has answered completes its handshake soon. */
static struct sdtls_conn *oldest_silent(const struct sd_host *h)
{
    struct sdtls_conn *c;
    TAILQ_FOREACH(c, &h->of[SD_HALF_OPEN].conns, neighbours)
    {
        if (!sd_session_answered(c->session))
            return c;
    }
    return NULL;
}

/* Whether a host may replace this client by another one of its own. On a busy machine the answer
 * may wait in the socket: honest clients of one host, many at once, must not push each other out.
 */
static bool may_replace_own(const struct sdtls_conn *c, sd_time now)
{
    return c && now - c->began >= LEAST_LIFE && !(c->peer && sd_peer_waits(c->peer));
}

static struct sdtls_conn *who_gives_way(const struct sd_host *h)
{
    struct sdtls_conn *silent = oldest_silent(h);
    return silent ? silent : TAILQ_FIRST(&h->of[SD_HALF_OPEN].conns);
}

/* A client of the host gives way to one that is `own`, of the same host, or not. */
static bool replace_one(struct sdtls *s, const struct sd_host *h, bool own, enum sd_count limit,
                        sd_time now, struct sdtls_conn **leaves)
{
    s->conn_count[limit]++;
    if (own && !may_replace_own(oldest_silent(h), now))
        return false;
    *leaves = who_gives_way(h);
    return true;
}

static bool make_room(struct sdtls *s, const struct sd_host *own, enum sd_count limit, sd_time now,
                      struct sdtls_conn **leaves)
{
    const struct sd_host *most = most_crowded(s, SD_HALF_OPEN);
    if (!most)
        return false;
    bool fair = own && own->of[SD_HALF_OPEN].count &&
                own->of[SD_HALF_OPEN].count + 1 >= most->of[SD_HALF_OPEN].count;
    return replace_one(s, fair ? own : most, fair, limit, now, leaves);
}

static bool memory_is_left(const struct sdtls *s)
{
    return s->half_open_bytes < limit_of(s->cfg.max_half_open_bytes, MAX_HALF_OPEN_BYTES);
}

static bool one_more_half_open(struct sdtls *s, const struct sd_host *h, sd_time now,
                               struct sdtls_conn **leaves)
{
    if (h && h->of[SD_HALF_OPEN].count >=
                 limit_of(s->cfg.max_half_open_per_host, MAX_HALF_OPEN_PER_HOST))
        return replace_one(s, h, true, SD_COUNT_LIMIT_HOST, now, leaves);
    if (s->places[SD_HALF_OPEN] >= limit_of(s->cfg.max_half_open, MAX_HALF_OPEN))
        return make_room(s, h, SD_COUNT_LIMIT_HALF_OPEN, now, leaves);
    return memory_is_left(s) || make_room(s, h, SD_COUNT_LIMIT_MEMORY, now, leaves);
}

bool sd_limit_add(struct sdtls_conn *c)
{
    struct sdtls *s = c->ep;
    struct sd_host *h = host_find(s, &c->remote);
    /* Room for all that we serve, so that no later step can fail. */
    if (!sd_timers_reserve(&s->idle, s->servers))
        return false;
    if (!h && !(h = host_add(s, &c->remote)))
        return false;
    enter_place(c, h, SD_HALF_OPEN);
    return true;
}

struct sdtls_conn *sd_limit_measure(struct sdtls_conn *c)
{
    struct sdtls *s = c->ep;
    if (!c->host || c->place != SD_HALF_OPEN)
        return NULL;
    s->half_open_bytes -= c->bytes;
    c->bytes = sd_session_memory(c->session);
    s->half_open_bytes += c->bytes;
    if (memory_is_left(s))
        return NULL;
    s->conn_count[SD_COUNT_LIMIT_MEMORY]++;
    return who_gives_way(most_crowded(s, SD_HALF_OPEN));
}

/* --- established --- */

static sd_time idle_time(const struct sdtls_conn *c, sd_time now)
{
    return now > c->active ? now - c->active : 0;
}

/* Ranks are renewed only here: a datagram costs nothing more. */
static struct sdtls_conn *idle_longest(struct sdtls *s)
{
    while (s->idle.count) {
        struct sdtls_conn *c = sd_container(s->idle.heap[0], struct sdtls_conn, idle);
        if (c->active <= c->idle.when)
            return c;
        sd_timers_set(&s->idle, &c->idle, c->active);
    }
    return NULL;
}

static struct sdtls_conn *idle_longest_of(const struct sd_host *h)
{
    struct sdtls_conn *c, *longest = NULL;
    TAILQ_FOREACH(c, &h->of[SD_ESTABLISHED].conns, neighbours)
    {
        if (!longest || c->active < longest->active)
            longest = c;
    }
    return longest;
}

static size_t established_of(const struct sd_host *h)
{
    return h ? h->of[SD_ESTABLISHED].count : 0;
}

/* Who leaves for one more established client of this host: NULL = nobody. */
static struct sdtls_conn *who_leaves(struct sdtls *s, const struct sd_host *h, bool of_host,
                                     sd_time now)
{
    struct sdtls_conn *c = of_host ? idle_longest_of(h) : idle_longest(s);
    if (c && idle_time(c, now) >= ACTIVE)
        return c;
    const struct sd_host *most = most_crowded(s, SD_ESTABLISHED);
    bool unfair = !of_host && most && established_of(most) > established_of(h) + 1;
    return unfair ? idle_longest_of(most) : NULL;
}

/* Whether one more can be established after `pending` others; *leaves gets who must leave for it,
 * or NULL. */
static bool one_more_established(struct sdtls *s, const struct sd_host *h, size_t pending,
                                 sd_time now, struct sdtls_conn **leaves, enum sd_count *limit)
{
    size_t of_host = limit_of(s->cfg.max_clients_per_host, MAX_CLIENTS_PER_HOST);
    *leaves = NULL;
    *limit = SD_COUNT_LIMIT_HOST_CLIENTS;
    if (established_of(h) + pending >= of_host)
        return (*leaves = who_leaves(s, h, true, now));
    *limit = SD_COUNT_LIMIT_CLIENTS;
    if (s->places[SD_ESTABLISHED] + pending >= limit_of(s->cfg.max_clients, MAX_CLIENTS))
        return (*leaves = who_leaves(s, h, false, now));
    return true;
}

bool sd_limit_admits(struct sdtls *s, const struct sd_addr *peer, sd_time now,
                     struct sdtls_conn **leaves, bool *tell)
{
    enum sd_count limit;
    const struct sd_host *h = host_find(s, peer);
    /* Handshakes of the same host count, so that it learns at once. Those of others may not end. */
    size_t pending = h ? h->of[SD_HALF_OPEN].count : 0;
    *tell = !one_more_established(s, h, pending, now, leaves, &limit);
    *leaves = NULL; /* only when the handshake is complete */
    if (!*tell)
        return one_more_half_open(s, h, now, leaves);
    s->conn_count[limit]++;
    return false;
}

bool sd_limit_admits_restart(const struct sdtls_conn *old, sd_time now, struct sdtls_conn **leaves)
{
    *leaves = NULL;
    if (old->host && old->place == SD_HALF_OPEN)
        return true;
    return one_more_half_open(old->ep, host_find(old->ep, &old->remote), now, leaves);
}

bool sd_limit_may_establish(const struct sdtls_conn *c, sd_time now, struct sdtls_conn **leaves)
{
    enum sd_count limit;
    *leaves = NULL;
    if (!c->host) /* a client of ours */
        return true;
    if (one_more_established(c->ep, c->host, 0, now, leaves, &limit))
        return true;
    c->ep->conn_count[limit]++;
    return false;
}

void sd_limit_establish(struct sdtls_conn *c, sd_time now)
{
    struct sd_host *h = c->host;
    if (!h)
        return;
    leave_place(c);
    enter_place(c, h, SD_ESTABLISHED);
    sd_timers_set(&c->ep->idle, &c->idle, now);
}
