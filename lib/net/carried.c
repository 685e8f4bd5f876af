/* SPDX-License-Identifier: MIT */
/* A demultiplexer without sockets: the program carries the datagrams. Peers are in the same table
 * as those that share a listener, and nothing here asks the system for anything. */
#include <errno.h>
#include <stdlib.h>

#include "net/internal.h"

int sd_demux_carry(struct sd_demux *d, struct sd_received *what)
{
    what->to = sd_peer_find(d, &what->peer, &what->local);
    if (!what->error)
        d->counters[SD_NET_RECEIVED]++;
    else if (what->to)
        d->counters[SD_NET_ICMP]++;
    return what->error && !what->to ? -ENOENT : 0;
}

int sd_demux_connect_path(struct sd_demux *d, const struct sd_path *path, void *user,
                          struct sd_peer **pp)
{
    if (sd_peer_find(d, &path->remote, &path->local))
        return -EADDRINUSE;
    struct sd_peer *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    *p = (struct sd_peer){.demux = d,
                          .settled = true,
                          .remote = path->remote,
                          .local = path->local,
                          .payload = path->payload,
                          .user = user};
    sd_peer_add(d, p);
    d->counters[SD_NET_SHARED]++;
    *pp = p;
    return 0;
}
