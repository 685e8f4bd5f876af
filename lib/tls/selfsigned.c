/* SPDX-License-Identifier: MIT */
#include "tls/selfsigned.h"

#include <ctype.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sukat_dtls.h"
#include "tls/ossl.h"

#define DAY_S (24L * 60 * 60)
#define BEFORE_S (1 * DAY_S) /* clocks differ */
#define LIFETIME_S (30 * DAY_S)
#define NAME_MAX_CN 64 /* ub-common-name, RFC 5280 appendix A.1 */

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    bool ok = c && EVP_PKEY_keygen_init(c) > 0 &&
              EVP_PKEY_CTX_set_ec_paramgen_curve_nid(c, NID_X9_62_prime256v1) > 0 &&
              EVP_PKEY_CTX_set_ec_param_enc(c, OPENSSL_EC_NAMED_CURVE) > 0 &&
              EVP_PKEY_keygen(c, &key) > 0;
    EVP_PKEY_CTX_free(c);
    return ok ? key : NULL;
}

/* In the extension's value commas and colons have a meaning, so only a plain host name is
 * used. */
static void common_name(char name[static NAME_MAX_CN + 1])
{
    bool ok = gethostname(name, NAME_MAX_CN + 1) == 0 && memchr(name, 0, NAME_MAX_CN + 1) && *name;
    for (const char *p = name; ok && *p; p++)
        ok = isalnum((unsigned char)*p) || *p == '-' || *p == '.' || *p == '_';
    if (!ok)
        strcpy(name, "sukat_dtls");
}

/* The certificate's own name object is read-only from OpenSSL 4.0 on. */
static bool set_names(X509 *x, const char *cn)
{
    X509_NAME *n = X509_NAME_new();
    bool ok =
        n &&
        X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0) &&
        X509_set_subject_name(x, n) && X509_set_issuer_name(x, n);
    X509_NAME_free(n);
    return ok;
}

static bool set_serial(X509 *x)
{
    uint64_t serial;
    return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1 | 1);
}

static bool add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX v3;
    X509V3_set_ctx_nodb(&v3);
    X509V3_set_ctx(&v3, x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, &v3, nid, value);
    bool ok = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

static bool fill_certificate(X509 *x, EVP_PKEY *key)
{
    char cn[NAME_MAX_CN + 1], names[NAME_MAX_CN + 64];
    common_name(cn);
    snprintf(names, sizeof names, "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1", cn);
    /* Like `openssl req -x509`: a root of its own, which every stack accepts
     * both as the server's certificate and as the client's trust anchor. */
    return X509_set_version(x, 2) && set_serial(x) && set_names(x, cn) &&
           X509_gmtime_adj(X509_getm_notBefore(x), -BEFORE_S) &&
           X509_gmtime_adj(X509_getm_notAfter(x), LIFETIME_S) && X509_set_pubkey(x, key) &&
           add_extension(x, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(x, NID_subject_key_identifier, "hash") &&
           add_extension(x, NID_subject_alt_name, names);
}

int sd_selfsigned_make(X509 **pcert, EVP_PKEY **pkey, struct sd_err *err)
{
    *pcert = X509_new();
    *pkey = make_key();
    if (*pcert && *pkey && fill_certificate(*pcert, *pkey) &&
        X509_sign(*pcert, *pkey, EVP_sha256()))
        return SDTLS_OK;
    X509_free(*pcert);
    EVP_PKEY_free(*pkey);
    *pcert = NULL;
    *pkey = NULL;
    return sd_ossl_err(err, SDTLS_TLSLIB, "cannot create a self-signed certificate");
}
