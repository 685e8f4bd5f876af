/* SPDX-License-Identifier: MIT */
#include "tls/context.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "tls/acceptor.h"
#include "tls/internal.h"
#include "tls/keylog.h"
#include "tls/ossl.h"
#include "tls/resume.h"
#include "tls/selfsigned.h"
#include "tls/verify.h"

/* Of a server that asks for no certificate, in bytes. */
enum { MAX_CERT_LIST = 16384 };

static char *copy_text(const char *s, bool *ok)
{
    char *own = s ? strdup(s) : NULL;
    *ok = *ok && (own || !s);
    return own;
}

static bool copy_config(struct sd_tls *t, const sdtls_config *c)
{
    bool ok = true;
    t->server_name = copy_text(c->server_name, &ok);
    t->verify_host = c->verify_host && *c->verify_host ? copy_text(c->verify_host, &ok) : NULL;
    if (t->role == SD_ROLE_CLIENT && !c->ssl_ctx)
        t->session_file = copy_text(c->session_file, &ok);
    t->verify = sd_verify_mode(t->role, c);
    t->pins_alone = c->pins && !c->ca_file && !c->ca_path && !t->verify_host;
    t->raw = c->flags & SDTLS_F_RAW;
    t->log = c->log;
    t->keylog = c->keylog;
    t->cb_arg = c->cb_arg;
    return ok;
}

static int use_selfsigned(SSL_CTX *ctx, struct sd_err *err)
{
    X509 *cert;
    EVP_PKEY *key;
    int rc = sd_selfsigned_make(&cert, &key, err);
    if (rc)
        return rc;
    if (!SSL_CTX_use_certificate(ctx, cert) || !SSL_CTX_use_PrivateKey(ctx, key))
        rc = sd_ossl_err(err, SDTLS_TLSLIB, "cannot use the self-signed certificate");
    X509_free(cert);
    EVP_PKEY_free(key);
    return rc;
}

/* A PSK alone is enough for a server. It gets no self-signed certificate then: that would let
 * in clients that do not have the key. */
static int set_credentials(struct sd_tls *t, const sdtls_config *c, struct sd_err *err)
{
    if (c->cert_file)
        return sd_credentials_load(t->ctx, c->cert_file, c->key_file, err);
    if (c->key_file)
        return sd_err_set(err, SDTLS_CRED, "key_file %s is set, but cert_file is not: set both",
                          c->key_file);
    if (t->role == SD_ROLE_CLIENT || sd_psk_wanted(t->role, c))
        return SDTLS_OK;
    if (c->flags & SDTLS_F_SELF_SIGNED)
        return use_selfsigned(t->ctx, err);
    return sd_err_set(
        err, SDTLS_CRED,
        "a server needs a certificate (cert_file and key_file), a PSK (psk), or the flag "
        "SDTLS_F_SELF_SIGNED");
}

static void set_behaviour(struct sd_tls *t)
{
    static const unsigned char name[] = "sukat_dtls";
    SSL_CTX *ctx = t->ctx;
    /* A renegotiation is one more thing that a forged record could start. Encrypt-then-MAC: see
     * offer.c. */
    SSL_CTX_set_options(ctx, (t->raw ? 0 : SSL_OP_NO_ENCRYPT_THEN_MAC) | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    /* Saves 50 kB for each idle client on OpenSSL 3.2 and later. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_dh_auto(ctx, 1); /* for DHE suites in a list of the user's */
    /* A client has none: in DTLS 1.3 OpenSSL makes a session without it for each PSK, and then
     * refuses the server that accepts the PSK. */
    if (t->role == SD_ROLE_SERVER)
        SSL_CTX_set_session_id_context(ctx, name, sizeof name - 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets cost no memory */
    /* The fragments of one unexpected message can occupy this much memory. */
    if (t->role == SD_ROLE_SERVER && !t->raw && !sd_tls_wants_client_cert(t))
        SSL_CTX_set_max_cert_list(ctx, MAX_CERT_LIST);
    if (t->session_file)
        sd_resume_setup(ctx);
}

static int make_ctx(struct sd_tls *t, const sdtls_config *c, struct sd_err *err)
{
    t->own_ctx = true;
    t->ctx = SSL_CTX_new(t->role == SD_ROLE_SERVER ? DTLS_server_method() : DTLS_client_method());
    if (!t->ctx)
        return sd_ossl_err(err, SDTLS_TLSLIB, "cannot create an SSL_CTX");
    int rc = sd_versions_choose(&t->versions, c, err);
    if (!rc)
        rc = sd_tls_offer(t->ctx, &t->alpn, t->role, t->versions, c, err);
    if (!rc)
        rc = set_credentials(t, c, err);
    if (!rc)
        rc = sd_psk_setup(&t->psk, t->ctx, t->role, c, err);
    if (!rc)
        rc = sd_verify_setup(t, c, err);
    if (!rc)
        set_behaviour(t);
    return rc;
}

/* Sets only the limits that the user asked for, but always an upper one: DTLS 1.3 begins
 * differently on the wire, and OpenSSL 4.1 enables it by default. */
static int take_ctx(struct sd_tls *t, const sdtls_config *c, struct sd_err *err)
{
    if (c->pins)
        return sd_err_set(err, SDTLS_OPTION, "pins and ssl_ctx are set: set one of them");
    t->ctx = c->ssl_ctx;
    SSL_CTX_up_ref(t->ctx);
    if (c->min_version || c->max_version) {
        int rc = sd_versions_choose(&t->versions, c, err);
        if (rc)
            return rc;
    } else if (!SSL_CTX_get_max_proto_version(t->ctx)) {
        t->versions.max = SDTLS_V1_2;
    }
    return SDTLS_OK;
}

static int choose_acceptor(struct sd_tls *t, struct sd_err *err)
{
    if (t->role != SD_ROLE_SERVER)
        return SDTLS_OK;
    int newest = t->versions.max ? t->versions.max : (int)SSL_CTX_get_max_proto_version(t->ctx);
    return sd_acceptor_choose(&t->acceptor, newest, err);
}

/* Some faults show on an SSL only: limits that OpenSSL refuses, a context for TLS. */
static int try_out(struct sd_tls *t, struct sd_err *err)
{
    SSL *ssl = SSL_new(t->ctx);
    if (!ssl)
        return sd_ossl_err(err, SDTLS_TLSLIB, "cannot create an SSL object");
    int rc = SDTLS_OK;
    if (!SSL_is_dtls(ssl))
        rc = sd_err_set(err, SDTLS_OPTION,
                        "ssl_ctx is for TLS, not for DTLS: create it with DTLS_method()");
    else
        rc = sd_versions_limit(ssl, t->versions, err);
    SSL_free(ssl);
    return rc;
}

int sd_tls_new(struct sd_tls **pt, enum sd_role role, const sdtls_config *config,
               struct sd_err *err)
{
    *pt = NULL;
    struct sd_tls *t = calloc(1, sizeof *t);
    if (!t)
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    t->role = role;
    t->users = 1;
    int rc = SDTLS_OK;
    if (!copy_config(t, config))
        rc = sd_err_set(err, SDTLS_NOMEM, "out of memory");
    if (!rc && t->verify_host && strlen(t->verify_host) > SD_HOST_MAX)
        rc = sd_err_set(err, SDTLS_OPTION, "verify_host is too long: %zu characters, at most %d",
                        strlen(t->verify_host), SD_HOST_MAX);
    if (!rc)
        rc = config->ssl_ctx ? take_ctx(t, config, err) : make_ctx(t, config, err);
    if (!rc)
        rc = choose_acceptor(t, err);
    if (!rc)
        rc = try_out(t, err);
    if (rc) {
        sd_tls_free(t);
        return rc;
    }
    if (t->keylog)
        sd_keylog_setup(t->ctx);
    sd_credentials_fingerprint(SSL_CTX_get0_certificate(t->ctx), t->fingerprint);
    *pt = t;
    return SDTLS_OK;
}

struct sd_tls *sd_tls_share(struct sd_tls *t)
{
    __atomic_add_fetch(&t->users, 1, __ATOMIC_RELAXED);
    return t;
}

void sd_tls_free(struct sd_tls *t)
{
    if (!t || __atomic_sub_fetch(&t->users, 1, __ATOMIC_ACQ_REL))
        return;
    SSL_CTX_free(t->ctx);
    sd_alpn_fini(&t->alpn);
    sd_psk_fini(&t->psk);
    free(t->server_name);
    free(t->verify_host);
    free(t->session_file);
    free(t);
    ERR_clear_error();
}

const char *sd_tls_fingerprint(const struct sd_tls *t)
{
    return *t->fingerprint ? t->fingerprint : NULL;
}

void *sd_tls_native(const struct sd_tls *t)
{
    return t->ctx;
}

void sd_tls_hold(void *ssl_ctx)
{
    if (ssl_ctx)
        SSL_CTX_up_ref(ssl_ctx);
}

void sd_tls_release(void *ssl_ctx)
{
    SSL_CTX_free(ssl_ctx);
}
