/* SPDX-License-Identifier: MIT */
/* The events of a datagram, for who prints packets. */
#include "flow/internal.h"

void sd_packet_report(struct sd_tracker *t, const struct sd_exchange *x,
                      const struct sd_datagram *d)
{
    if (!t->config.packet || !t->event_count)
        return;
    struct sd_packet p = {.datagram = d,
                          .x = x,
                          .number = t->events[0].number,
                          .time = t->events[0].time,
                          .events = t->events,
                          .count = t->event_count};
    t->config.packet(t->config.arg, &p);
}
