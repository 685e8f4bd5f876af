/* SPDX-License-Identifier: MIT */
#include "openssl/ossl_gate.h"

#include "harness/common.h"
#include "harness/gate_kit.h"
#include "wire/record.h"

static struct sd_gate_result seen;
static bool no_version; /* the record has no version of DTLS */

void ossl_gate_sees(const uint8_t *data, size_t len)
{
    static const uint8_t secret[SD_GATE_SECRET_LEN] = {1};
    const struct sd_addr peer = kit_addr(KIT_FOUR, 1, 1000), local = kit_addr(KIT_FOUR, 2, 4433);
    uint8_t reply[SD_GATE_REPLY_MAX];
    struct sd_gate g;
    struct sd_rd r = sd_rd_init(data, len);
    sd_rd_u8(&r);
    no_version = !sd_record_version_ok(sd_rd_u16(&r));
    sd_gate_init(&g, kit_mac, NULL, secret, 0);
    seen = sd_gate_check(&g, data, len, &peer, &local, reply);
}

/* The gate reads the whole datagram, OpenSSL only up to the cookie. And OpenSSL accepts any version
 * that begins with fe. */
static bool is_stricter(enum sd_gate_reason why)
{
    return why == SD_GATE_MALFORMED || why == SD_GATE_TOO_SMALL ||
           (why == SD_GATE_NOT_DTLS && no_version);
}

void ossl_gate_answered(void)
{
    fuzz_check(seen.verdict != SD_GATE_DROP || is_stricter(seen.reason),
               "DTLSv1_listen() answers what the gate drops: %s", sd_gate_reason_name(seen.reason));
}

void ossl_gate_silence(void)
{
    fuzz_check(seen.verdict == SD_GATE_DROP, "DTLSv1_listen() drops what the gate answers: %s",
               sd_gate_reason_name(seen.reason));
}
