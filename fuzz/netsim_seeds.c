/* Seeds of fuzz_netsim: short schedules for each configuration. */
#include <string.h>

#include "common.h"
#include "netsim.h"
#include "sim.h"
#include "simhabits.h"

static void seed(struct fuzz_seeder *s, unsigned config, uint8_t mtu, const uint8_t *ops,
                 size_t len)
{
    uint8_t out[64] = {(uint8_t)config, mtu};
    memcpy(out + 2, ops, len);
    fuzz_seed(s, out, 2 + len);
}

#define OPS_OF(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})
/* To the server's flight, which is on its way. */
#define BEGUN OP_TO_SERVER, 0, OP_TO_CLIENT, 0, OP_TO_SERVER, 0
#define DONE BEGUN, OP_TO_CLIENT, 15, OP_TO_SERVER, 7, OP_TO_CLIENT, 7

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

/* The same handshake, resumed, and renewed by either side. */
#define LIFE                                                                                       \
    DONE, OP_SEND, 20, OP_SEND, 21, OP_RENEGOTIATE, 0, DONE, OP_RENEGOTIATE, 1, DONE,              \
        OP_BEGIN_ANEW, 1, 0, 0, 0, 0, DONE, OP_RENEGOTIATE, 2, DONE

/* The shorter, the more of it fuzzing does. */
#define SHORT_LIFE DONE, OP_SEND, 20, OP_RENEGOTIATE, 1, DONE, OP_BEGIN_ANEW, 1, 0, 0, 0, 0, DONE

static void seed_deployed(struct fuzz_seeder *s, uint8_t kind, uint32_t client, uint32_t server,
                          const uint8_t *ops, size_t len)
{
    enum { USUAL = 180 };
    uint8_t out[128];
    struct sd_wr w = sd_wr_init(out, sizeof out);
    sd_wr_u8(&w, CONFIG_STOCK_CLIENT | CONFIG_STOCK_SERVER | CONFIG_DEPLOYED);
    sd_wr_u8(&w, USUAL);
    sd_wr_u8(&w, kind);
    sd_wr_u32(&w, client);
    sd_wr_u32(&w, server);
    sd_wr_bytes(&w, ops, len);
    fuzz_seed(s, out, sd_wr_len(&w));
}

static void seed_suites(struct fuzz_seeder *s)
{
    for (uint8_t kind = 0; kind < SIM_OURS; kind++)
        for (uint8_t suite = 0; suite < SIM_SUITES; suite++) {
            const uint8_t what = (uint8_t)(suite << 4 | (suite ? 0 : 128));
            const unsigned c = CONFIG_ODD | (unsigned)kind << 2;
            seed(s, c, 180, OPS_OF(what, DONE, OP_SEND, 20, OP_SEND, 21, OP_SEND, 222));
            seed(s, c, 0, OPS_OF(what, BEGUN, OP_DROP, 0, OP_TIMEOUT, 1, OP_TO_CLIENT, 7));
        }
}

/* Each oddity by itself, and all. */
static void seed_odd(struct fuzz_seeder *s)
{
    for (uint8_t kind = 0; kind < SIM_OURS; kind++)
        for (uint8_t odd = 1; odd <= SIM_ODD; odd = (uint8_t)(2 * odd)) {
            const uint8_t what = odd == SIM_ODD ? SIM_ODD - 1 : odd;
            const unsigned c = CONFIG_ODD | (unsigned)kind << 2;
            seed(s, c, 255, OPS_OF(what, DONE, OP_SEND, 20, OP_SEND, 21, OP_SEND, 222));
            seed(s, c, 180, OPS_OF(what, DONE, OP_FORGE, 1, 21, 0, 0, 9, 2, 2, 40, OP_TIMEOUT, 0));
            seed(s, c | CONFIG_COOKIE, 0,
                 OPS_OF(what, BEGUN, OP_ERROR, 3 | 8, 0, 200, OP_DROP, 0, OP_TIMEOUT, 1,
                        OP_TO_CLIENT, 7, OP_CLOSE, 0));
        }
}

/* What a program sees that watches, and what happens when memory is short or a datagram too long.
 */
static void seed_scarce(struct fuzz_seeder *s)
{
    seed_deployed(s, SIM_MUTUAL, HABIT_WATCH, HABIT_WATCH,
                  OPS_OF(OP_TO_SERVER, 0, OP_FORGE, 0, 22, 0, 0, 9, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                         0, 0, 0, DONE, OP_SEND, 20));
    for (uint8_t who = 0; who < 2; who++)
        seed_deployed(s, SIM_MUTUAL, 0, 0,
                      OPS_OF(OP_TO_SERVER, 0, OP_REFUSE, 16 | who, OP_TO_CLIENT, 0, OP_REFUSE,
                             16 | who, DONE));
    for (uint8_t n = 1; n < 250; n += 3)
        seed_deployed(s, n % 2 ? SIM_MUTUAL : SIM_ANY, ANSWER_FINE << ASK_STATUS,
                      ANSWER_FINE << ASK_STATUS,
                      OPS_OF(OP_SCARCE, n, DONE, OP_SCARCE, n, OP_BEGIN_ANEW, 1, 0, 0, 0, 0, DONE,
                             OP_SCARCE, n, OP_RENEGOTIATE, 0, DONE));
}

/* A client that asks for everything: then each habit of either side by itself. */
static void seed_habits(struct fuzz_seeder *s, uint8_t kind)
{
    enum { EAGER = HABIT_NAME | HABIT_ALPN | HABIT_SRTP | ANSWER_FINE << ASK_STATUS };
    for (unsigned bit = 0; bit < 31; bit++) {
        seed_deployed(s, kind, EAGER ^ UINT32_C(1) << bit, 0, OPS_OF(SHORT_LIFE));
        seed_deployed(s, kind, EAGER, UINT32_C(1) << bit, OPS_OF(SHORT_LIFE));
    }
    for (unsigned question = 0; question < 20; question += 2) { /* refused */
        seed_deployed(s, kind, EAGER | UINT32_C(3) << question, 0, OPS_OF(SHORT_LIFE));
        seed_deployed(s, kind, EAGER, UINT32_C(3) << question, OPS_OF(SHORT_LIFE));
    }
    for (unsigned answer = ANSWER_FINE; answer <= ANSWER_NO; answer++) /* both certificates */
        for (unsigned other = ANSWER_FINE; other <= ANSWER_NO; other++)
            seed_deployed(s, kind, other << ASK_CLIENT_CERT, answer << ASK_VERIFY,
                          OPS_OF(SHORT_LIFE));
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    enum { CONFIGS = 64, USUAL = 180 /* an MTU of 1200 */ };
    for (unsigned c = 0; c < CONFIGS; c++)
        if (!(c & 32) || (c & 2 && (c & 16 || c & 1))) /* see config_of() */
            seed_config(s, c, USUAL);
    for (unsigned c = 0; c < 16; c += 4) /* a path that carries nothing large: the MTU sinks */
        for (uint8_t mtu = 254; mtu; mtu = mtu == 254 ? 255 : 0)
            seed(s, c, mtu,
                 OPS_OF(BEGUN, OP_DROP, 0, OP_DROP, 0, OP_TIMEOUT, 1, OP_DROP, 0, OP_DROP, 0,
                        OP_DROP, 0, OP_TIMEOUT, 1, OP_DROP, 0, OP_DROP, 0, OP_DROP, 0, OP_TIMEOUT,
                        1));
    for (unsigned c = 0; c < 16; c += 4) /* and a router that says so, of IPv6 */
        seed(s, c, 254, OPS_OF(BEGUN, OP_ERROR, 3 | 8, 4, 208, OP_ERROR, 3 | 16, 4, 208));
    for (unsigned c = 35; c < 48; c += 4)
        seed_config(s, c, USUAL + 1);
    for (unsigned mtu = 0; mtu < 256; mtu += 17)
        seed(s, mtu & 15, (uint8_t)mtu, OPS_OF(DONE, OP_SEND, 20, OP_SEND, 21));
    for (uint8_t kind = 0; kind < SIM_KINDS; kind++) {
        for (unsigned answer = ANSWER_NONE; answer <= ANSWER_NO; answer++)
            seed_deployed(s, kind, 0, answer << ASK_DH, OPS_OF(LIFE));
        seed_deployed(s, kind, HABIT_CACHE, HABIT_CACHE | HABIT_NO_TICKET, OPS_OF(LIFE));
    }
    seed_suites(s);
    seed_odd(s);
    seed_scarce(s);
    seed_habits(s, SIM_ANY);
    seed_habits(s, SIM_PSK_RSA);
}
