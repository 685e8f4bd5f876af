/* SPDX-License-Identifier: MIT */
/* One pre-shared key, both roles (RFC 4279, 5489). */
#ifndef SD_TLS_PSK_H
#define SD_TLS_PSK_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/err.h"
#include "tls/context.h"

struct sd_psk {
    char *identity; /* server: NULL = any */
    unsigned char *key;
    size_t len; /* 0 = no PSK */
};

/* Copies the PSK of the configuration, if it has one, and makes the sessions of ctx use it.
 * Errors: CRED, NOMEM. */
int sd_psk_setup(struct sd_psk *p, SSL_CTX *ctx, enum sd_role role, const sdtls_config *config,
                 struct sd_err *err);
void sd_psk_fini(struct sd_psk *p);

#endif
