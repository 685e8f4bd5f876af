#include "flow/index.h"

#include <string.h>

#include "flow/internal.h"

static uint64_t hash_addr(const struct sd_tracker *t, const struct sd_addr *a, bool host)
{
    uint8_t bytes[SD_ADDR_BYTES];
    struct sd_addr addr = *a;
    if (host)
        sd_addr_set_port(&addr, 0);
    return sd_hash(t->config.key, bytes, sd_addr_bytes(&addr, bytes));
}

static uint64_t hash_of(const struct sd_tracker *t, const struct sd_exchange *x, enum sd_kind kind)
{
    switch (kind) {
    case SD_BY_RANDOM:
        return sd_hash(t->config.key, x->client_random, sizeof x->client_random);
    case SD_BY_SERVER:
        return hash_addr(t, &x->server, false);
    default:
        return hash_addr(t, &x->client, true);
    }
}

/* Of 64 bits under a secret key: a collision would only make a group larger, and whoever
 * reads it compares what he looks for. */
static bool any(const struct sd_node *n, const void *key)
{
    (void)n, (void)key;
    return true;
}

static void enter(struct sd_tracker *t, struct sd_flow *f, enum sd_kind kind)
{
    struct sd_link *l = &f->alike[kind];
    uint64_t hash = hash_of(t, f->x, kind);
    struct sd_node *n = sd_table_find(&t->groups[kind], hash, any, NULL);
    struct sd_group *g =
        n ? sd_container(n, struct sd_group, node) : sd_alloc_new(&t->config.alloc, sizeof *g);
    if (!g) {
        t->counts.no_memory++;
        return;
    }
    if (!n)
        sd_table_add(&t->groups[kind], &g->node, hash);
    *l = (struct sd_link){.group = g, .next = g->first};
    if (g->first)
        g->first->prev = l;
    g->first = l;
}

static void leave(struct sd_tracker *t, struct sd_flow *f, enum sd_kind kind)
{
    struct sd_link *l = &f->alike[kind];
    struct sd_group *g = l->group;
    if (!g)
        return;
    *(l->prev ? &l->prev->next : &g->first) = l->next;
    if (l->next)
        l->next->prev = l->prev;
    *l = (struct sd_link){0};
    if (!g->first) {
        sd_table_remove(&t->groups[kind], &g->node);
        sd_alloc_free(&t->config.alloc, g);
    }
}

void sd_flow_index(struct sd_tracker *t, struct sd_flow *f)
{
    for (enum sd_kind k = SD_BY_RANDOM; k < SD_KINDS; k++)
        if (!f->alike[k].group && (k != SD_BY_RANDOM || f->x->has_client_random))
            enter(t, f, k);
}

void sd_flow_unindex(struct sd_tracker *t, struct sd_flow *f)
{
    for (enum sd_kind k = SD_BY_RANDOM; k < SD_KINDS; k++)
        leave(t, f, k);
}

const struct sd_link *sd_index_clients(const struct sd_tracker *t, const struct sd_addr *client)
{
    struct sd_node *n =
        sd_table_find(&t->groups[SD_BY_CLIENT], hash_addr(t, client, true), any, NULL);
    return n ? sd_container(n, struct sd_group, node)->first : NULL;
}

static bool same_host(const struct sd_addr *a, const struct sd_addr *b)
{
    struct sd_addr one = *a, two = *b;
    sd_addr_set_port(&one, 0);
    sd_addr_set_port(&two, 0);
    return sd_addr_eq(&one, &two);
}

static bool alike(const struct sd_exchange *x, const struct sd_exchange *o, enum sd_kind kind)
{
    switch (kind) {
    case SD_BY_RANDOM:
        return !memcmp(x->client_random, o->client_random, sizeof x->client_random);
    case SD_BY_SERVER:
        return sd_addr_eq(&x->server, &o->server);
    default:
        return same_host(&x->client, &o->client) && sd_addr_eq(&x->server, &o->server);
    }
}

/* The bound holds for those looked at: a crowd behind one address is no reason to become
 * quadratic. */
static size_t collect(const struct sd_index *index, const struct sd_exchange *x, enum sd_kind kind,
                      const struct sd_exchange **found)
{
    const struct sd_tracker *t = (const struct sd_tracker *)index;
    struct sd_node *n = sd_table_find(&t->groups[kind], hash_of(t, x, kind), any, NULL);
    struct sd_link *l = n ? sd_container(n, struct sd_group, node)->first : NULL;
    size_t count = 0;
    for (unsigned looked = 0; l && looked < SD_INDEX_MAX; looked++, l = l->next) {
        const struct sd_flow *f = sd_container(l - kind, struct sd_flow, alike);
        if (f->x != x && alike(x, f->x, kind))
            found[count++] = f->x;
    }
    return count;
}

size_t sd_index_same_random(const struct sd_index *index, const struct sd_exchange *x,
                            const struct sd_exchange *found[static SD_INDEX_MAX])
{
    return x->has_client_random ? collect(index, x, SD_BY_RANDOM, found) : 0;
}

size_t sd_index_same_server(const struct sd_index *index, const struct sd_exchange *x,
                            const struct sd_exchange *found[static SD_INDEX_MAX])
{
    return collect(index, x, SD_BY_SERVER, found);
}

size_t sd_index_same_pair(const struct sd_index *index, const struct sd_exchange *x,
                          const struct sd_exchange *found[static SD_INDEX_MAX])
{
    return collect(index, x, SD_BY_CLIENT, found);
}
