/* SPDX-License-Identifier: MIT */
/* Eight senders and four local addresses, by the number that an operation gives. */
#ifndef FUZZ_SENDERS_H
#define FUZZ_SENDERS_H

#include "harness/gate_kit.h"

enum { SENDERS = 8, LOCALS = 4, LOCAL_PORT = 4433 };

/* fe80::n on interface `scope`. */
static inline struct sd_addr link_local(uint8_t n, unsigned scope, uint16_t port)
{
    struct sd_addr a = sd_addr_any(AF_INET6, port);
    a.in6.sin6_addr.s6_addr[0] = 0xfe;
    a.in6.sin6_addr.s6_addr[1] = 0x80;
    a.in6.sin6_addr.s6_addr[15] = n;
    a.in6.sin6_scope_id = scope;
    return a;
}

/* 5 and 6 differ only in the interface. */
static inline struct sd_addr sender(unsigned i)
{
    static const struct {
        uint8_t family, host;
        uint16_t port;
    } all[SENDERS] = {{KIT_FOUR, 1, 4000}, {KIT_FOUR, 1, 4001}, {KIT_FOUR, 2, 4000},
                      {KIT_FOUR, 3, 4443}, {KIT_SIX, 1, 4000},  [7] = {KIT_MAPPED, 1, 4000}};
    return i == 5 || i == 6 ? link_local(1, i - 4, 4001)
                            : kit_addr(all[i].family, all[i].host, all[i].port);
}

/* 0 and 1 are IPv4, 2 is IPv6, 3 is link-local. */
static inline struct sd_addr local(unsigned i)
{
    return i == 3 ? link_local(100, 1, LOCAL_PORT)
                  : kit_addr(i < 2 ? KIT_FOUR : KIT_SIX, (uint8_t)(100 + i), LOCAL_PORT);
}

/* Bits 0 to 2: a sender. Bit 3: our second IPv4 address. */
static inline void pair(uint8_t arg, unsigned *from, unsigned *to)
{
    *from = arg & 7;
    *to = *from == 5 || *from == 6 ? 3 : *from >= 4 ? 2 : arg >> 3 & 1;
}

#endif
