/* SPDX-License-Identifier: MIT */
/* How many clients a server has at a time, and who gives up its place.
 *
 * A client that has proved its address and nothing else takes a half-open place. When these are
 * all taken, the host that holds most of them loses its oldest that has not answered yet: whoever
 * sends many hellos competes with itself, and a host with one client never pays for it. A client
 * whose handshake is complete takes a place among the established. When these are all taken, the
 * one that was idle longest goes, but none that had data a moment ago, unless its host holds more
 * places than the newcomer's would.
 *
 * Endpoints that serve together have one sd_limits, and all that is in it, the places of their
 * connections included, is used under its lock. Who leaves may be a connection of another thread:
 * it loses its place here, and its own thread ends it. Between the answer that a client may come
 * and its place, another thread may take that place: for a moment the half-open can be one more for
 * each other thread. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/random.h"
#include "endpoint/internal.h"
#include "net/socket.h"

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
    sd_time completed; /* the last handshake of a client of it; 0 = none */
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

bool sd_limits_init(struct sd_limits *l)
{
    return sd_random(&l->key, sizeof l->key) && sd_table_init(&l->hosts);
}

void sd_limits_fini(struct sd_limits *l)
{
    sd_table_fini(&l->hosts);
    sd_timers_fini(&l->crowds[SD_HALF_OPEN]);
    sd_timers_fini(&l->crowds[SD_ESTABLISHED]);
    sd_timers_fini(&l->idle);
}

size_t sd_limits_places(const sdtls_config *c)
{
    return limit_of(c->max_clients, MAX_CLIENTS) + limit_of(c->max_half_open, MAX_HALF_OPEN);
}

size_t sd_limit_bytes(const struct sdtls *s)
{
    sd_limits_lock(s->limits);
    size_t bytes = s->half_open_bytes;
    sd_limits_unlock(s->limits);
    return bytes;
}

static uint64_t host_hash(const struct sd_limits *l, const struct sd_addr *addr)
{
    uint8_t bytes[SD_ADDR_BYTES];
    return sd_hash(l->key, bytes, sd_addr_bytes(addr, bytes));
}

static struct sd_host *host_find(struct sd_limits *l, const struct sd_addr *peer)
{
    struct sd_addr addr = sd_addr_host(peer);
    struct sd_node *n = sd_table_find(&l->hosts, host_hash(l, &addr), is_host, &addr);
    return n ? sd_container(n, struct sd_host, node) : NULL;
}

static struct sd_host *host_add(struct sd_limits *l, const struct sd_addr *peer)
{
    struct sd_host *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    for (int p = 0; p < SD_PLACES; p++) {
        TAILQ_INIT(&h->of[p].conns);
        if (!sd_timers_reserve(&l->crowds[p], l->hosts.count + 1)) {
            free(h);
            return NULL;
        }
    }
    h->addr = sd_addr_host(peer);
    sd_table_add(&l->hosts, &h->node, host_hash(l, &h->addr));
    return h;
}

/* The heap of deadlines serves as one of counts: the largest comes first, and of equal ones that
 * with the oldest client. */
static void rank_host(struct sd_limits *l, struct sd_host *h, enum sd_place p)
{
    enum { AGE_BITS = 44 }; /* milliseconds for 500 years; 20 bits are left for the count */
    const struct sdtls_conn *oldest = TAILQ_FIRST(&h->of[p].conns);
    sd_time rank = SD_NEVER;
    if (oldest)
        rank = ~(uint64_t)h->of[p].count << AGE_BITS | oldest->began / SD_MS;
    sd_timers_set(&l->crowds[p], &h->of[p].rank, rank);
}

static struct sd_host *most_crowded(const struct sd_limits *l, enum sd_place p)
{
    const struct sd_timers *q = &l->crowds[p];
    return q->count ? sd_container(q->heap[0], struct sd_host, of[p].rank) : NULL;
}

static void enter_place(struct sdtls_conn *c, struct sd_host *h, enum sd_place p)
{
    struct sd_limits *l = c->ep->limits;
    c->host = h;
    c->place = p;
    TAILQ_INSERT_TAIL(&h->of[p].conns, c, neighbours);
    h->of[p].count++;
    rank_host(l, h, p);
    l->places[p]++;
}

static void count_bytes(struct sdtls_conn *c, size_t bytes)
{
    c->ep->limits->half_open_bytes += bytes - c->bytes;
    c->ep->half_open_bytes += bytes - c->bytes;
    c->bytes = bytes;
}

static void leave_place(struct sdtls_conn *c)
{
    struct sd_limits *l = c->ep->limits;
    struct sd_host *h = c->host;
    TAILQ_REMOVE(&h->of[c->place].conns, c, neighbours);
    h->of[c->place].count--;
    rank_host(l, h, c->place);
    l->places[c->place]--;
    count_bytes(c, 0);
    sd_timers_cancel(&l->idle, &c->idle);
    c->host = NULL;
}

static void leave_host(struct sdtls_conn *c)
{
    struct sd_host *h = c->host;
    leave_place(c);
    if (h->of[SD_HALF_OPEN].count || h->of[SD_ESTABLISHED].count)
        return;
    sd_table_remove(&c->ep->limits->hosts, &h->node);
    free(h);
}

void sd_limit_drop(struct sdtls_conn *c)
{
    if (!c->server)
        return;
    sd_limits_lock(c->ep->limits);
    if (c->host)
        leave_host(c);
    if (c->leaving && c->departure.tqe_prev)
        TAILQ_REMOVE(&c->ep->departures, c, departure);
    c->departure.tqe_prev = NULL;
    sd_limits_unlock(c->ep->limits);
}

/* It loses its place now, so that nobody else is given the same one. Returns it if its thread is
 * the caller's; otherwise that thread gets to know. */
static struct sdtls_conn *give_up_place(struct sdtls *s, struct sdtls_conn *c)
{
    if (!c)
        return NULL;
    c->leaving = true;
    c->crowd.all = s->limits->places[c->place];
    c->crowd.of_host = c->host->of[c->place].count;
    leave_host(c);
    if (c->ep == s)
        return c;
    TAILQ_INSERT_TAIL(&c->ep->departures, c, departure);
    __atomic_store_n(&c->ep->departing, true, __ATOMIC_RELEASE);
    sd_demux_call(c->ep->demux);
    return NULL;
}

bool sd_limit_departing(const struct sdtls *s)
{
    return __atomic_load_n(&s->departing, __ATOMIC_ACQUIRE);
}

struct sdtls_conn *sd_limit_departed(struct sdtls *s)
{
    if (!sd_limit_departing(s))
        return NULL;
    sd_limits_lock(s->limits);
    struct sdtls_conn *c = TAILQ_FIRST(&s->departures);
    if (c) {
        TAILQ_REMOVE(&s->departures, c, departure);
        c->departure.tqe_prev = NULL;
    } else {
        __atomic_store_n(&s->departing, false, __ATOMIC_RELAXED);
    }
    sd_limits_unlock(s->limits);
    return c;
}

/* --- half-open --- */

/* A client that has answered completes its handshake soon. */
static struct sdtls_conn *oldest_silent(const struct sd_host *h)
{
    struct sdtls_conn *c;
    TAILQ_FOREACH(c, &h->of[SD_HALF_OPEN].conns, neighbours)
    {
        if (!__atomic_load_n(&c->answered, __ATOMIC_RELAXED))
            return c;
    }
    return NULL;
}

/* Of another thread's client only its socket may be looked at: it stays open as long as the client
 * has its place. Without one, its answer may wait in the listeners, or on the way to that thread.
 */
static bool answer_waits(const struct sdtls *s, const struct sdtls_conn *c)
{
    if (c->ep == s)
        return c->peer && sd_peer_waits(c->peer);
    int fd = __atomic_load_n(&c->own_fd, __ATOMIC_RELAXED);
    return fd >= 0 ? sd_socket_waits(fd) : sd_demux_behind(c->ep->demux, s->demux);
}

/* Whether a host may replace its oldest silent client by another one of its own. Who is pushed out
 * cannot come back, while a newcomer that is refused asks again. So honest clients of one host,
 * many at once and slow, must not push each other out: on a busy machine the answer may wait in the
 * socket, and as long as the host's handshakes complete, places become free by themselves. */
static bool may_replace_own(const struct sdtls *s, const struct sd_host *h, sd_time now)
{
    const struct sdtls_conn *c = oldest_silent(h);
    bool progress = h->completed && now < h->completed + LEAST_LIFE;
    return c && !progress && now >= c->began + LEAST_LIFE && !answer_waits(s, c);
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
    if (own && !may_replace_own(s, h, now))
        return false;
    *leaves = who_gives_way(h);
    return true;
}

static bool make_room(struct sdtls *s, const struct sd_host *own, enum sd_count limit, sd_time now,
                      struct sdtls_conn **leaves)
{
    const struct sd_host *most = most_crowded(s->limits, SD_HALF_OPEN);
    if (!most)
        return false;
    bool fair = own && own->of[SD_HALF_OPEN].count &&
                own->of[SD_HALF_OPEN].count + 1 >= most->of[SD_HALF_OPEN].count;
    return replace_one(s, fair ? own : most, fair, limit, now, leaves);
}

static bool memory_is_left(const struct sdtls *s)
{
    return s->limits->half_open_bytes < limit_of(s->cfg.max_half_open_bytes, MAX_HALF_OPEN_BYTES);
}

static bool one_more_half_open(struct sdtls *s, const struct sd_host *h, sd_time now,
                               struct sdtls_conn **leaves)
{
    if (h && h->of[SD_HALF_OPEN].count >=
                 limit_of(s->cfg.max_half_open_per_host, MAX_HALF_OPEN_PER_HOST))
        return replace_one(s, h, true, SD_COUNT_LIMIT_HOST, now, leaves);
    if (s->limits->places[SD_HALF_OPEN] >= limit_of(s->cfg.max_half_open, MAX_HALF_OPEN))
        return make_room(s, h, SD_COUNT_LIMIT_HALF_OPEN, now, leaves);
    return memory_is_left(s) || make_room(s, h, SD_COUNT_LIMIT_MEMORY, now, leaves);
}

static bool enter_half_open(struct sdtls_conn *c)
{
    struct sd_limits *l = c->ep->limits;
    struct sd_host *h = host_find(l, &c->remote);
    /* Room for all that have a place, so that no later step can fail. */
    if (!sd_timers_reserve(&l->idle, l->places[SD_HALF_OPEN] + l->places[SD_ESTABLISHED] + 1))
        return false;
    if (!h && !(h = host_add(l, &c->remote)))
        return false;
    enter_place(c, h, SD_HALF_OPEN);
    return true;
}

bool sd_limit_add(struct sdtls_conn *c)
{
    sd_limits_lock(c->ep->limits);
    bool done = enter_half_open(c);
    sd_limits_unlock(c->ep->limits);
    return done;
}

static struct sdtls_conn *who_leaves_for_memory(struct sdtls *s)
{
    struct sdtls_conn *leaves = NULL;
    while (!leaves && !memory_is_left(s) && most_crowded(s->limits, SD_HALF_OPEN)) {
        s->conn_count[SD_COUNT_LIMIT_MEMORY]++;
        leaves = give_up_place(s, who_gives_way(most_crowded(s->limits, SD_HALF_OPEN)));
    }
    return leaves;
}

struct sdtls_conn *sd_limit_measure(struct sdtls_conn *c)
{
    struct sdtls *s = c->ep;
    if (!c->server || c->state != SD_CONN_HANDSHAKE)
        return NULL;
    size_t bytes = sd_session_memory(c->session);
    __atomic_store_n(&c->answered, sd_session_answered(c->session), __ATOMIC_RELAXED);
    sd_limits_lock(s->limits);
    if (c->host)
        count_bytes(c, bytes);
    struct sdtls_conn *leaves = who_leaves_for_memory(s);
    sd_limits_unlock(s->limits);
    return leaves;
}

/* --- established --- */

static sd_time idle_time(const struct sdtls_conn *c, sd_time now)
{
    sd_time active = sd_conn_active(c);
    return now > active ? now - active : 0;
}

/* Ranks are renewed only here: a datagram costs nothing more. */
static struct sdtls_conn *idle_longest(struct sd_limits *l)
{
    while (l->idle.count) {
        struct sdtls_conn *c = sd_container(l->idle.heap[0], struct sdtls_conn, idle);
        sd_time active = sd_conn_active(c);
        if (active <= c->idle.when)
            return c;
        sd_timers_set(&l->idle, &c->idle, active);
    }
    return NULL;
}

static struct sdtls_conn *idle_longest_of(const struct sd_host *h)
{
    struct sdtls_conn *c, *longest = NULL;
    TAILQ_FOREACH(c, &h->of[SD_ESTABLISHED].conns, neighbours)
    {
        if (!longest || sd_conn_active(c) < sd_conn_active(longest))
            longest = c;
    }
    return longest;
}

static size_t established_of(const struct sd_host *h)
{
    return h ? h->of[SD_ESTABLISHED].count : 0;
}

/* Who leaves for one more established client of this host: NULL = nobody. */
static struct sdtls_conn *who_leaves(struct sd_limits *l, const struct sd_host *h, bool of_host,
                                     sd_time now)
{
    struct sdtls_conn *c = of_host ? idle_longest_of(h) : idle_longest(l);
    if (c && idle_time(c, now) >= ACTIVE)
        return c;
    const struct sd_host *most = most_crowded(l, SD_ESTABLISHED);
    bool unfair = !of_host && most && established_of(most) > established_of(h) + 1;
    return unfair ? idle_longest_of(most) : NULL;
}

/* Whether one more can be established after `pending` others; *leaves gets who must leave for it,
 * or NULL. */
static bool one_more_established(struct sdtls *s, const struct sd_host *h, size_t pending,
                                 sd_time now, struct sdtls_conn **leaves, enum sd_count *limit)
{
    struct sd_limits *l = s->limits;
    size_t of_host = limit_of(s->cfg.max_clients_per_host, MAX_CLIENTS_PER_HOST);
    *leaves = NULL;
    *limit = SD_COUNT_LIMIT_HOST_CLIENTS;
    if (established_of(h) + pending >= of_host)
        return (*leaves = who_leaves(l, h, true, now));
    *limit = SD_COUNT_LIMIT_CLIENTS;
    if (l->places[SD_ESTABLISHED] + pending >= limit_of(s->cfg.max_clients, MAX_CLIENTS))
        return (*leaves = who_leaves(l, h, false, now));
    return true;
}

static bool admits(struct sdtls *s, const struct sd_addr *peer, sd_time now,
                   struct sdtls_conn **leaves, bool *tell)
{
    enum sd_count limit;
    const struct sd_host *h = host_find(s->limits, peer);
    /* Handshakes of the same host count, so that it learns at once. Those of others may not end. */
    size_t pending = h ? h->of[SD_HALF_OPEN].count : 0;
    *tell = !one_more_established(s, h, pending, now, leaves, &limit);
    *leaves = NULL; /* only when the handshake is complete */
    if (!*tell)
        return one_more_half_open(s, h, now, leaves);
    s->conn_count[limit]++;
    return false;
}

bool sd_limit_admits(struct sdtls *s, const struct sd_addr *peer, sd_time now,
                     struct sdtls_conn **leaves, bool *tell)
{
    sd_limits_lock(s->limits);
    bool may = admits(s, peer, now, leaves, tell);
    *leaves = give_up_place(s, *leaves);
    sd_limits_unlock(s->limits);
    return may;
}

bool sd_limit_admits_restart(const struct sdtls_conn *old, sd_time now, struct sdtls_conn **leaves)
{
    struct sdtls *s = old->ep;
    *leaves = NULL;
    if (old->state == SD_CONN_HANDSHAKE)
        return true;
    sd_limits_lock(s->limits);
    bool may = one_more_half_open(s, host_find(s->limits, &old->remote), now, leaves);
    *leaves = give_up_place(s, *leaves);
    sd_limits_unlock(s->limits);
    return may;
}

static bool establish(struct sdtls_conn *c, sd_time now, struct sdtls_conn **leaves)
{
    struct sdtls *s = c->ep;
    enum sd_count limit = SD_COUNT_LIMIT_CLIENTS;
    struct sd_host *h = c->host;
    if (!h || !one_more_established(s, h, 0, now, leaves, &limit)) {
        s->conn_count[limit]++;
        return false;
    }
    h->completed = now;
    *leaves = give_up_place(s, *leaves); /* not of this host alone: c itself is in it */
    leave_place(c);
    enter_place(c, h, SD_ESTABLISHED);
    sd_timers_set(&s->limits->idle, &c->idle, now);
    return true;
}

bool sd_limit_establish(struct sdtls_conn *c, sd_time now, struct sdtls_conn **leaves)
{
    *leaves = NULL;
    if (!c->server)
        return true;
    sd_limits_lock(c->ep->limits);
    bool done = establish(c, now, leaves);
    sd_limits_unlock(c->ep->limits);
    return done;
}
