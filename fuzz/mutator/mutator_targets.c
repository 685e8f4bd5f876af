/* SPDX-License-Identifier: MIT */
/* What the mutator has to know of each target. */
#include <string.h>

#include "gate/cookie.h"
#include "harness/senders.h"
#include "kernel/vk_secret.h"
#include "mutator/mutator.h"
#include "openssl/ossl_cookie.h"

/* Asks the gate itself for the cookie that it would accept, with the first secret of a run. */
static size_t gate_cookie(uint8_t who, struct sd_span datagram, uint8_t *out)
{
    uint8_t secret[VK_SECRET], reply[SD_GATE_REPLY_MAX];
    struct sd_gate gate;
    unsigned f, t;
    pair(who, &f, &t);
    struct sd_addr from = sender(f), to = local(t);
    vk_first_secret(secret);
    sd_gate_init(&gate, kit_mac, NULL, secret, 0);
    struct sd_gate_result r = sd_gate_check(&gate, datagram.p, datagram.len, &from, &to, reply);
    if (r.verdict != SD_GATE_REPLY)
        return 0;
    memcpy(out, reply + r.reply_len - SD_GATE_COOKIE_LEN, SD_GATE_COOKIE_LEN);
    return SD_GATE_COOKIE_LEN;
}

static size_t openssl_cookie(uint8_t who, struct sd_span datagram, uint8_t *out)
{
    (void)datagram;
    ossl_cookie(who % OSSL_PEERS, out);
    return OSSL_COOKIE_LEN;
}

const struct mutator_target *mutator_target(const char *name)
{
    static const struct mutator_target all[] = {
        {"record", 1, 1, 0, NULL},
        {"flow", 9, 1, 7, NULL},
        {"listen", 16, 1 | 1 << 9, 15, gate_cookie},
        {"ossl_listen", 9, 1, 3, openssl_cookie},
        {"scan", 2, 1, 0, NULL},
        {"server", 9, 1 << 2, 0, NULL},
        {"client", 9, 1 << 2, 0, NULL},
        {"", 16, 0, 7, NULL},
    };
    size_t i = 0;
    while (*all[i].name && strcmp(all[i].name, name))
        i++;
    return &all[i];
}
