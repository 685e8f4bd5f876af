/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "flow/internal.h"

struct flow_key {
    const struct sd_addr *a, *b;
    uint64_t lane;
};

static uint64_t pack_v4(const struct sd_addr *a)
{
    return (uint64_t)a->in.sin_addr.s_addr << 16 | a->in.sin_port;
}

/* Every packet asks for its pair, and mostly in IPv4: two words are all of it. */
static uint64_t hash_pair_v4(const struct sd_tracker *t, const struct flow_key *k)
{
    uint64_t a = pack_v4(k->a), b = pack_v4(k->b);
    uint64_t words[] = {a < b ? a : b, a < b ? b : a, k->lane};
    return sd_hash(t->config.key, words, k->lane ? sizeof words : sizeof words - sizeof k->lane);
}

/* Either direction gives the same bytes. */
static uint64_t hash_pair(const struct sd_tracker *t, const struct flow_key *k)
{
    if (k->a->sa.sa_family == AF_INET && k->b->sa.sa_family == AF_INET)
        return hash_pair_v4(t, k);
    uint8_t bytes[2 * SD_ADDR_BYTES + sizeof(uint64_t)], one[SD_ADDR_BYTES], two[SD_ADDR_BYTES];
    size_t m = sd_addr_bytes(k->a, one), n = sd_addr_bytes(k->b, two);
    bool swap = m > n || (m == n && memcmp(one, two, n) > 0);
    memcpy(bytes, swap ? two : one, swap ? n : m);
    memcpy(bytes + (swap ? n : m), swap ? one : two, swap ? m : n);
    memcpy(bytes + m + n, &k->lane, sizeof k->lane);
    return sd_hash(t->config.key, bytes, m + n + sizeof k->lane);
}

static bool same_pair(const struct sd_node *n, const void *key)
{
    const struct sd_flow *f = sd_container(n, struct sd_flow, by_addr);
    const struct flow_key *k = key;
    return f->lane == k->lane &&
           ((sd_addr_eq(&f->addr[0], k->a) && sd_addr_eq(&f->addr[1], k->b)) ||
            (sd_addr_eq(&f->addr[0], k->b) && sd_addr_eq(&f->addr[1], k->a)));
}

struct sd_flow *sd_flow_find(struct sd_tracker *t, const struct sd_addr *a, const struct sd_addr *b,
                             uint64_t lane)
{
    struct flow_key k = {a, b, lane};
    struct sd_node *n = sd_table_find(&t->flows, hash_pair(t, &k), same_pair, &k);
    return n ? sd_container(n, struct sd_flow, by_addr) : NULL;
}

static void unlink_age(struct sd_tracker *t, struct sd_flow *f)
{
    *(f->newer ? &f->newer->older : &t->newest) = f->older;
    *(f->older ? &f->older->newer : &t->oldest) = f->newer;
    f->newer = f->older = NULL;
}

static void link_newest(struct sd_tracker *t, struct sd_flow *f)
{
    f->older = t->newest;
    *(t->newest ? &t->newest->newer : &t->oldest) = f;
    t->newest = f;
}

void sd_flow_touch(struct sd_tracker *t, struct sd_flow *f)
{
    f->last = t->now;
    if (t->newest == f)
        return;
    unlink_age(t, f);
    link_newest(t, f);
}

static void evict_oldest(struct sd_tracker *t)
{
    while (t->flows.count >= t->config.max_flows && t->oldest) {
        if (t->oldest->x) {
            t->oldest->x->evicted = true;
            t->counts.evicted++;
        }
        sd_flow_remove(t, t->oldest);
    }
}

struct sd_flow *sd_flow_add(struct sd_tracker *t, const struct sd_addr *a, const struct sd_addr *b,
                            uint64_t lane)
{
    evict_oldest(t);
    struct sd_flow *f = sd_alloc_new(&t->config.alloc, sizeof *f);
    if (!f) {
        t->counts.no_memory++;
        return NULL;
    }
    struct flow_key k = {a, b, lane};
    f->addr[0] = *a;
    f->addr[1] = *b;
    f->lane = lane;
    f->last = t->now;
    sd_table_add(&t->flows, &f->by_addr, hash_pair(t, &k));
    link_newest(t, f);
    return f;
}

void sd_flow_remove(struct sd_tracker *t, struct sd_flow *f)
{
    if (f->x) {
        sd_exchange_judge(t, f);
        sd_exchange_drop(t, f);
    }
    sd_ice_judge(t, f);
    sd_alloc_free(&t->config.alloc, f->ice);
    unlink_age(t, f);
    sd_table_remove(&t->flows, &f->by_addr);
    sd_alloc_free(&t->config.alloc, f);
}

struct sd_exchange *sd_exchange_begin(struct sd_tracker *t, struct sd_flow *f)
{
    struct sd_exchange *x = sd_alloc_new(&t->config.alloc, sizeof *x);
    /* Whoever reads the log may rely on its first event. */
    struct sd_event *log = sd_alloc_new(&t->config.alloc, SD_LOG_FIRST * sizeof *log);
    if (!x || !log) {
        sd_alloc_free(&t->config.alloc, x);
        sd_alloc_free(&t->config.alloc, log);
        t->counts.no_memory++;
        return NULL;
    }
    x->log = log;
    x->room = SD_LOG_FIRST;
    x->id = ++t->next_id;
    x->previous = f->previous;
    x->after_established = f->previous_established;
    x->path_validated = f->validated;
    f->x = x;
    f->ask_again = 0;
    f->prev = t->last;
    f->next = NULL;
    *(t->last ? &t->last->next : &t->first) = f;
    t->last = f;
    t->counts.exchanges++;
    return x;
}

void sd_exchange_drop(struct sd_tracker *t, struct sd_flow *f)
{
    struct sd_exchange *x = f->x;
    sd_index_leave(&t->index, f);
    sd_pending_free(t, f);
    if (f->keys)
        t->config.unprotect->end(f->keys);
    f->keys = NULL;
    f->tried_keys = false;
    f->previous = x->id;
    f->previous_established = x->established != 0;
    f->previous_random = sd_random_hash(t, x->client_random);
    for (int i = 0; i < SD_KEPTS; i++) {
        t->kept -= sd_kept(x, (enum sd_kept)i).len;
        sd_alloc_free(&t->config.alloc, x->kept[i]);
    }
    sd_rare_free(t, x);
    sd_alloc_free(&t->config.alloc, x->log);
    sd_alloc_free(&t->config.alloc, x);
    f->x = NULL;
    *(f->prev ? &f->prev->next : &t->first) = f->next;
    *(f->next ? &f->next->prev : &t->last) = f->prev;
    f->prev = f->next = NULL;
}
