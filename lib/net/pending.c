/* SPDX-License-Identifier: MIT */
/* What has been read from a socket and not been looked at yet. */
#include "net/internal.h"

bool sd_demux_pending(const struct sd_demux *d)
{
    return d->batch.at < d->batch.count || d->reports.at < d->reports.count;
}

void sd_demux_forget(struct sd_demux *d, const struct sd_peer *p)
{
    if (d->origin.peer != p)
        return;
    d->origin.peer = NULL;
    d->reports.at = d->reports.count;
}
