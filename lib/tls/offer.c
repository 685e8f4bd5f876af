/* SPDX-License-Identifier: MIT */
#include "tls/offer.h"

#include <openssl/err.h>
#include <openssl/srtp.h>
#include <stdlib.h>
#include <string.h>

#include "tls/ossl.h"
#include "tls/psk.h"
#include "tls/verify.h"

/* AEAD only: on every OpenSSL so far one forged record ends a CBC session that negotiated
 * encrypt-then-MAC (openssl#24972). OpenSSL leaves out what the security level forbids: CCM8
 * above level 0, from 3.5 on. */
#define CERT_SUITES                                                                                \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                                   \
    "ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES256-CCM:"                                               \
    "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES256-CCM8"
#define PSK_SUITES                                                                                 \
    "ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:"                     \
    "PSK-CHACHA20-POLY1305:PSK-AES128-CCM:PSK-AES256-CCM:PSK-AES128-CCM8:PSK-AES256-CCM8"
/* DTLS 1.0 has only CBC suites. */
#define CERT_SUITES_1_0                                                                            \
    ":ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:"                         \
    "ECDHE-RSA-AES256-SHA:AES128-SHA:AES256-SHA"
#define PSK_SUITES_1_0 ":ECDHE-PSK-AES128-CBC-SHA:PSK-AES128-CBC-SHA:PSK-AES256-CBC-SHA"

/* A client that has a PSK and would accept any certificate offers PSK suites only: otherwise
 * an attacker in between could choose a certificate suite and be accepted. */
static const char *default_suites(enum sd_role role, bool old, const sdtls_config *c)
{
    if (!sd_psk_wanted(role, c))
        return old ? CERT_SUITES CERT_SUITES_1_0 : CERT_SUITES;
    if (role == SD_ROLE_CLIENT && sd_verify_mode(role, c) != SDTLS_VERIFY_REQUIRE)
        return old ? PSK_SUITES PSK_SUITES_1_0 : PSK_SUITES;
    return old ? PSK_SUITES ":" CERT_SUITES PSK_SUITES_1_0 CERT_SUITES_1_0
               : PSK_SUITES ":" CERT_SUITES;
}

static int set_ciphers(SSL_CTX *ctx, enum sd_role role, struct sd_versions v, const sdtls_config *c,
                       struct sd_err *err)
{
    bool old = v.min == SDTLS_V1_0;
    const char *list = c->ciphers ? c->ciphers : default_suites(role, old, c);
    /* DTLS 1.0 signs with SHA-1, which OpenSSL 3 has at level 0 only. */
    if (old && !strstr(list, "@SECLEVEL"))
        SSL_CTX_set_security_level(ctx, 0);
    if (!SSL_CTX_set_cipher_list(ctx, list))
        return sd_ossl_err(err, SDTLS_OPTION, "OpenSSL rejected ciphers \"%s\"", list);
    return SDTLS_OK;
}

/* Of the whole list in the configuration: far more than a ClientHello can hold. */
enum { ALPN_MAX = 8192 };

/* "a,b" as length-prefixed names; false when a name is empty or too long. */
static bool alpn_encode(struct sd_alpn *a, const char *list)
{
    unsigned char *out = a->names;
    for (const char *p = list;; p++) {
        size_t len = strcspn(p, ",");
        if (len < 1 || len > 255)
            return false;
        *out++ = (unsigned char)len;
        memcpy(out, p, len);
        out += len;
        p += len;
        if (!*p)
            break;
    }
    a->len = (unsigned)(out - a->names);
    return true;
}

/* RFC 7301 3.2: without a common protocol the handshake ends. */
static int alpn_select(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    const struct sd_alpn *a = arg;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, a->names, a->len, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int set_alpn(SSL_CTX *ctx, struct sd_alpn *a, enum sd_role role, const char *list,
                    struct sd_err *err)
{
    size_t len = strlen(list);
    if (len > ALPN_MAX)
        return sd_err_set(err, SDTLS_OPTION, "alpn is too long: %zu characters, at most %d", len,
                          ALPN_MAX);
    a->names = malloc(len + 1);
    if (!a->names)
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    if (!alpn_encode(a, list))
        return sd_err_set(
            err, SDTLS_OPTION,
            "alpn \"%s\": each name must have 1 to 255 characters; put commas between names", list);
    if (role == SD_ROLE_SERVER)
        SSL_CTX_set_alpn_select_cb(ctx, alpn_select, a);
    else if (SSL_CTX_set_alpn_protos(ctx, a->names, a->len)) /* 0 is success */
        return sd_ossl_err(err, SDTLS_OPTION, "OpenSSL rejected alpn \"%s\"", list);
    return SDTLS_OK;
}

int sd_tls_offer(SSL_CTX *ctx, struct sd_alpn *alpn, enum sd_role role, struct sd_versions v,
                 const sdtls_config *c, struct sd_err *err)
{
    int rc = set_ciphers(ctx, role, v, c, err);
    if (rc)
        return rc;
    if (c->groups && !SSL_CTX_set1_groups_list(ctx, c->groups))
        return sd_ossl_err(err, SDTLS_OPTION, "OpenSSL rejected groups \"%s\"", c->groups);
    if (c->sigalgs && !SSL_CTX_set1_sigalgs_list(ctx, c->sigalgs))
        return sd_ossl_err(err, SDTLS_OPTION, "OpenSSL rejected sigalgs \"%s\"", c->sigalgs);
    if (c->srtp && SSL_CTX_set_tlsext_use_srtp(ctx, c->srtp)) /* 0 is success */
        return sd_ossl_err(err, SDTLS_OPTION, "OpenSSL rejected srtp \"%s\"", c->srtp);
    return c->alpn ? set_alpn(ctx, alpn, role, c->alpn, err) : SDTLS_OK;
}

void sd_alpn_fini(struct sd_alpn *alpn)
{
    free(alpn->names);
}
