/* SPDX-License-Identifier: MIT */
#include "dtls_scan/ask/share.h"

#include <string.h>

#include "base/random.h"

enum { X25519 = 29, X25519_MLKEM768 = 4588, SECP256R1 = 23, SECP256R1_MLKEM768 = 4587 };
/* FIPS 203: 768 coefficients of 12 bits below 3329, two in three bytes, then 32 bytes. */
enum { MLKEM_PAIRS = 384, MLKEM_Q = 3329, MLKEM_SEED = 32, X25519_LEN = 32 };

static void put_random_key(struct sd_wr *w, size_t len)
{
    uint8_t key[64] = {0};
    if (!sd_random(key, len))
        memset(key, 9, len);
    sd_wr_bytes(w, key, len);
}

/* The generator of P-256: a point that every implementation takes. */
static void put_p256(struct sd_wr *w)
{
    static const uint8_t generator[] = {
        0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
        0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
        0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
        0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
        0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
    sd_wr_bytes(w, generator, sizeof generator);
}

static void put_mlkem768(struct sd_wr *w)
{
    for (unsigned i = 0; i < MLKEM_PAIRS; i++) {
        uint16_t r[2] = {0};
        sd_random(r, sizeof r);
        unsigned a = r[0] % MLKEM_Q, b = r[1] % MLKEM_Q;
        sd_wr_u8(w, (uint8_t)a);
        sd_wr_u8(w, (uint8_t)(a >> 8 | (b & 15) << 4));
        sd_wr_u8(w, (uint8_t)(b >> 4));
    }
    put_random_key(w, MLKEM_SEED);
}

void scan_share_write(struct sd_wr *w, uint16_t group)
{
    switch (group) {
    case X25519:
        put_random_key(w, X25519_LEN);
        break;
    case SECP256R1:
        put_p256(w);
        break;
    case X25519_MLKEM768:
        put_mlkem768(w);
        put_random_key(w, X25519_LEN);
        break;
    case SECP256R1_MLKEM768:
        put_p256(w);
        put_mlkem768(w);
        break;
    default:
        break;
    }
}
