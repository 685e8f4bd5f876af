/* SPDX-License-Identifier: MIT */
#include "tls/verify.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "tls/internal.h"
#include "tls/ossl.h"
#include "tls/pem.h"

/* With more names than this a CertificateRequest only needs more datagrams. An empty list
 * lets the client send what it has (RFC 5246 section 7.4.4). */
#define CA_NAMES 16

enum sdtls_verify sd_verify_mode(enum sd_role role, const sdtls_config *c)
{
    if (c->verify != SDTLS_VERIFY_DEFAULT)
        return c->verify;
    if (c->ca_file || c->ca_path || c->pins ||
        (role == SD_ROLE_CLIENT && c->verify_host && *c->verify_host))
        return SDTLS_VERIFY_REQUIRE;
    return role == SD_ROLE_CLIENT ? SDTLS_VERIFY_CHECK : SDTLS_VERIFY_NONE;
}

/* Puts certificates and revocation lists into the store. The number of certificates, or -1. */
static int store_all(X509_STORE *store, STACK_OF(X509_INFO) * found)
{
    int certs = 0;
    for (int i = 0; i < sk_X509_INFO_num(found); i++) {
        X509_INFO *one = sk_X509_INFO_value(found, i);
        if (one->x509 && !X509_STORE_add_cert(store, one->x509))
            return -1;
        if (one->crl && !X509_STORE_add_crl(store, one->crl))
            return -1;
        if (one->crl)
            X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
        certs += one->x509 != NULL;
    }
    return certs;
}

static void ask_for(SSL_CTX *ctx, STACK_OF(X509_INFO) * found)
{
    if (sk_X509_INFO_num(found) > CA_NAMES)
        return;
    for (int i = 0; i < sk_X509_INFO_num(found); i++)
        if (sk_X509_INFO_value(found, i)->x509)
            SSL_CTX_add_client_CA(ctx, sk_X509_INFO_value(found, i)->x509);
    ERR_clear_error();
}

static int load_ca_file(SSL_CTX *ctx, const char *file, struct sd_err *err)
{
    BIO *bio;
    int rc = sd_pem_open(&bio, "CA", file, err);
    if (rc)
        return rc;
    STACK_OF(X509_INFO) *found = PEM_X509_INFO_read_bio(bio, NULL, sd_pem_no_password, NULL);
    BIO_free(bio);
    int certs = found ? store_all(SSL_CTX_get_cert_store(ctx), found) : -1;
    if (certs > 0)
        ask_for(ctx, found);
    sk_X509_INFO_pop_free(found, X509_INFO_free);
    if (certs < 0)
        return sd_ossl_err(err, SDTLS_CRED, "cannot use CA file %s", file);
    if (certs == 0)
        return sd_err_set(err, SDTLS_CRED, "CA file %s contains no PEM certificate", file);
    return SDTLS_OK;
}

/* OpenSSL finds a CA in a directory by the hash of its name: "9d66eef0.0". */
static bool is_hashed(const char *name)
{
    size_t len = strspn(name, "0123456789abcdef");
    return len == 8 && name[8] == '.' && name[9];
}

static int load_ca_path(SSL_CTX *ctx, const char *path, struct sd_err *err)
{
    DIR *dir = opendir(path);
    if (!dir)
        return sd_err_because(err, SDTLS_CRED, strerrordesc_np(errno),
                              "cannot read CA directory %s", path);
    bool hashed = false;
    for (struct dirent *e; !hashed && (e = readdir(dir));)
        hashed = is_hashed(e->d_name);
    closedir(dir);
    if (!hashed)
        return sd_err_set(err, SDTLS_CRED,
                          "CA directory %s contains no certificate that is named by its hash: "
                          "run \"openssl rehash %s\"",
                          path, path);
    if (!SSL_CTX_load_verify_locations(ctx, NULL, path))
        return sd_ossl_err(err, SDTLS_CRED, "cannot use CA directory %s", path);
    return SDTLS_OK;
}

static int load_trust(SSL_CTX *ctx, const sdtls_config *c, struct sd_err *err)
{
    int rc = SDTLS_OK;
    if (!c->ca_file && !c->ca_path) {
        SSL_CTX_set_default_verify_paths(ctx); /* none installed: no peer is trusted */
        ERR_clear_error();
        return SDTLS_OK;
    }
    if (c->ca_file)
        rc = load_ca_file(ctx, c->ca_file, err);
    if (!rc && c->ca_path)
        rc = load_ca_path(ctx, c->ca_path, err);
    /* A certificate that the user names is trusted, also when it is not a root. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
    return rc;
}

/* ASN1_TIME_diff() gives days and seconds of one sign, and fails for what is not a time. */
static bool is_past(const ASN1_TIME *t)
{
    int days, seconds;
    return ASN1_TIME_diff(&days, &seconds, NULL, t) && (days < 0 || seconds < 0);
}

static bool is_ahead(const ASN1_TIME *t)
{
    int days, seconds;
    return ASN1_TIME_diff(&days, &seconds, NULL, t) && (days > 0 || seconds > 0);
}

/* X509_V_ERR_* when the certificate is not valid today, or X509_V_OK. */
static int date_error(const X509 *x)
{
    if (is_past(X509_get0_notAfter(x)))
        return X509_V_ERR_CERT_HAS_EXPIRED;
    if (is_ahead(X509_get0_notBefore(x)))
        return X509_V_ERR_CERT_NOT_YET_VALID;
    return X509_V_OK;
}

/* Keeps the first certificate that is not trusted: after a failed handshake the SSL has
 * forgotten it. OpenSSL looks for the issuer first, but no CA makes an expired certificate
 * valid: the dates of the peer's own one count more. */
static void note_culprit(X509_STORE_CTX *store, struct sd_ssl_link *link)
{
    X509 *x = X509_STORE_CTX_get_current_cert(store), *own = X509_STORE_CTX_get0_cert(store);
    int dates = own ? date_error(own) : X509_V_OK;
    link->error = dates ? dates : X509_STORE_CTX_get_error(store);
    x = dates ? own : x;
    if (x && X509_up_ref(x))
        link->culprit = x;
}

static int on_certificate(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct sd_ssl_link *link = ssl ? sd_ssl_link_of(ssl) : NULL;
    if (!link)
        return ok;
    if (!ok && !link->culprit)
        note_culprit(store, link);
    /* A server with SDTLS_VERIFY_CHECK accepts any certificate; the result is kept. */
    return ok || (link->tls->role == SD_ROLE_SERVER && link->tls->verify == SDTLS_VERIFY_CHECK);
}

/* In place of OpenSSL's own: the chain where one is asked for, and then the pins. */
static int on_chain(X509_STORE_CTX *store, void *arg)
{
    const struct sd_tls *t = arg;
    X509 *own = X509_STORE_CTX_get0_cert(store);
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct sd_ssl_link *link = ssl ? sd_ssl_link_of(ssl) : NULL;
    if (!t->pins_alone && X509_verify_cert(store) <= 0)
        return 0;
    if (own && sd_pins_match(&t->pins, own)) {
        if (t->pins_alone)
            X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    if (link && !link->culprit && own && X509_up_ref(own)) {
        link->culprit = own;
        link->unpinned = true;
    }
    return t->role == SD_ROLE_SERVER && t->verify == SDTLS_VERIFY_CHECK;
}

static int set_pins(struct sd_tls *t, const sdtls_config *c, struct sd_err *err)
{
    if (t->verify == SDTLS_VERIFY_NONE)
        return sd_err_set(err, SDTLS_OPTION,
                          "pins are set, but verify is SDTLS_VERIFY_NONE: set one");
    SSL_CTX_set_cert_verify_callback(t->ctx, on_chain, t);
    return sd_pins_parse(&t->pins, c->pins, err);
}

static int verify_flags(const struct sd_tls *t)
{
    if (t->verify == SDTLS_VERIFY_REQUIRE)
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    if (t->verify == SDTLS_VERIFY_CHECK && t->role == SD_ROLE_SERVER)
        return SSL_VERIFY_PEER;
    return SSL_VERIFY_NONE; /* a client checks nevertheless, and keeps the result */
}

int sd_verify_setup(struct sd_tls *t, const sdtls_config *c, struct sd_err *err)
{
    if (t->verify < SDTLS_VERIFY_NONE || t->verify > SDTLS_VERIFY_REQUIRE)
        return sd_err_set(err, SDTLS_OPTION, "verify: %d is not a value of enum sdtls_verify",
                          (int)t->verify);
    int rc = SDTLS_OK;
    if (c->pins)
        rc = set_pins(t, c, err);
    if (!rc && t->verify != SDTLS_VERIFY_NONE && !t->pins_alone)
        rc = load_trust(t->ctx, c, err);
    if (!rc)
        SSL_CTX_set_verify(t->ctx, verify_flags(t), on_certificate);
    return rc;
}

bool sd_verify_is_ip(const char *host)
{
    struct in6_addr a;
    return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

const char *sd_verify_host(const char *host, char buf[static SD_HOST_MAX + 1])
{
    if (!host || !*host || strlen(host) > SD_HOST_MAX)
        return NULL;
    strcpy(buf, host);
    char *scope = strchr(buf, '%');
    if (scope && strchr(buf, ':'))
        *scope = 0;
    size_t len = strlen(buf);
    if (len > 1 && buf[len - 1] == '.')
        buf[len - 1] = 0;
    return buf;
}

bool sd_verify_expect(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    bool ok = sd_verify_is_ip(host) ? X509_VERIFY_PARAM_set1_ip_asc(param, host)
                                    : X509_VERIFY_PARAM_set1_host(param, host, 0);
    ERR_clear_error();
    return ok;
}

bool sd_verify_carries(X509 *cert, const char *host)
{
    int ok = sd_verify_is_ip(host)
                 ? X509_check_ip_asc(cert, host, 0)
                 : X509_check_host(cert, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL);
    ERR_clear_error();
    return ok == 1;
}
