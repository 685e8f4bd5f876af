/* SPDX-License-Identifier: MIT */
/* The cookies of fuzz_ossl_listen. Anybody can compute them, so the mutator can show good ones. */
#ifndef FUZZ_OSSL_COOKIE_H
#define FUZZ_OSSL_COOKIE_H

#include "harness/gate_kit.h"

enum { OSSL_PEERS = 4, OSSL_COOKIE_LEN = 20 };

static inline void ossl_cookie(unsigned peer, uint8_t out[static OSSL_COOKIE_LEN])
{
    static const uint8_t key[SD_GATE_SECRET_LEN] = "anybody may know this secret";
    uint8_t mac[32], name = (uint8_t)peer;
    kit_mac(NULL, key, &name, 1, mac);
    memcpy(out, mac, OSSL_COOKIE_LEN);
}

#endif
