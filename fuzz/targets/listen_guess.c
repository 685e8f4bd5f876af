/* A cookie that nobody was given, and yet right: inputs may guess, as the mutator knows the first
 * secret. Computed apart from the gate, so that a gate that binds less still shows. */
#include <string.h>

#include "harness/common.h"
#include "harness/gate_kit.h"
#include "kernel/vk_secret.h"
#include "targets/listen.h"

bool listen_guessed(const struct sd_addr *peer, const struct sd_addr *local,
                    const struct sd_client_hello *ch)
{
    uint8_t subject[128], name[SD_ADDR_BYTES], secret[VK_SECRET], mac[32];
    vk_first_secret(secret);
    struct sd_wr w = sd_wr_init(subject, sizeof subject);
    sd_wr_bytes(&w, "sdc1", 4);
    sd_wr_bytes(&w, name, sd_addr_bytes(peer, name));
    sd_wr_bytes(&w, name, sd_addr_bytes(local, name));
    sd_wr_u16(&w, ch->version);
    sd_wr_bytes(&w, ch->random.p, ch->random.len);
    sd_wr_u8(&w, (uint8_t)ch->session_id.len);
    sd_wr_bytes(&w, ch->session_id.p, ch->session_id.len);
    kit_mac(NULL, secret, subject, sd_wr_len(&w), mac);
    return ch->cookie.len == SD_GATE_COOKIE_LEN && !memcmp(mac, ch->cookie.p, SD_GATE_COOKIE_LEN);
}
