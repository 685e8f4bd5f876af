/* SPDX-License-Identifier: MIT */
#include "tls/psk.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "tls/internal.h"
#include "tls/ossl.h"

/* The client callback gets a buffer of PSK_MAX_IDENTITY_LEN with the NUL. */
#define IDENTITY_LIMIT (PSK_MAX_IDENTITY_LEN - 1)

static unsigned give_key(const unsigned char *key, size_t len, unsigned char *out, unsigned max)
{
    if (!key || !len || len > max)
        return 0;
    memcpy(out, key, len);
    return (unsigned)len;
}

static unsigned client_psk(SSL *ssl, const char *hint, char *identity, unsigned max_identity,
                           unsigned char *out, unsigned max)
{
    (void)hint; /* there is one key to choose from */
    const struct sd_tls *t = sd_tls_of(ssl);
    if (!t || !t->psk.identity || strlen(t->psk.identity) >= max_identity)
        return 0;
    strcpy(identity, t->psk.identity);
    return give_key(t->psk.key, t->psk.len, out, max);
}

/* Constant in time except for the length, which is not secret. */
static bool same_identity(const char *ours, const char *theirs)
{
    size_t len = strlen(ours);
    return strlen(theirs) == len && CRYPTO_memcmp(ours, theirs, len) == 0;
}

static unsigned from_file(const struct sd_psk_file *f, const char *identity, unsigned char *out,
                          unsigned max)
{
    size_t len;
    const unsigned char *key = sd_psk_file_find(f, identity, &len);
    return give_key(key, len, out, max);
}

static unsigned from_program(const struct sd_tls *t, const char *identity, unsigned char *out,
                             unsigned max)
{
    int len = t->psk.lookup(t->cb_arg, identity, out, max);
    return len > 0 && (unsigned)len <= max ? (unsigned)len : 0;
}

static unsigned server_psk(SSL *ssl, const char *identity, unsigned char *out, unsigned max)
{
    const struct sd_tls *t = sd_tls_of(ssl);
    if (!t || !identity)
        return 0;
    if (t->psk.file)
        return from_file(t->psk.file, identity, out, max);
    if (t->psk.lookup)
        return from_program(t, identity, out, max);
    if (t->psk.identity && !same_identity(t->psk.identity, identity))
        return 0;
    return give_key(t->psk.key, t->psk.len, out, max);
}

bool sd_psk_wanted(enum sd_role role, const sdtls_config *c)
{
    return c->psk || (role == SD_ROLE_SERVER && (c->psk_file || c->psk_lookup));
}

static int check_psk(enum sd_role role, const sdtls_config *c, struct sd_err *err)
{
    if (role == SD_ROLE_SERVER && !!c->psk + !!c->psk_file + !!c->psk_lookup > 1)
        return sd_err_set(err, SDTLS_CRED, "%s and %s are set: set one of them",
                          c->psk ? "psk" : "psk_file", c->psk_lookup ? "psk_lookup" : "psk_file");
    if (!c->psk && c->psk_identity)
        return sd_err_set(err, SDTLS_CRED, "psk_identity \"%s\" is set, but psk is not: set both",
                          c->psk_identity);
    if (c->psk && !c->psk_len)
        return sd_err_set(err, SDTLS_CRED, "psk is empty");
    if (c->psk_len > PSK_MAX_PSK_LEN)
        return sd_err_set(err, SDTLS_CRED,
                          "psk is too long: %zu bytes, this OpenSSL takes at most %d", c->psk_len,
                          PSK_MAX_PSK_LEN);
    if (c->psk_identity && strlen(c->psk_identity) > IDENTITY_LIMIT)
        return sd_err_set(err, SDTLS_CRED,
                          "psk_identity is too long: %zu bytes, this OpenSSL takes at most %d",
                          strlen(c->psk_identity), IDENTITY_LIMIT);
    if (c->psk && !c->psk_identity && role == SD_ROLE_CLIENT)
        return sd_err_set(err, SDTLS_CRED, "a client with psk needs psk_identity as well");
    return SDTLS_OK;
}

static int take_psk(struct sd_psk *p, const sdtls_config *c, struct sd_err *err)
{
    if (!c->psk) {
        p->lookup = c->psk_lookup;
        return c->psk_file ? sd_psk_file_read(&p->file, c->psk_file, err) : SDTLS_OK;
    }
    p->key = malloc(c->psk_len);
    p->identity = c->psk_identity ? strdup(c->psk_identity) : NULL;
    if (!p->key || (c->psk_identity && !p->identity))
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    memcpy(p->key, c->psk, c->psk_len);
    p->len = c->psk_len;
    return SDTLS_OK;
}

int sd_psk_setup(struct sd_psk *p, SSL_CTX *ctx, enum sd_role role, const sdtls_config *c,
                 struct sd_err *err)
{
    int rc = check_psk(role, c, err);
    bool wanted = sd_psk_wanted(role, c);
    if (!rc && wanted)
        rc = take_psk(p, c, err);
    if (rc || !wanted)
        return rc;
    if (role == SD_ROLE_CLIENT) {
        SSL_CTX_set_psk_client_callback(ctx, client_psk);
        return SDTLS_OK;
    }
    SSL_CTX_set_psk_server_callback(ctx, server_psk);
    if (c->psk_hint && !SSL_CTX_use_psk_identity_hint(ctx, c->psk_hint))
        return sd_ossl_err(err, SDTLS_CRED, "OpenSSL rejected psk_hint (%zu bytes)",
                           strlen(c->psk_hint));
    return SDTLS_OK;
}

void sd_psk_fini(struct sd_psk *p)
{
    if (p->key)
        OPENSSL_cleanse(p->key, p->len);
    free(p->key);
    free(p->identity);
    sd_psk_file_free(p->file);
}
