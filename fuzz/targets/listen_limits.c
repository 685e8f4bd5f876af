/* SPDX-License-Identifier: MIT */
/* What holds for the clients of a server at any time: limits, and who replaces whom. */
#include "harness/common.h"
#include "kernel/vk.h"
#include "targets/listen.h"

#include "endpoint/internal.h"

const uint8_t *listen_standing(const sdtls *s, const sdtls_conn *c)
{
    const struct sdtls_conn *o;
    const uint8_t *random = NULL;
    if (c->incumbent)
        return c->incumbent->random;
    TAILQ_FOREACH(o, &s->conns, all)
    {
        bool same = sd_addr_eq(&o->remote, &c->remote) && sd_addr_eq(&o->local, &c->local);
        if (o != c && same && o->state == SD_CONN_CLOSING && !o->peer)
            random = o->random;
    }
    return random;
}

bool listen_replaced(const sdtls *s, const sdtls_conn *old)
{
    const struct sdtls_conn *c;
    TAILQ_FOREACH(c, &s->conns, all)
    {
        if (c != old && c->state == SD_CONN_ESTABLISHED && sd_addr_eq(&c->remote, &old->remote) &&
            sd_addr_eq(&c->local, &old->local))
            return true;
    }
    return false;
}

static unsigned half_open_of(const sdtls *s, const struct sd_addr *host)
{
    const struct sdtls_conn *c;
    unsigned n = 0;
    TAILQ_FOREACH(c, &s->conns, all)
    {
        struct sd_addr h = sd_addr_host(&c->remote);
        n += c->host && c->place == SD_HALF_OPEN && sd_addr_eq(&h, host);
    }
    return n;
}

/* Two addresses have one connection, and perhaps one handshake that shall replace it. */
static void check_pair(const sdtls *s, const struct sdtls_conn *c)
{
    const struct sdtls_conn *o;
    TAILQ_FOREACH(o, &s->conns, all)
    {
        if (o == c || !o->server || !c->server || !o->peer || o->peer != c->peer)
            continue;
        fuzz_check(o->successor == c || o->incumbent == c, "two connections share a peer");
        fuzz_check((o->state == SD_CONN_ESTABLISHED) != (c->state == SD_CONN_ESTABLISHED),
                   "two connections of one kind share a peer");
    }
}

void listen_check_limits(const sdtls *s, bool faulty)
{
    const struct sdtls_conn *c;
    unsigned half_open = 0;
    size_t bytes = 0;
    if (!s->cfg.max_clients)
        return;
    fuzz_check(s->limits->places[SD_ESTABLISHED] <= s->cfg.max_clients, "%zu clients are too many",
               s->limits->places[SD_ESTABLISHED]);
    TAILQ_FOREACH(c, &s->conns, all)
    {
        struct sd_addr host = sd_addr_host(&c->remote);
        bool begins = c->host && c->place == SD_HALF_OPEN;
        half_open += begins;
        bytes += c->bytes;
        check_pair(s, c);
        fuzz_check(!begins || half_open_of(s, &host) <= s->cfg.max_half_open_per_host,
                   "too many half-open clients of one host");
        fuzz_check(c->state != SD_CONN_HANDSHAKE ||
                       vk_now() <= c->began + (LISTEN_HANDSHAKE_S + 1) * SD_SEC || faulty,
                   "a handshake lasts %llu s",
                   (unsigned long long)((vk_now() - c->began) / SD_SEC));
    }
    fuzz_check(half_open == s->limits->places[SD_HALF_OPEN] && half_open <= s->cfg.max_half_open,
               "%u half-open clients, counted %zu", half_open, s->limits->places[SD_HALF_OPEN]);
    size_t most = s->cfg.max_half_open_bytes; /* 0 in a configuration of an older program */
    fuzz_check(bytes == s->limits->half_open_bytes && (!most || bytes <= most),
               "%zu bytes of half-open clients, counted %zu", bytes, s->limits->half_open_bytes);
}
