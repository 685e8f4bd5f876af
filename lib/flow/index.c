/* SPDX-License-Identifier: MIT */
#include "flow/index.h"

#include <string.h>

#include "flow/internal.h"

bool sd_index_init(struct sd_index *index, const struct sd_tracker_config *config)
{
    bool ok = true;
    *index = (struct sd_index){.alloc = config->alloc, .key = config->key};
    for (int by = 0; by < SD_LIKENESSES; by++)
        ok = sd_table_init(&index->groups[by]) && ok;
    return ok;
}

void sd_index_fini(struct sd_index *index)
{
    for (int by = 0; by < SD_LIKENESSES; by++)
        sd_table_fini(&index->groups[by]);
}

/* --- groups --- */

static uint64_t hash_addr(const struct sd_index *index, const struct sd_addr *addr)
{
    uint8_t bytes[SD_ADDR_BYTES];
    return sd_hash(index->key, bytes, sd_addr_bytes(addr, bytes));
}

static uint64_t hash_likeness(const struct sd_index *index, enum sd_likeness by,
                              const struct sd_addr *addr)
{
    struct sd_addr host = *addr;
    if (by == SD_BY_SERVER)
        return hash_addr(index, addr);
    sd_addr_set_port(&host, 0);
    return hash_addr(index, &host);
}

static uint64_t hash_exchange(const struct sd_index *index, enum sd_likeness by,
                              const struct sd_exchange *x)
{
    if (by == SD_BY_RANDOM)
        return sd_hash(index->key, x->client_random, sizeof x->client_random);
    return hash_likeness(index, by, by == SD_BY_SERVER ? &x->server : &x->client);
}

/* Of 64 bits under a secret key: a collision would only make a group larger, and who reads it
 * compares. */
static bool any_group(const struct sd_node *n, const void *key)
{
    (void)n, (void)key;
    return true;
}

static struct sd_group *find_group(const struct sd_index *index, enum sd_likeness by, uint64_t hash)
{
    struct sd_node *n = sd_table_find(&index->groups[by], hash, any_group, NULL);
    return n ? sd_container(n, struct sd_group, node) : NULL;
}

static struct sd_group *find_or_add_group(struct sd_index *index, enum sd_likeness by,
                                          uint64_t hash)
{
    struct sd_group *g = find_group(index, by, hash);
    if (g)
        return g;
    g = sd_alloc_new(&index->alloc, sizeof *g);
    if (g)
        sd_table_add(&index->groups[by], &g->node, hash);
    return g;
}

static bool enter_group(struct sd_index *index, enum sd_likeness by, struct sd_exchange *x)
{
    struct sd_group *g = find_or_add_group(index, by, hash_exchange(index, by, x));
    struct sd_link *l = &sd_held_of(x)->alike[by];
    if (!g)
        return false;
    *l = (struct sd_link){.group = g, .next = g->first};
    if (g->first)
        g->first->prev = l;
    g->first = l;
    return true;
}

static void leave_group(struct sd_index *index, enum sd_likeness by, struct sd_exchange *x)
{
    struct sd_link *l = &sd_held_of(x)->alike[by];
    struct sd_group *g = l->group;
    if (!g)
        return;
    *(l->prev ? &l->prev->next : &g->first) = l->next;
    if (l->next)
        l->next->prev = l->prev;
    *l = (struct sd_link){0};
    if (!g->first) {
        sd_table_remove(&index->groups[by], &g->node);
        sd_alloc_free(&index->alloc, g);
    }
}

bool sd_index_enter(struct sd_index *index, struct sd_exchange *x)
{
    bool ok = true;
    for (enum sd_likeness by = SD_BY_RANDOM; by < SD_LIKENESSES; by++)
        if (!sd_held_of(x)->alike[by].group && (by != SD_BY_RANDOM || x->has_client_random))
            ok = enter_group(index, by, x) && ok;
    return ok;
}

void sd_index_leave(struct sd_index *index, struct sd_exchange *x)
{
    for (enum sd_likeness by = SD_BY_RANDOM; by < SD_LIKENESSES; by++)
        leave_group(index, by, x);
}

/* --- questions --- */

static struct sd_exchange *exchange_of_link(const struct sd_link *l, enum sd_likeness by)
{
    return l ? &sd_container(l - by, struct sd_held, alike)->x : NULL;
}

static struct sd_exchange *first_of_group(const struct sd_index *index, enum sd_likeness by,
                                          uint64_t hash)
{
    const struct sd_group *g = find_group(index, by, hash);
    return g ? exchange_of_link(g->first, by) : NULL;
}

struct sd_exchange *sd_index_first(const struct sd_index *index, enum sd_likeness by,
                                   const struct sd_addr *addr)
{
    return first_of_group(index, by, hash_likeness(index, by, addr));
}

struct sd_exchange *sd_index_next(struct sd_exchange *x, enum sd_likeness by)
{
    return exchange_of_link(sd_held_of(x)->alike[by].next, by);
}

static bool is_alike(const struct sd_exchange *x, const struct sd_exchange *o, enum sd_likeness by)
{
    switch (by) {
    case SD_BY_RANDOM:
        return !memcmp(x->client_random, o->client_random, sizeof x->client_random);
    case SD_BY_SERVER:
        return sd_addr_eq(&x->server, &o->server);
    default:
        return sd_same_machine(&x->client, &o->client) && sd_addr_eq(&x->server, &o->server);
    }
}

/* The bound holds for those looked at: many clients of one address are no reason to become
 * quadratic. */
static size_t find_others(const struct sd_index *index, const struct sd_exchange *x,
                          enum sd_likeness by, const struct sd_exchange **found)
{
    uint64_t hash = hash_exchange(index, by, x);
    size_t count = 0;
    unsigned looked = 0;
    for (; index; index = index->also)
        for (struct sd_exchange *o = first_of_group(index, by, hash); o && looked < SD_INDEX_MAX;
             looked++, o = sd_index_next(o, by))
            if (o != x && is_alike(x, o, by))
                found[count++] = o;
    return count;
}

size_t sd_index_same_random(const struct sd_index *index, const struct sd_exchange *x,
                            const struct sd_exchange *found[static SD_INDEX_MAX])
{
    return x->has_client_random ? find_others(index, x, SD_BY_RANDOM, found) : 0;
}

size_t sd_index_same_server(const struct sd_index *index, const struct sd_exchange *x,
                            const struct sd_exchange *found[static SD_INDEX_MAX])
{
    return find_others(index, x, SD_BY_SERVER, found);
}

size_t sd_index_same_pair(const struct sd_index *index, const struct sd_exchange *x,
                          const struct sd_exchange *found[static SD_INDEX_MAX])
{
    return find_others(index, x, SD_BY_CLIENT, found);
}

static size_t add_of_host(const struct sd_index *index, const struct sd_exchange *x,
                          const struct sd_addr *client, const struct sd_addr *server,
                          const struct sd_exchange **found, size_t count)
{
    unsigned looked = 0;
    for (; index; index = index->also)
        for (struct sd_exchange *o = sd_index_first(index, SD_BY_CLIENT, client);
             o && looked < SD_INDEX_MAX; looked++, o = sd_index_next(o, SD_BY_CLIENT))
            if (count < SD_INDEX_MAX && o != x && sd_same_machine(&o->client, client) &&
                sd_same_machine(&o->server, server))
                found[count++] = o;
    return count;
}

size_t sd_index_same_hosts(const struct sd_index *index, const struct sd_exchange *x,
                           const struct sd_exchange *found[static SD_INDEX_MAX])
{
    size_t count = add_of_host(index, x, &x->client, &x->server, found, 0);
    return add_of_host(index, x, &x->server, &x->client, found, count);
}
