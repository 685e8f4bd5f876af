/* SPDX-License-Identifier: MIT */
/* Limits on clients that have proved their address but nothing else. */
#include <stdlib.h>

#include "base/hash.h"
#include "endpoint/internal.h"

enum { MAX_CLIENTS = 65536, MAX_HALF_OPEN = 2048, MAX_HALF_OPEN_PER_HOST = 1024 };

struct host {
    struct sd_node node;
    struct sd_addr addr;
    size_t count;
};

static size_t limit_of(unsigned configured, size_t otherwise)
{
    return configured ? configured : otherwise;
}

static bool is_host(const struct sd_node *n, const void *key)
{
    return sd_addr_eq(&sd_container(n, const struct host, node)->addr, key);
}

static uint64_t host_hash(const struct sdtls *s, const struct sd_addr *addr)
{
    uint8_t bytes[SD_ADDR_BYTES];
    return sd_hash(s->host_key, bytes, sd_addr_bytes(addr, bytes));
}

static struct host *host_find(struct sdtls *s, const struct sd_addr *peer)
{
    struct sd_addr addr = sd_addr_host(peer);
    struct sd_node *n = sd_table_find(&s->hosts, host_hash(s, &addr), is_host, &addr);
    return n ? sd_container(n, struct host, node) : NULL;
}

static bool one_more_half_open(struct sdtls *s, const struct sd_addr *peer, enum sd_count *hit)
{
    const struct host *h = host_find(s, peer);
    if (s->half_open >= limit_of(s->cfg.max_half_open, MAX_HALF_OPEN))
        *hit = SD_COUNT_LIMIT_HALF_OPEN;
    else if (h && h->count >= limit_of(s->cfg.max_half_open_per_host, MAX_HALF_OPEN_PER_HOST))
        *hit = SD_COUNT_LIMIT_HOST;
    else
        return true;
    return false;
}

bool sd_limit_admits(struct sdtls *s, const struct sd_addr *peer, enum sd_count *hit)
{
    if (s->servers < limit_of(s->cfg.max_clients, MAX_CLIENTS))
        return one_more_half_open(s, peer, hit);
    *hit = SD_COUNT_LIMIT_CLIENTS;
    return false;
}

bool sd_limit_admits_restart(const struct sdtls_conn *old, enum sd_count *hit)
{
    return old->half_open || one_more_half_open(old->ep, &old->remote, hit);
}

static struct host *host_add(struct sdtls *s, const struct sd_addr *peer)
{
    struct host *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->addr = sd_addr_host(peer);
    sd_table_add(&s->hosts, &h->node, host_hash(s, &h->addr));
    return h;
}

bool sd_limit_add(struct sdtls_conn *c)
{
    struct host *h = host_find(c->ep, &c->remote);
    if (!h && !(h = host_add(c->ep, &c->remote)))
        return false;
    h->count++;
    c->ep->half_open++;
    c->half_open = true;
    return true;
}

void sd_limit_drop(struct sdtls_conn *c)
{
    if (!c->half_open)
        return;
    c->half_open = false;
    c->ep->half_open--;
    struct host *h = host_find(c->ep, &c->remote);
    if (!h || --h->count)
        return;
    sd_table_remove(&c->ep->hosts, &h->node);
    free(h);
}
