/* SPDX-License-Identifier: MIT */
/* Counters of every layer under one list of names: "layer.what". */
#include <string.h>

#include "endpoint/internal.h"

static const char *const names[] = {
#define SD_X(name, text) "net." text,
    SD_NET_COUNTERS(SD_X)
#undef SD_X
#define SD_X(name, text) "gate." text,
        SD_GATE_REASONS(SD_X)
#undef SD_X
            "gate.trailing-bytes",
#define SD_X(name, text) "guard." text,
    SD_GUARD_COUNTERS(SD_X)
#undef SD_X
#define SD_X(name, text) "conn." text,
        SD_COUNT_COUNTERS(SD_X)
#undef SD_X
            "conn.half-open-bytes",
};

enum {
    GATE_FROM = SD_NET_COUNTER_COUNT,
    TRAILING = GATE_FROM + SD_GATE_REASON_COUNT,
    GUARD_FROM,
    CONN_FROM = GUARD_FROM + SD_GUARD_COUNTER_COUNT,
    HALF_OPEN_BYTES = CONN_FROM + SD_COUNT_COUNT,
    END
};

_Static_assert(sizeof names / sizeof *names == END, "every counter has a name");

/* The kernel tells of a dropped datagram with the next one that it queues, if there is one. */
static void count_drops(const struct sdtls *s)
{
    struct sdtls_conn *c;
    TAILQ_FOREACH(c, &s->conns, all)
    {
        if (c->peer)
            sd_peer_count_drops(c->peer);
    }
    if (s->demux)
        sd_demux_count_drops(s->demux);
}

static uint64_t counter_value(const struct sdtls *s, unsigned i)
{
    if (i == SD_NET_OVERFLOW)
        count_drops(s);
    if (i < GATE_FROM)
        return s->demux ? sd_demux_counter(s->demux, (enum sd_net_counter)i) : 0;
    if (i < TRAILING)
        return s->gate_count[i - GATE_FROM];
    if (i == TRAILING)
        return s->gate_trailing;
    if (i < CONN_FROM)
        return s->guard_count[i - GUARD_FROM];
    if (i == HALF_OPEN_BYTES)
        return sd_limit_bytes(s);
    return s->conn_count[i - CONN_FROM];
}

uint64_t sdtls_counter(const struct sdtls *s, unsigned index, const char **name)
{
    if (name)
        *name = index < END ? names[index] : NULL;
    return index < END ? counter_value(s, index) : 0;
}

uint64_t sdtls_counter_named(const struct sdtls *s, const char *name)
{
    for (unsigned i = 0; i < END; i++)
        if (!strcmp(names[i], name))
            return counter_value(s, i);
    return 0;
}
