/* SPDX-License-Identifier: MIT */
/* For the tests of lib/tls: contexts, and two SSLs that talk through memory. */
#ifndef TLS_SUPPORT_H
#define TLS_SUPPORT_H

#include "identity.h"
#include "tls/context.h"
#include "tls/prepare.h"

/* Two SSLs of two contexts, ready to shake hands. */
struct pair {
    struct sd_tls *ct, *st;
    SSL *c, *s;
};

static inline SSL *half_new(struct sd_tls *t, const char *host)
{
    struct sd_err err = {0};
    SSL *ssl = SSL_new(sd_tls_native(t));
    assert_non_null(ssl);
    if (sd_tls_prepare(t, ssl, host, &err))
        fail_msg("prepare: %s", err.text);
    SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(ssl, 1400);
    return ssl;
}

static inline struct sd_tls *context(enum sd_role role, const sdtls_config *config)
{
    struct sd_err err = {0};
    struct sd_tls *t;
    /* Not what this machine happens to trust. */
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    if (sd_tls_new(&t, role, config, &err))
        fail_msg("%s: %s", role == SD_ROLE_SERVER ? "server" : "client", err.text);
    assert_int_equal(ERR_peek_error(), 0);
    return t;
}

static inline void pair_connect(struct pair *p, const char *host)
{
    BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(up, -1);
    BIO_set_mem_eof_return(down, -1);
    BIO_up_ref(up);
    BIO_up_ref(down);
    p->c = half_new(p->ct, host);
    p->s = half_new(p->st, NULL);
    SSL_set_bio(p->c, down, up);
    SSL_set_bio(p->s, up, down);
    SSL_set_connect_state(p->c);
    SSL_set_accept_state(p->s);
    for (int i = 0; i < 8; i++) {
        SSL_do_handshake(p->c);
        SSL_do_handshake(p->s);
    }
    ERR_clear_error();
}

static inline struct pair pair_new(const sdtls_config *client, const sdtls_config *server,
                                   const char *host)
{
    struct pair p = {.ct = context(SD_ROLE_CLIENT, client), .st = context(SD_ROLE_SERVER, server)};
    pair_connect(&p, host);
    return p;
}

static inline bool pair_ready(const struct pair *p)
{
    return SSL_is_init_finished(p->c) && SSL_is_init_finished(p->s);
}

/* The connections only: the contexts may serve again. */
static inline void pair_hang_up(struct pair *p)
{
    SSL_shutdown(p->c);
    SSL_shutdown(p->s);
    SSL_free(p->c);
    SSL_free(p->s);
    ERR_clear_error();
}

static inline void pair_free(struct pair *p)
{
    pair_hang_up(p);
    sd_tls_free(p->ct);
    sd_tls_free(p->st);
}

/* sd_tls_new has to fail with this code and these words; names them if not. */
static inline void refused(enum sd_role role, const sdtls_config *config, int code,
                           const char *words)
{
    struct sd_err err = {0};
    struct sd_tls *t;
    int rc = sd_tls_new(&t, role, config, &err);
    sd_tls_free(t);
    if (rc != code || !strstr(err.text, words))
        fail_msg("expected %d \"%s\", got %d \"%s\"", code, words, rc, err.text);
    assert_int_equal(ERR_peek_error(), 0);
}

#define SELF_SIGNED_SERVER SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED

#endif
