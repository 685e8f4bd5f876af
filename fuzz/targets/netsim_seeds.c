/* SPDX-License-Identifier: MIT */
/* Seeds of fuzz_netsim: short schedules for each configuration. */
#include <string.h>

#include "harness/common.h"
#include "peers/ours.h"
#include "peers/schedule_ops.h"

static void seed(struct fuzz_seeder *s, unsigned config, uint8_t mtu, const uint8_t *ops,
                 size_t len)
{
    uint8_t out[64] = {(uint8_t)config, mtu};
    memcpy(out + 2, ops, len);
    fuzz_seed(s, out, 2 + len);
}

static void seed_config(struct fuzz_seeder *s, unsigned c, uint8_t mtu)
{
    seed(s, c, mtu, OPS_OF(DONE, OP_SEND, 20, OP_SEND, 21, OP_SEND, 222));
    seed(s, c, mtu,
         OPS_OF(OP_DROP, 1, OP_TIMEOUT, 0, BEGUN, OP_DROP, 2, OP_TIMEOUT, 1, OP_TO_CLIENT, 7));
    seed(s, c, mtu, OPS_OF(BEGUN, OP_ERROR, 3 | 8, 2, 188, OP_TO_CLIENT, 7, OP_TO_SERVER, 7));
    seed(s, c, mtu, OPS_OF(BEGUN, OP_ERROR, 3 | 16, 2, 188, OP_TO_CLIENT, 7, OP_TO_SERVER, 7));
    seed(s, c, mtu,
         OPS_OF(BEGUN, OP_TO_THE_BACK, 0, OP_DOUBLE, 2, OP_TO_CLIENT, 15, OP_SPLIT, 1,
                OP_TO_THE_BACK, 1, OP_TO_SERVER, 15));
    seed(s, c, mtu,
         OPS_OF(OP_TO_SERVER, 0, OP_TO_CLIENT, 0, OP_REFUSE, 3, OP_TO_SERVER, 0, OP_TIMEOUT, 1));
    seed(s, c, mtu,
         OPS_OF(DONE, OP_SEND, 20, OP_AGAIN, 1, OP_FORGE, 1, 23, 1, 0, 9, 1, 0, OP_FORGE, 0, 21, 0,
                0, 9, 2, 2, 40, OP_SEND, 21));
    seed(s, c, mtu,
         OPS_OF(BEGUN, OP_FORGE, 1, 21, 0, 0, 9, 2, 2, 40, OP_FORGE, 0, 21, 0, 0, 9, 2, 2, 0));
    seed(s, c, mtu,
         OPS_OF(OP_FORGE, 0, 22, 0, 0, 9, 12, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, BEGUN));
    seed(s, c, mtu, OPS_OF(BEGUN, OP_FORGE, 1, 99, 0, 0, 9, 1, 0, OP_FORGE, 0, 23, 0, 0, 9, 1, 0));
    seed(s, c, mtu, OPS_OF(DONE, OP_SEND, 41, OP_FLIP, 0, 128, 1, OP_TO_CLIENT, 0, OP_CLOSE, 0));
}

static void seed_suites(struct fuzz_seeder *s)
{
    for (uint8_t kind = 0; kind < PAIR_OURS; kind++)
        for (uint8_t suite = 0; suite < OURS_SUITES; suite++) {
            const uint8_t what = (uint8_t)(suite << 4 | (suite ? 0 : 128));
            const unsigned c = CONFIG_ODD | (unsigned)kind << 2;
            seed(s, c, 180, OPS_OF(what, DONE, OP_SEND, 20, OP_SEND, 21, OP_SEND, 222));
            seed(s, c, 0, OPS_OF(what, BEGUN, OP_DROP, 0, OP_TIMEOUT, 1, OP_TO_CLIENT, 7));
        }
}

/* Each oddity alone, then all together. */
static void seed_odd(struct fuzz_seeder *s)
{
    for (uint8_t kind = 0; kind < PAIR_OURS; kind++)
        for (uint8_t odd = 1; odd <= OURS_ODD; odd = (uint8_t)(2 * odd)) {
            const uint8_t what = odd == OURS_ODD ? OURS_ODD - 1 : odd;
            const unsigned c = CONFIG_ODD | (unsigned)kind << 2;
            seed(s, c, 255, OPS_OF(what, DONE, OP_SEND, 20, OP_SEND, 21, OP_SEND, 222));
            seed(s, c, 180, OPS_OF(what, DONE, OP_FORGE, 1, 21, 0, 0, 9, 2, 2, 40, OP_TIMEOUT, 0));
            seed(s, c | CONFIG_COOKIE, 0,
                 OPS_OF(what, BEGUN, OP_ERROR, 3 | 8, 0, 200, OP_DROP, 0, OP_TIMEOUT, 1,
                        OP_TO_CLIENT, 7, OP_CLOSE, 0));
        }
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    enum { CONFIGS = 64, USUAL = 180 /* an MTU of 1200 */ };
    for (unsigned c = 0; c < CONFIGS; c++)
        if (!(c & 32) || (c & 2 && (c & 16 || c & 1))) /* see config_of() */
            seed_config(s, c, USUAL);
    for (unsigned c = 0; c < 16; c += 4) /* a path that drops large datagrams: the MTU sinks */
        for (uint8_t mtu = 254; mtu; mtu = mtu == 254 ? 255 : 0)
            seed(s, c, mtu,
                 OPS_OF(BEGUN, OP_DROP, 0, OP_DROP, 0, OP_TIMEOUT, 1, OP_DROP, 0, OP_DROP, 0,
                        OP_DROP, 0, OP_TIMEOUT, 1, OP_DROP, 0, OP_DROP, 0, OP_DROP, 0, OP_TIMEOUT,
                        1));
    for (unsigned c = 0; c < 16; c += 4) /* the same with a router that reports it, on IPv6 */
        seed(s, c, 254, OPS_OF(BEGUN, OP_ERROR, 3 | 8, 4, 208, OP_ERROR, 3 | 16, 4, 208));
    for (unsigned c = 35; c < 48; c += 4)
        seed_config(s, c, USUAL + 1);
    for (unsigned mtu = 0; mtu < 256; mtu += 17)
        seed(s, mtu & 15, (uint8_t)mtu, OPS_OF(DONE, OP_SEND, 20, OP_SEND, 21));
    seed_suites(s);
    seed_odd(s);
}
