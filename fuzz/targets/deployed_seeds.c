/* SPDX-License-Identifier: MIT */
/* Seeds of fuzz_deployed: the life of two sides, with each habit. */
#include "harness/common.h"
#include "openssl/habits.h"
#include "openssl/pair.h"
#include "peers/schedule_ops.h"

/* A handshake, renewed by either side, then resumed and renewed. */
#define LIFE                                                                                       \
    DONE, OP_SEND, 20, OP_SEND, 21, OP_RENEGOTIATE, 0, DONE, OP_RENEGOTIATE, 1, DONE,              \
        OP_BEGIN_AGAIN, 1, 0, 0, 0, 0, DONE, OP_RENEGOTIATE, 2, DONE

/* Shorter, so that fuzzing runs more of them. */
#define SHORT_LIFE DONE, OP_SEND, 20, OP_RENEGOTIATE, 1, DONE, OP_BEGIN_AGAIN, 1, 0, 0, 0, 0, DONE

static void seed(struct fuzz_seeder *s, uint8_t kind, uint32_t client, uint32_t server,
                 const uint8_t *ops, size_t len)
{
    enum { USUAL = 180 };
    uint8_t out[128];
    struct sd_wr w = sd_wr_init(out, sizeof out);
    sd_wr_u8(&w, 0);
    sd_wr_u8(&w, USUAL);
    sd_wr_u8(&w, kind);
    sd_wr_u32(&w, client);
    sd_wr_u32(&w, server);
    sd_wr_bytes(&w, ops, len);
    fuzz_seed(s, out, sd_wr_len(&w));
}

/* Watching programs, memory that runs out, and datagrams that are too long. */
static void seed_scarce(struct fuzz_seeder *s)
{
    seed(s, PAIR_MUTUAL, HABIT_WATCH, HABIT_WATCH,
         OPS_OF(OP_TO_SERVER, 0, OP_FORGE, 0, 22, 0, 0, 9, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                DONE, OP_SEND, 20));
    for (uint8_t who = 0; who < 2; who++)
        seed(s, PAIR_MUTUAL, 0, 0,
             OPS_OF(OP_TO_SERVER, 0, OP_REFUSE, 16 | who, OP_TO_CLIENT, 0, OP_REFUSE, 16 | who,
                    DONE));
    for (uint8_t n = 1; n < 250; n += 3)
        seed(s, n % 2 ? PAIR_MUTUAL : PAIR_ANY, ANSWER_FINE << ASK_STATUS,
             ANSWER_FINE << ASK_STATUS,
             OPS_OF(OP_SCARCE, n, DONE, OP_SCARCE, n, OP_BEGIN_AGAIN, 1, 0, 0, 0, 0, DONE,
                    OP_SCARCE, n, OP_RENEGOTIATE, 0, DONE));
}

/* A client that asks for everything: then each habit of either side by itself. */
static void seed_habits(struct fuzz_seeder *s, uint8_t kind)
{
    enum { EAGER = HABIT_NAME | HABIT_ALPN | HABIT_SRTP | ANSWER_FINE << ASK_STATUS };
    for (unsigned bit = 0; bit < 31; bit++) {
        seed(s, kind, EAGER ^ UINT32_C(1) << bit, 0, OPS_OF(SHORT_LIFE));
        seed(s, kind, EAGER, UINT32_C(1) << bit, OPS_OF(SHORT_LIFE));
    }
    for (unsigned question = 0; question < 20; question += 2) { /* refused */
        seed(s, kind, EAGER | UINT32_C(3) << question, 0, OPS_OF(SHORT_LIFE));
        seed(s, kind, EAGER, UINT32_C(3) << question, OPS_OF(SHORT_LIFE));
    }
    for (unsigned answer = ANSWER_FINE; answer <= ANSWER_NO; answer++) /* both certificates */
        for (unsigned other = ANSWER_FINE; other <= ANSWER_NO; other++)
            seed(s, kind, other << ASK_CLIENT_CERT, answer << ASK_VERIFY, OPS_OF(SHORT_LIFE));
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    for (uint8_t kind = 0; kind < PAIR_KINDS; kind++) {
        for (unsigned answer = ANSWER_NONE; answer <= ANSWER_NO; answer++)
            seed(s, kind, 0, answer << ASK_DH, OPS_OF(LIFE));
        seed(s, kind, HABIT_CACHE, HABIT_CACHE | HABIT_NO_TICKET, OPS_OF(LIFE));
    }
    seed_scarce(s);
    seed_habits(s, PAIR_ANY);
    seed_habits(s, PAIR_PSK_RSA);
}
