/* SPDX-License-Identifier: MIT */
#include "flow/rules/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void sd_say(struct sd_finding *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->detail, sizeof f->detail, fmt, ap);
    va_end(ap);
}

void sd_confuse(struct sd_finding *f, const char *id)
{
    f->runner_up = sd_catalogue_find(id);
}

void sd_prove_frame(struct sd_finding *f, uint32_t number, int64_t time)
{
    if (time && (!f->from || time < f->from))
        f->from = time;
    if (time > f->to)
        f->to = time;
    size_t at = f->packet_count;
    while (at && f->packets[at - 1] > number)
        at--;
    if ((at && f->packets[at - 1] == number) || f->packet_count == SD_PACKETS_MAX)
        return;
    memmove(f->packets + at + 1, f->packets + at, (f->packet_count - at) * sizeof f->packets[0]);
    f->packets[at] = number;
    f->packet_count++;
}

void sd_prove(struct sd_finding *f, const struct sd_event *e)
{
    sd_prove_frame(f, e->number, e->time);
}

/* cause < 0: any */
static void prove_some(struct sd_finding *f, const struct sd_view *v, enum sd_side side,
                       uint8_t flight, int cause, unsigned most)
{
    for (size_t i = 0; i < v->burst_count && most; i++) {
        const struct sd_burst *b = &v->bursts[i];
        if (b->side != side || b->flight != flight || (cause >= 0 && (int)b->cause != cause))
            continue;
        sd_prove_frame(f, b->number, b->start);
        most--;
    }
}

void sd_prove_bursts(struct sd_finding *f, const struct sd_view *v, enum sd_side side,
                     uint8_t flight, unsigned most)
{
    prove_some(f, v, side, flight, -1, most);
}

void sd_prove_caused(struct sd_finding *f, const struct sd_view *v, enum sd_side side,
                     uint8_t flight, enum sd_cause cause, unsigned most)
{
    prove_some(f, v, side, flight, (int)cause, most);
}

bool sd_server_flight_unanswered(const struct sd_view *v)
{
    return sd_view_bursts(v, SD_SERVER, 4) > 1 && !sd_view_bursts(v, SD_CLIENT, 5) &&
           !v->lost[SD_SERVER] && !sd_view_ending_alert(v);
}
