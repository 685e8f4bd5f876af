/* SPDX-License-Identifier: MIT */
/* Stock OpenSSL at both ends, each with its habits (openssl/habits.h). The sides renegotiate, begin
 * again with the session they had, and memory may run out. OpenSSL may refuse, but it sends only
 * what a peer may send. */
#include "harness/common.h"
#include "openssl/stock.h"
#include "peers/schedule.h"
#include "peers/schedule_ops.h"

static struct schedule run;

static struct sim_config config_of(struct sd_rd *in)
{
    const uint8_t bits = sd_rd_u8(in), mtu = sd_rd_u8(in);
    struct sim_config c = {.stack = {&stock_stack, &stock_stack},
                           .deployed = true,
                           .cookie = bits & CONFIG_COOKIE,
                           .listen = bits & CONFIG_COOKIE && bits & CONFIG_MORE,
                           .ipv6 = mtu == 254,
                           .mtu = schedule_mtu(mtu)};
    c.kind = (enum pair_kind)(sd_rd_u8(in) % PAIR_KINDS);
    c.habits[OSSL_CLIENT] = sd_rd_u32(in);
    c.habits[OSSL_SERVER] = sd_rd_u32(in);
    return c;
}

static void run_once(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    const struct sim_config c = config_of(&in);
    schedule_run(&run, &c, &in);
    schedule_check_stock(&run);
    schedule_end(&run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ossl_env_run(run_once, data, size);
    return 0;
}
