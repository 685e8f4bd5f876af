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

void sd_flow_evict(struct sd_tracker *t)
{
    if (t->oldest->x) {
        t->oldest->x->evicted = true;
        t->counts.evicted++;
    }
    sd_flow_remove(t, t->oldest);
}

struct sd_flow *sd_flow_add(struct sd_tracker *t, const struct sd_addr *a, const struct sd_addr *b,
                            uint64_t lane)
{
    while (t->flows.count >= t->config.max_flows && t->oldest)
        sd_flow_evict(t);
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
    if (f->x)
        sd_exchange_end(t, f);
    sd_ice_judge(t, f);
    sd_alloc_free(&t->config.alloc, f->ice);
    unlink_age(t, f);
    sd_table_remove(&t->flows, &f->by_addr);
    sd_alloc_free(&t->config.alloc, f);
}

struct sd_exchange *sd_exchange_begin(struct sd_tracker *t, struct sd_flow *f)
{
    struct sd_held *h = sd_alloc_new(&t->config.alloc, sizeof *h);
    /* Whoever reads the log may rely on its first event. */
    struct sd_event *log = sd_alloc_new(&t->config.alloc, SD_LOG_FIRST * sizeof *log);
    if (!h || !log) {
        sd_alloc_free(&t->config.alloc, h);
        sd_alloc_free(&t->config.alloc, log);
        t->counts.no_memory++;
        return NULL;
    }
    struct sd_exchange *x = &h->x;
    x->log = log;
    x->room = SD_LOG_FIRST;
    t->logs += SD_LOG_FIRST * sizeof *log;
    t->open++;
    x->id = ++t->next_id;
    x->previous = f->previous;
    x->after_established = f->previous_established;
    x->path_validated = f->validated;
    f->x = x;
    f->closed_next = f->closed_prev = NULL;
    f->ask_again = 0;
    f->prev = t->last;
    f->next = NULL;
    *(t->last ? &t->last->next : &t->first) = f;
    t->last = f;
    t->counts.exchanges++;
    return x;
}

void sd_flow_forget_closed(struct sd_tracker *t, struct sd_flow *f)
{
    if (!f->closed)
        return;
    *(f->closed_prev ? &f->closed_prev->closed_next : &t->closed_first) = f->closed_next;
    *(f->closed_next ? &f->closed_next->closed_prev : &t->closed_last) = f->closed_prev;
    f->closed_prev = f->closed_next = NULL;
    f->closed = false;
}

void sd_flow_note_closed(struct sd_tracker *t, struct sd_flow *f)
{
    if (f->closed)
        return;
    f->closed = true;
    f->closed_prev = t->closed_last;
    *(t->closed_last ? &t->closed_last->closed_next : &t->closed_first) = f;
    t->closed_last = f;
}

static void unlink_exchange(struct sd_tracker *t, struct sd_flow *f)
{
    *(f->prev ? &f->prev->next : &t->first) = f->next;
    *(f->next ? &f->next->prev : &t->last) = f->prev;
    f->prev = f->next = NULL;
}

static size_t kept_bytes(const struct sd_exchange *x)
{
    size_t sum = 0;
    for (int i = 0; i < SD_KEPTS; i++)
        sum += sd_kept(x, (enum sd_kept)i).len;
    return sum;
}

struct sd_held *sd_exchange_take_out(struct sd_tracker *t, struct sd_flow *f)
{
    struct sd_exchange *x = f->x;
    size_t kept = kept_bytes(x), log = x->room * sizeof *x->log;
    sd_index_leave(&t->index, x);
    sd_pending_free(t, f);
    if (f->keys)
        t->config.unprotect->end(f->keys);
    f->keys = NULL;
    f->tried_keys = false;
    f->previous = x->id;
    f->previous_established = x->established != 0;
    f->previous_random = sd_random_hash(t, x->client_random);
    f->x = NULL;
    t->kept -= kept;
    t->logs -= log;
    t->open--;
    sd_flow_forget_closed(t, f);
    f->candidates = 0;
    unlink_exchange(t, f);
    sd_held_of(x)->now = t->now;
    sd_held_of(x)->drops = t->drops;
    sd_held_of(x)->bytes = (uint32_t)(sizeof(struct sd_held) + kept + log);
    return sd_held_of(x);
}

void sd_held_free(const struct sd_alloc *a, struct sd_held *h)
{
    for (int i = 0; i < SD_KEPTS; i++)
        sd_alloc_free(a, h->x.kept[i]);
    sd_rare_free(a, &h->x);
    sd_alloc_free(a, h->x.log);
    sd_alloc_free(a, h);
}

void sd_exchange_drop(struct sd_tracker *t, struct sd_flow *f)
{
    sd_held_free(&t->config.alloc, sd_exchange_take_out(t, f));
}

void sd_exchange_end(struct sd_tracker *t, struct sd_flow *f)
{
    const struct sd_handover *to = t->config.handover;
    if (to && t->config.done) {
        to->take(to->arg, sd_exchange_take_out(t, f));
        return;
    }
    if (t->config.done)
        sd_exchange_judge(t, f);
    sd_exchange_drop(t, f);
}
