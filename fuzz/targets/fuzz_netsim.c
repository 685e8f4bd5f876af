/* SPDX-License-Identifier: MIT */
/* A real client, a hostile network, a real server. The input is a schedule: what the network does,
 * when timers fire, when a socket refuses, when somebody forges.
 *
 * A side of ours sends what a correct peer sends. Once the handshake is complete, it survives
 * everything. After mere loss, disorder and refused writes the handshake completes. A side of stock
 * OpenSSL may fail in known ways: that is reported by fuzz_verdict() and is no finding. */
#include "harness/common.h"
#include "openssl/stock.h"
#include "peers/ours.h"
#include "peers/schedule.h"
#include "peers/schedule_ops.h"

enum { MANY_TIMEOUTS = 6, LIVE_LENGTH = 20 };

static struct schedule run;

static bool passes(int from)
{
    const unsigned number = run.sim.side[from].messages;
    if (number >= SIM_MESSAGES)
        return true;
    sim_send(&run.sim, from, LIVE_LENGTH);
    schedule_settle(&run);
    return run.sim.side[!from].arrived[number];
}

/* Nobody without a key ends an established association. */
static void check_survival(void)
{
    if (!schedule_ours(&run) || !run.was_alive || run.ended)
        return;
    fuzz_check(sim_alive(&run.sim), "an association of ours was ended from outside");
    fuzz_check(passes(OSSL_CLIENT) && passes(OSSL_SERVER),
               "an association of ours receives no data");
}

/* A certificate without a trusted issuer is never accepted, whatever the network does. */
static void check_trust(void)
{
    const struct sim_config *c = &run.sim.config;
    fuzz_check(!(c->odd & OURS_STRICT) || c->kind == PAIR_PSK || !run.was_alive,
               "a peer without proof is accepted");
}

/* A harmless forgery ends nothing. A plaintext alert ends nothing while the peer still answers
 * (docs/guard.md). */
static void check_liveness(void)
{
    if (run.hostile || run.ended || run.timeouts > MANY_TIMEOUTS || !schedule_ours(&run))
        return;
    if (!run.annoyed)
        fuzz_check(sim_alive(&run.sim),
                   "after mere loss and disorder the handshake does not complete");
    else if (!run.lossy)
        fuzz_check(sim_alive(&run.sim), "a harmless forgery ended a handshake");
}

static void check_stock(void)
{
    const struct sim_config *c = &run.sim.config;
    schedule_check_stock(&run);
    /* A side that is to refuse may do so. */
    if (c->odd)
        return;
    /* #18635: a stateful cookie exchange does not survive a lost HelloVerifyRequest. */
    if (schedule_ours(&run) || run.hostile || run.annoyed || run.ended || run.refused ||
        c->cookie || run.timeouts > MANY_TIMEOUTS)
        return;
    fuzz_check(sim_alive(&run.sim),
               "after mere loss and disorder stock OpenSSL does not complete the handshake");
}

/* What a stock side does, for fuzz/regress/netsim.tsv. */
const char *fuzz_verdict(void)
{
    for (int id = OSSL_CLIENT; id <= OSSL_SERVER; id++) {
        const unsigned wrong = run.sim.side[id].witness.wrong;
        if (wrong & (WITNESS_TRANSCRIPT | WITNESS_FORM))
            return witness_words(wrong & (WITNESS_TRANSCRIPT | WITNESS_FORM));
    }
    return !sim_alive(&run.sim) ? "stuck" : run.late ? "late" : "completes";
}

static struct sim_config config_of(struct sd_rd *in)
{
    enum {
        STOCK = CONFIG_STOCK_CLIENT | CONFIG_STOCK_SERVER,
        LISTEN = CONFIG_COOKIE | CONFIG_MORE
    };
    const uint8_t bits = sd_rd_u8(in), mtu = sd_rd_u8(in);
    const bool more = (bits & STOCK) == STOCK && (bits & LISTEN) == CONFIG_MORE;
    const unsigned kind = bits >> 2 & 3;
    struct sim_config c = {.stack = {bits & CONFIG_STOCK_CLIENT ? &stock_stack : &ours_stack,
                                     bits & CONFIG_STOCK_SERVER ? &stock_stack : &ours_stack},
                           .kind =
                               (enum pair_kind)(more ? PAIR_OURS + (kind | (mtu & 1U) << 2) : kind),
                           .cookie = bits & CONFIG_COOKIE,
                           .listen = (bits & LISTEN) == LISTEN,
                           .ipv6 = mtu == 254,
                           .mtu = schedule_mtu(mtu)};
    if (bits & CONFIG_ODD && !(bits & STOCK)) {
        const uint8_t what = sd_rd_u8(in);
        c.odd = what % OURS_ODD;
        c.suite = (what >> 4 & 7) % OURS_SUITES;
        c.timer_ms = what & 128 ? 3000 : 0;
    }
    return c;
}

static void run_once(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    const struct sim_config c = config_of(&in);
    schedule_run(&run, &c, &in);
    check_survival();
    check_trust();
    check_liveness();
    check_stock();
    schedule_end(&run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ossl_env_run(run_once, data, size);
    return 0;
}
