/* SPDX-License-Identifier: MIT */
/* For targets with a gate: a keyed hash in place of HMAC-SHA-256 (the gate is handed its hash), and
 * addresses. */
#ifndef FUZZ_GATE_KIT_H
#define FUZZ_GATE_KIT_H

#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "gate/gate.h"

/* `arg` counts the calls, when not NULL. */
static inline void kit_mac(void *arg, const uint8_t key[SD_GATE_SECRET_LEN], const uint8_t *data,
                           size_t len, uint8_t out[32])
{
    if (arg)
        ++*(unsigned *)arg;
    for (size_t i = 0; i < 4; i++) {
        struct sd_hash_key k;
        memcpy(&k, key, sizeof k);
        k.k0 ^= i;
        uint64_t h = sd_hash(k, data, len);
        memcpy(out + 8 * i, &h, sizeof h);
    }
}

/* 192.0.2.n, 2001:db8::n, or ::ffff:192.0.2.n, which a table might confuse with the first. */
enum kit_family { KIT_FOUR, KIT_SIX, KIT_MAPPED, KIT_FAMILIES };

static inline struct sd_addr kit_addr(enum kit_family family, uint8_t n, uint16_t port)
{
    static const uint8_t six[12] = {0x20, 0x01, 0x0d, 0xb8},
                         mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const uint8_t four[] = {192, 0, 2, n};
    struct sd_addr a = sd_addr_any(family == KIT_FOUR ? AF_INET : AF_INET6, port);
    uint8_t *to = family == KIT_FOUR ? (uint8_t *)&a.in.sin_addr : a.in6.sin6_addr.s6_addr + 12;
    memcpy(to, four, sizeof four);
    if (family != KIT_FOUR)
        memcpy(a.in6.sin6_addr.s6_addr, family == KIT_SIX ? six : mapped, sizeof six);
    return a;
}

#endif
