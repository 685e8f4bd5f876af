/* SPDX-License-Identifier: MIT */
/* The hellos of completed handshakes. Their cookie may still be good, but whoever sends them again
 * repeats what it has seen. The table is small and forgets the oldest. */
#include <string.h>

#include "endpoint/internal.h"

/* A cookie is good for two periods of its secret at the most. */
#define SPENT_FOR (2 * SD_GATE_PERIOD)

static uint64_t spent_hash(const struct sdtls *s, const struct sd_addr *peer,
                           const uint8_t random[static 32])
{
    uint8_t bytes[SD_ADDR_BYTES + 32];
    size_t n = sd_addr_bytes(peer, bytes);
    memcpy(bytes + n, random, 32);
    return sd_hash(s->limits->key, bytes, n + 32);
}

void sd_spent_add(struct sdtls *s, const struct sd_addr *peer, const uint8_t random[static 32],
                  sd_time now)
{
    uint64_t hash = spent_hash(s, peer, random);
    sd_limits_lock(s->limits);
    s->limits->spent[hash % SD_SPENT] = (struct sd_spent){.hash = hash, .until = now + SPENT_FOR};
    sd_limits_unlock(s->limits);
}

bool sd_spent_has(const struct sdtls *s, const struct sd_addr *peer,
                  const uint8_t random[static 32], sd_time now)
{
    uint64_t hash = spent_hash(s, peer, random);
    sd_limits_lock(s->limits);
    const struct sd_spent e = s->limits->spent[hash % SD_SPENT];
    sd_limits_unlock(s->limits);
    return e.hash == hash && now < e.until;
}
