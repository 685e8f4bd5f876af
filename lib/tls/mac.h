/* SPDX-License-Identifier: MIT */
/* The keyed hash of the cookies: HMAC-SHA-256 with a context that is kept. */
#ifndef SD_TLS_MAC_H
#define SD_TLS_MAC_H

#include <stddef.h>
#include <stdint.h>

struct sd_tls_mac;

/* NULL when there is no memory. */
struct sd_tls_mac *sd_tls_mac_new(void);
void sd_tls_mac_free(struct sd_tls_mac *m);
/* The gate's sd_gate_mac; `mac` is a struct sd_tls_mac. */
void sd_tls_mac_sum(void *mac, const uint8_t key[32], const uint8_t *data, size_t len,
                    uint8_t out[32]);

#endif
