/* SPDX-License-Identifier: MIT */
#include "tls/credentials.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "sukat_dtls.h"
#include "tls/ossl.h"
#include "tls/pem.h"

static bool pem_contains(BIO *bio, const char *text)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    return len > 0 && memmem(data, (size_t)len, text, strlen(text));
}

/* DER begins with a SEQUENCE of more than 127 bytes. */
static bool looks_like_der(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    return len > 2 && data[0] == 0x30 && ((unsigned char)data[1] & 0xf0) == 0x80;
}

/* What the file contains instead, to be appended to the sentence. To be called before the
 * BIO is read from. */
static const char *content_hint(BIO *bio)
{
    if (looks_like_der(bio))
        return " (it is a binary file, probably DER or PKCS#12: convert it to PEM)";
    if (pem_contains(bio, "PRIVATE KEY-----"))
        return " (it contains a private key)";
    if (pem_contains(bio, "BEGIN CERTIFICATE REQUEST") ||
        pem_contains(bio, "BEGIN NEW CERTIFICATE REQUEST"))
        return " (it contains a certificate request: send it to a CA to get the certificate)";
    if (pem_contains(bio, "BEGIN CERTIFICATE"))
        return " (it contains a certificate)";
    if (pem_contains(bio, "BEGIN PUBLIC KEY"))
        return " (it contains a public key)";
    return "";
}

/* True when the last PEM call found nothing more, false when it found something damaged;
 * empties the queue when true. */
static bool pem_end(void)
{
    unsigned long e = ERR_peek_last_error();
    if (ERR_GET_LIB(e) != ERR_LIB_PEM || ERR_GET_REASON(e) != PEM_R_NO_START_LINE)
        return false;
    ERR_clear_error();
    return true;
}

static int load_chain(SSL_CTX *ctx, BIO *bio, const char *file, struct sd_err *err)
{
    for (int n = 2;; n++) {
        X509 *x = PEM_read_bio_X509(bio, NULL, sd_pem_no_password, NULL);
        if (!x && pem_end())
            return SDTLS_OK;
        if (!x)
            return sd_ossl_err(err, SDTLS_CRED, "certificate %d in %s is damaged", n, file);
        if (!SSL_CTX_add0_chain_cert(ctx, x)) {
            X509_free(x);
            return sd_ossl_err(err, SDTLS_CRED, "certificate %d in %s cannot be used", n, file);
        }
    }
}

static int load_cert(SSL_CTX *ctx, BIO *bio, const char *file, struct sd_err *err)
{
    const char *why = content_hint(bio);
    X509 *x = PEM_read_bio_X509_AUX(bio, NULL, sd_pem_no_password, NULL);
    if (!x && pem_end())
        return sd_err_set(err, SDTLS_CRED, "%s contains no PEM certificate%s", file, why);
    if (!x)
        return sd_ossl_err(err, SDTLS_CRED, "the certificate in %s is damaged", file);
    int rc = SDTLS_OK;
    if (!SSL_CTX_use_certificate(ctx, x))
        rc = sd_ossl_err(err, SDTLS_CRED, "the certificate in %s cannot be used", file);
    X509_free(x);
    return rc ? rc : load_chain(ctx, bio, file, err);
}

static int no_key(const char *cert_file, const char *key_file, const char *why, struct sd_err *err)
{
    if (!key_file)
        return sd_err_set(err, SDTLS_CRED,
                          "%s contains no private key: set key_file to the file with the key",
                          cert_file);
    return sd_err_set(err, SDTLS_CRED, "%s contains no PEM private key%s", key_file, why);
}

static int use_key(SSL_CTX *ctx, EVP_PKEY *key, const char *cert_file, const char *file,
                   struct sd_err *err)
{
    if (!X509_check_private_key(SSL_CTX_get0_certificate(ctx), key)) {
        ERR_clear_error();
        return sd_err_set(err, SDTLS_CRED,
                          "the private key in %s does not belong to the certificate in %s", file,
                          cert_file);
    }
    if (!SSL_CTX_use_PrivateKey(ctx, key))
        return sd_ossl_err(err, SDTLS_CRED, "the private key in %s cannot be used", file);
    return SDTLS_OK;
}

static int load_key(SSL_CTX *ctx, BIO *bio, const char *cert_file, const char *key_file,
                    struct sd_err *err)
{
    const char *file = key_file ? key_file : cert_file;
    if (!pem_contains(bio, "PRIVATE KEY-----"))
        return no_key(cert_file, key_file, content_hint(bio), err);
    bool encrypted = false;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, sd_pem_no_password, &encrypted);
    if (!key && encrypted) {
        ERR_clear_error();
        return sd_err_set(err, SDTLS_CRED,
                          "the private key in %s is encrypted: decrypt it first "
                          "(openssl pkey -in FILE -out NEWFILE)",
                          file);
    }
    if (!key)
        return sd_ossl_err(err, SDTLS_CRED, "the private key in %s is damaged", file);
    int rc = use_key(ctx, key, cert_file, file, err);
    EVP_PKEY_free(key);
    return rc;
}

int sd_credentials_load(SSL_CTX *ctx, const char *cert_file, const char *key_file,
                        struct sd_err *err)
{
    BIO *bio;
    int rc = sd_pem_open(&bio, "certificate", cert_file, err);
    if (rc)
        return rc;
    /* A second view of the same bytes, for a key that follows the certificate. */
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    BIO *keys = BIO_new_mem_buf(data, (int)len);
    BIO *certs = BIO_new_mem_buf(data, (int)len);
    rc = keys && certs ? load_cert(ctx, certs, cert_file, err)
                       : sd_ossl_err(err, SDTLS_NOMEM, "cannot read %s", cert_file);
    if (!rc && key_file) {
        BIO_free(keys);
        rc = sd_pem_open(&keys, "key", key_file, err);
    }
    if (!rc)
        rc = load_key(ctx, keys, cert_file, key_file, err);
    BIO_free(certs);
    BIO_free(keys);
    BIO_free(bio);
    return rc;
}

bool sd_credentials_fingerprint(const X509 *cert, char out[static SD_FINGERPRINT_TEXT])
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned len;
    if (!cert || !X509_digest(cert, EVP_sha256(), md, &len) || len != 32) {
        ERR_clear_error();
        return false;
    }
    for (unsigned i = 0; i < len; i++)
        snprintf(out + i * 3, 4, i + 1 < len ? "%02X:" : "%02X", md[i]);
    return true;
}
