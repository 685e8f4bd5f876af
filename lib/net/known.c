/* SPDX-License-Identifier: MIT */
/* The table of peers: who sent what to which address. */
#include "net/internal.h"

struct peer_key {
    const struct sd_addr *remote, *local;
};

uint64_t sd_peer_hash(const struct sd_demux *d, const struct sd_addr *remote,
                      const struct sd_addr *local)
{
    uint8_t bytes[2 * SD_ADDR_BYTES];
    size_t n = sd_addr_bytes(remote, bytes);
    n += sd_addr_bytes(local, bytes + n);
    return sd_hash(d->key, bytes, n);
}

static bool same_peer(const struct sd_node *n, const void *key)
{
    const struct sd_peer *p = (const struct sd_peer *)(const void *)n;
    const struct peer_key *k = key;
    return sd_addr_eq(&p->remote, k->remote) && sd_addr_eq(&p->local, k->local);
}

struct sd_peer *sd_peer_find(const struct sd_demux *d, const struct sd_addr *remote,
                             const struct sd_addr *local)
{
    const struct peer_key k = {remote, local};
    struct sd_node *n = sd_table_find(&d->peers, sd_peer_hash(d, remote, local), same_peer, &k);
    return n ? sd_container(n, struct sd_peer, node) : NULL;
}
