/* SPDX-License-Identifier: MIT */
#include "unseal/unseal.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "unseal/keys12.h"
#include "unseal/keys13.h"

enum { SUITES_OF_13 = 0x13 }; /* first byte, of these suites only (RFC 8446 appendix B.4) */

struct handshake_keys {
    bool tls13;
    union {
        struct sd_keys12 old;
        struct sd_keys13 new;
    };
};

static bool any_traffic_secret(const struct sd_secret *secrets)
{
    for (int i = SD_SECRET_CLIENT_HANDSHAKE; i <= SD_SECRET_SERVER_TRAFFIC; i++)
        if (secrets[i].len)
            return true;
    return false;
}

static bool keys_init(struct handshake_keys *k, const struct sd_unprotect_params *params,
                      const struct sd_secret *secrets)
{
    k->tls13 = params->version == SD_DTLS_1_3;
    if (k->tls13 != (params->suite >> 8 == SUITES_OF_13))
        return false;
    if (k->tls13)
        return any_traffic_secret(secrets) && sd_keys13_init(&k->new, params->suite, secrets);
    const struct sd_secret *master = &secrets[SD_SECRET_MASTER];
    return sd_record_version_ok(params->version) && master->len == SD_MASTER_LEN &&
           sd_keys12_init(&k->old, params, master->bytes);
}

static void *begin_opening(void *arg, const struct sd_unprotect_params *params)
{
    const struct sd_secret *secrets = sd_secrets_find(arg, params->client_random);
    struct handshake_keys *k = secrets ? calloc(1, sizeof *k) : NULL;
    if (k && !keys_init(k, params, secrets)) {
        free(k);
        k = NULL;
    }
    ERR_clear_error();
    return k;
}

static bool open_protected(void *keys, bool from_server, const struct sd_record *rec, uint8_t *out,
                           struct sd_record *plain)
{
    struct handshake_keys *k = keys;
    struct sd_record opened;
    bool ok = k->tls13 ? sd_keys13_open(&k->new, from_server, rec, out, &opened)
                       : sd_keys12_open(&k->old, from_server, rec, out, &opened);
    ERR_clear_error();
    if (ok)
        *plain = opened;
    return ok;
}

static void end_opening(void *keys)
{
    struct handshake_keys *k = keys;
    if (!k)
        return;
    if (k->tls13)
        sd_keys13_fini(&k->new);
    else
        sd_keys12_fini(&k->old);
    free(k);
}

struct sd_unprotect sd_unseal_hooks(struct sd_secrets *s)
{
    return (struct sd_unprotect){s, begin_opening, open_protected, end_opening};
}

const char *sd_unseal_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
