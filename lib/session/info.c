/* SPDX-License-Identifier: MIT */
/* What is known of a session and its peer. */
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/internal.h"
#include "tls/credentials.h"
#include "tls/prepare.h"

struct sd_peer_text {
    bool verified;
    char alpn[256]; /* its length is one byte: RFC 7301 section 3.1 */
    char subject[256], issuer[256], verify[192];
    char fingerprint[SD_FINGERPRINT_TEXT];
};

/* Borrowed. SSL_get_peer_certificate() has another name in OpenSSL 3. */
static X509 *peer_cert(const struct sd_session *s)
{
    SSL_SESSION *session = SSL_get_session(s->ssl);
    return session ? SSL_SESSION_get0_peer(session) : NULL;
}

static void dn_text(const X509_NAME *name, char buf[static 256])
{
    BIO *b = BIO_new(BIO_s_mem());
    int n = 0;
    if (b && X509_NAME_print_ex(b, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0)
        n = BIO_read(b, buf, 255);
    buf[n > 0 ? n : 0] = 0;
    BIO_free(b);
}

static void collect_alpn(const struct sd_session *s)
{
    const unsigned char *name = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(s->ssl, &name, &len);
    snprintf(s->peer->alpn, sizeof s->peer->alpn, "%.*s", (int)len, name ? (const char *)name : "");
}

static void collect_cert(const struct sd_session *s)
{
    const X509 *cert = peer_cert(s);
    struct sd_peer_text *p = s->peer;
    if (!cert)
        return;
    dn_text(X509_get_subject_name(cert), p->subject);
    dn_text(X509_get_issuer_name(cert), p->issuer);
    sd_credentials_fingerprint(cert, p->fingerprint);
    p->verified = sd_tls_verify_text(s->tls, s->ssl, p->verify, sizeof p->verify);
}

void sd_info_collect(struct sd_session *s)
{
    s->peer = calloc(1, sizeof *s->peer);
    if (!s->peer)
        return;
    collect_alpn(s);
    collect_cert(s);
    ERR_clear_error();
}

void sd_info_free(struct sd_session *s)
{
    free(s->peer);
    s->peer = NULL;
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static void peer_info(const struct sd_peer_text *p, sdtls_info *info)
{
    info->alpn = or_null(p->alpn);
    info->subject = or_null(p->subject);
    info->issuer = or_null(p->issuer);
    info->fingerprint = or_null(p->fingerprint);
    info->verified = p->verified;
    info->verify_text = p->verified ? NULL : or_null(p->verify);
}

/* The key exchange group, NULL without (EC)DHE. */
static const char *group_name(SSL *ssl)
{
#ifdef SSL_get_negotiated_group
    int id = (int)SSL_get_negotiated_group(ssl);
    return id ? SSL_group_to_name(ssl, id) : NULL;
#else
    EVP_PKEY *key = NULL;
    int nid = NID_undef;
    if (SSL_get_peer_tmp_key(ssl, &key) && key) {
        nid = EVP_PKEY_id(key);
        const EC_KEY *ec = nid == EVP_PKEY_EC ? EVP_PKEY_get0_EC_KEY(key) : NULL;
        if (ec)
            nid = EC_GROUP_get_curve_name(EC_KEY_get0_group(ec));
    }
    EVP_PKEY_free(key);
    return nid == NID_undef ? NULL : OBJ_nid2sn(nid);
#endif
}

void sd_session_info(const struct sd_session *s, sdtls_info *info)
{
    *info = (sdtls_info){.server = s->server};
    if (s->phase == SD_PHASE_NEW || !SSL_get_current_cipher(s->ssl))
        return;
    const SRTP_PROTECTION_PROFILE *srtp = SSL_get_selected_srtp_profile(s->ssl);
    info->version = SSL_version(s->ssl);
    info->cipher = SSL_get_cipher_name(s->ssl);
    info->group = group_name(s->ssl);
    info->srtp = srtp ? srtp->name : NULL;
    info->server_name = SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name);
    info->psk_identity = SSL_get_psk_identity(s->ssl);
    info->resumed = SSL_session_reused(s->ssl);
    if (s->peer)
        peer_info(s->peer, info);
    ERR_clear_error();
}

int sd_session_export(const struct sd_session *s, const char *label, void *out, size_t len)
{
    if (s->phase != SD_PHASE_ESTABLISHED)
        return SDTLS_STATE;
    int ok = SSL_export_keying_material(s->ssl, out, len, label, strlen(label), NULL, 0, 0);
    ERR_clear_error();
    return ok == 1 ? SDTLS_OK : SDTLS_TLSLIB;
}
