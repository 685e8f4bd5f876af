/* SPDX-License-Identifier: MIT */
/* The way out of the room, for what UDP or TCP carried. */
#include "capture/internal.h"

static void emit(void *arg, const struct sd_datagram *datagram)
{
    struct sd_decap *d = arg;
    if (d->config.sink.datagram)
        d->config.sink.datagram(d->config.sink.arg, datagram);
}

void sd_decap_emit(struct sd_decap *d, struct sd_datagram *datagram)
{
    sd_carriers_take(d->carriers, datagram, emit, d);
}
