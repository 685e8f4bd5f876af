/* SPDX-License-Identifier: MIT */
/* What has been read from a socket and not been looked at yet. */
#include "net/internal.h"

bool sd_demux_pending(const struct sd_demux *d)
{
    return d->parcels || d->batch.at < d->batch.count || d->reports.at < d->reports.count;
}

void sd_demux_forget(struct sd_demux *d, const struct sd_peer *p)
{
    if (d->origin.peer != p)
        return;
    d->origin.peer = NULL;
    d->reports.at = d->reports.count;
}

void sd_demux_describe(const struct sd_source *s, const struct sd_batch_datagram *p,
                       struct sd_received *out)
{
    *out = (struct sd_received){.data = p->data,
                                .len = p->len,
                                .peer = p->peer,
                                .local = p->has_local ? p->local : s->local,
                                .listener = s->listener,
                                .fragment = p->fragment};
    if (p->has_local)
        sd_addr_set_port(&out->local, sd_addr_port(&s->local));
}
