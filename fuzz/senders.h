/* Eight senders and three addresses of ours, as operations name them. */
#ifndef FUZZ_SENDERS_H
#define FUZZ_SENDERS_H

#include "gate_kit.h"

enum { SENDERS = 8, LOCALS = 3, LOCAL_PORT = 4433 };

static inline struct sd_addr sender(unsigned i)
{
    static const struct {
        uint8_t family, host;
        uint16_t port;
    } all[SENDERS] = {{KIT_FOUR, 1, 4000}, {KIT_FOUR, 1, 4001},  {KIT_FOUR, 2, 4000},
                      {KIT_FOUR, 3, 4443}, {KIT_SIX, 1, 4000},   {KIT_SIX, 1, 4001},
                      {KIT_SIX, 2, 4000},  {KIT_MAPPED, 1, 4000}};
    return kit_addr(all[i].family, all[i].host, all[i].port);
}

/* 0 and 1 are IPv4, 2 is IPv6. */
static inline struct sd_addr local(unsigned i)
{
    return kit_addr(i < 2 ? KIT_FOUR : KIT_SIX, (uint8_t)(100 + i), LOCAL_PORT);
}

/* Bits 0 to 2 a sender, bit 3 the second IPv4 address of ours. */
static inline void pair(uint8_t arg, unsigned *from, unsigned *to)
{
    *from = arg & 7;
    *to = *from >= 4 ? 2 : arg >> 3 & 1;
}

#endif
