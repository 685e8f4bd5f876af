/* SPDX-License-Identifier: MIT */
/* Pre-shared keys (RFC 4279, 5489): one, in both roles; for a server also many, from a file or a
 * callback. */
#ifndef SD_TLS_PSK_H
#define SD_TLS_PSK_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/err.h"
#include "tls/context.h"
#include "tls/psk_file.h"

struct sd_psk {
    char *identity; /* server: NULL = any */
    unsigned char *key;
    size_t len; /* 0 = no PSK */
    /* Of a server; at most one of them, and then there is no key above. */
    struct sd_psk_file *file;
    int (*lookup)(void *arg, const char *identity, void *key, size_t max);
};

/* Whether the configuration has a PSK for this role. */
bool sd_psk_wanted(enum sd_role role, const sdtls_config *config);
/* Copies the PSK of the configuration, or reads its file, and makes the sessions of ctx use it.
 * Errors: CRED, NOMEM. */
int sd_psk_setup(struct sd_psk *p, SSL_CTX *ctx, enum sd_role role, const sdtls_config *config,
                 struct sd_err *err);
void sd_psk_fini(struct sd_psk *p);

#endif
