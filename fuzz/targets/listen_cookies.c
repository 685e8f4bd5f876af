/* SPDX-License-Identifier: MIT */
/* The cookies that the gate gave to senders, and which client may enter with one. */
#include <string.h>

#include "gate/gate.h"
#include "harness/common.h"
#include "harness/gate_kit.h"
#include "kernel/vk.h"
#include "kernel/vk_secret.h"
#include "targets/listen.h"

enum { REMEMBERED = 64 };

static struct {
    struct given {
        struct sd_addr to, from;
        uint8_t cookie[SD_GATE_COOKIE_LEN];
        sd_time at;
    } given[REMEMBERED]; /* a ring */
    unsigned count;
    bool secret_stays;
    sd_time began;
} all;

void listen_cookies_begin(void)
{
    all.count = 0;
    all.secret_stays = false;
    all.began = vk_now();
}

void listen_secret_stays(void)
{
    all.secret_stays = true;
}

void listen_cookie_given(const struct sd_addr *to, const struct sd_addr *from,
                         const uint8_t cookie[static SD_GATE_COOKIE_LEN])
{
    struct given *g = &all.given[all.count++ % REMEMBERED];
    *g = (struct given){.to = *to, .from = *from, .at = vk_now()};
    memcpy(g->cookie, cookie, sizeof g->cookie);
}

/* The cookie of the first secret. It is computed without the gate, so that a gate that binds a
 * cookie to too little is found. */
static bool is_guessed(const struct sd_addr *peer, const struct sd_addr *local,
                       const struct sd_client_hello *ch, const uint8_t *standing)
{
    uint8_t subject[160], name[SD_ADDR_BYTES], secret[VK_SECRET], mac[32];
    vk_first_secret(secret);
    struct sd_wr w = sd_wr_init(subject, sizeof subject);
    sd_wr_bytes(&w, "sdc1", 4);
    sd_wr_bytes(&w, name, sd_addr_bytes(peer, name));
    sd_wr_bytes(&w, name, sd_addr_bytes(local, name));
    sd_wr_u16(&w, ch->version);
    sd_wr_bytes(&w, ch->random.p, ch->random.len);
    sd_wr_u8(&w, (uint8_t)ch->session_id.len);
    sd_wr_bytes(&w, ch->session_id.p, ch->session_id.len);
    if (standing)
        sd_wr_bytes(&w, standing, ch->random.len);
    kit_mac(NULL, secret, subject, sd_wr_len(&w), mac);
    return ch->cookie.len == SD_GATE_COOKIE_LEN && !memcmp(mac, ch->cookie.p, SD_GATE_COOKIE_LEN);
}

static bool is_fresh(sd_time given)
{
    return all.secret_stays || vk_now() - given < 2 * SD_GATE_PERIOD;
}

bool listen_may_enter(const struct sd_addr *peer, const struct sd_addr *local,
                      const struct sd_client_hello *ch, const uint8_t *standing, bool faulty)
{
    bool known = false;
    const bool guessed = is_guessed(peer, local, ch, standing);
    for (unsigned i = 0; i < REMEMBERED && i < all.count; i++) {
        const struct given *g = &all.given[i];
        if (ch->cookie.len != sizeof g->cookie || memcmp(ch->cookie.p, g->cookie, ch->cookie.len))
            continue;
        known = true;
        if (!sd_addr_eq(&g->to, peer) || !sd_addr_eq(&g->from, local) || !is_fresh(g->at))
            continue;
        /* Otherwise no cookie of the mutator would ever be accepted. */
        fuzz_check(guessed || faulty || vk_now() - all.began >= SD_GATE_PERIOD,
                   "the gate's first secret is not vk_first_secret()");
        return true;
    }
    return !known && is_fresh(all.began) && guessed;
}
