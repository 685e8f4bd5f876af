/* SPDX-License-Identifier: MIT */
#include "tls/prepare.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/internal.h"
#include "tls/ossl.h"
#include "tls/resume.h"
#include "tls/verify.h"

static bool belong_to(SSL *ssl, struct sd_tls *t)
{
    struct sd_ssl_link *link = sd_ssl_link_make(ssl);
    if (link)
        link->tls = t;
    return link;
}

const struct sd_acceptor *sd_tls_acceptor(const struct sd_tls *t)
{
    return t->acceptor;
}

bool sd_tls_raw(const struct sd_tls *t)
{
    return t->raw;
}

bool sd_tls_wants_client_cert(const struct sd_tls *t)
{
    return t->role == SD_ROLE_SERVER && SSL_CTX_get_verify_mode(t->ctx) & SSL_VERIFY_PEER;
}

/* RFC 6066 section 3: names only, no addresses. */
static int set_server_name(const struct sd_tls *t, SSL *ssl, const char *host, struct sd_err *err)
{
    const char *name = t->server_name ? t->server_name : host;
    if (!name || !*name || (!t->server_name && sd_verify_is_ip(name)))
        return SDTLS_OK;
    if (!SSL_set_tlsext_host_name(ssl, name))
        return sd_ossl_err(err, SDTLS_OPTION, "OpenSSL rejected the server name \"%s\"", name);
    return SDTLS_OK;
}

/* Without verify_host it is the host that the user asked for. A caller's SSL_CTX has settings
 * of its own and gets only what was set explicitly. */
static const char *name_to_verify(const struct sd_tls *t, const char *host,
                                  char buf[static SD_HOST_MAX + 1])
{
    if (t->verify_host)
        return sd_verify_host(t->verify_host, buf);
    if (!t->own_ctx || t->role == SD_ROLE_SERVER || t->verify == SDTLS_VERIFY_NONE || t->pins_alone)
        return NULL;
    return sd_verify_host(host, buf);
}

/* For the sentence about a certificate that does not fit; without memory it lacks the name. */
static void expect(SSL *ssl, const char *name, bool compared)
{
    struct sd_ssl_link *link = sd_ssl_link_of(ssl);
    free(link->expected);
    link->expected = name ? strdup(name) : NULL;
    link->name_open = !compared;
}

int sd_tls_prepare(struct sd_tls *t, SSL *ssl, const char *host, struct sd_err *err)
{
    char buf[SD_HOST_MAX + 1];
    if (!belong_to(ssl, t))
        return sd_ossl_err(err, SDTLS_NOMEM, "cannot prepare an SSL object");
    if (host && strlen(host) > SD_HOST_MAX)
        return sd_err_set(err, SDTLS_OPTION,
                          "the host name is too long: %zu characters, at most %d", strlen(host),
                          SD_HOST_MAX);
    int rc = sd_versions_limit(ssl, t->versions, err);
    if (!rc && t->role == SD_ROLE_CLIENT)
        rc = set_server_name(t, ssl, sd_verify_host(host, buf), err);
    if (rc)
        return rc;
    if (!t->own_ctx && !t->raw)
        SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_ENCRYPT_THEN_MAC);
    const char *name = name_to_verify(t, host, buf);
    /* OpenSSL 4.0 refuses "h" and "a-" (3.6 takes anything). A client that only wants to know
     * about the certificate connects nevertheless. */
    bool compared = !name || sd_verify_expect(ssl, name);
    if (!compared && t->verify == SDTLS_VERIFY_REQUIRE)
        return sd_err_set(err, SDTLS_OPTION,
                          "OpenSSL cannot compare a certificate with the host name \"%s\": "
                          "set verify_host",
                          name);
    expect(ssl, name, compared);
    if (t->session_file)
        sd_resume_load(ssl, t->verify == SDTLS_VERIFY_REQUIRE, name);
    return SDTLS_OK;
}

bool sd_tls_verify_text(const struct sd_tls *t, SSL *ssl, char *buf, size_t len)
{
    if (t->own_ctx && t->verify == SDTLS_VERIFY_NONE && t->role == SD_ROLE_CLIENT) {
        snprintf(buf, len, "not checked");
        return false;
    }
    return sd_verify_text(ssl, buf, len);
}
