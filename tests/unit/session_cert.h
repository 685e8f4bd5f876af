/* SPDX-License-Identifier: MIT */
/* Certificates for tests, as PEM files in a directory that goes away. */
#ifndef SESSION_CERT_H
#define SESSION_CERT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

struct test_cert {
    char dir[32], cert[48], key[48];
};

static EVP_PKEY *test_key(int type)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(type, NULL);
    EVP_PKEY *key = NULL;
    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    if (type == EVP_PKEY_RSA)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    else
        assert_int_equal(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1), 1);
    assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* Signed by itself, valid from `from_day` to `to_day` days from now, with
 * `padding` bytes of comment to make it large. */
static struct test_cert test_cert_new(int type, int from_day, int to_day, size_t padding)
{
    struct test_cert c = {.dir = "/tmp/sdtls-test-XXXXXX"};
    assert_non_null(mkdtemp(c.dir));
    snprintf(c.cert, sizeof c.cert, "%s/cert.pem", c.dir);
    snprintf(c.key, sizeof c.key, "%s/key.pem", c.dir);
    EVP_PKEY *key = test_key(type);
    X509 *x = X509_new();
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"peer.test", -1, -1,
                               0);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), from_day * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(x), to_day * 86400L);
    X509_set_subject_name(x, name);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    if (padding) {
        char *text = malloc(padding + 1);
        memset(text, 'x', padding);
        text[padding] = 0;
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, text);
        assert_non_null(e);
        X509_add_ext(x, e, -1);
        X509_EXTENSION_free(e);
        free(text);
    }
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    FILE *f = fopen(c.cert, "w");
    assert_non_null(f);
    PEM_write_X509(f, x);
    fclose(f);
    f = fopen(c.key, "w");
    assert_non_null(f);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_NAME_free(name);
    X509_free(x);
    EVP_PKEY_free(key);
    return c;
}

static void test_cert_free(struct test_cert *c)
{
    unlink(c->cert);
    unlink(c->key);
    rmdir(c->dir);
}

#endif
