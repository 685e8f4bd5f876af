/* SPDX-License-Identifier: MIT */
/* Certificates and keys made to measure, and a temporary directory for their files. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY (24L * 60 * 60)

/* The directory of this test program, made by temp_setup(). */
static char temp_dir[64];

static inline int temp_setup(void **state)
{
    (void)state;
    snprintf(temp_dir, sizeof temp_dir, "/tmp/sdtls-test.XXXXXX");
    return mkdtemp(temp_dir) ? 0 : -1;
}

static inline int temp_teardown(void **state)
{
    (void)state;
    DIR *d = opendir(temp_dir);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.' && unlinkat(dirfd(d), e->d_name, 0) < 0)
            unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    if (d)
        closedir(d);
    return rmdir(temp_dir);
}

/* The path of a file in the directory; eight of them are good at a time. */
static inline const char *path(const char *name)
{
    static char buf[8][128];
    static unsigned next;
    char *p = buf[next++ % 8];
    snprintf(p, sizeof buf[0], "%s/%s", temp_dir, name);
    return p;
}

static inline const char *write_file(const char *name, const void *data, size_t len)
{
    FILE *f = fopen(path(name), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    fclose(f);
    return path(name);
}

struct identity {
    X509 *cert;
    EVP_PKEY *key;
};

static inline void identity_free(struct identity i)
{
    X509_free(i.cert);
    EVP_PKEY_free(i.key);
}

static inline EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    assert_true(EVP_PKEY_keygen_init(c) > 0);
    assert_true(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(c, NID_X9_62_prime256v1) > 0);
    assert_true(EVP_PKEY_CTX_set_ec_param_enc(c, OPENSSL_EC_NAMED_CURVE) > 0);
    assert_true(EVP_PKEY_keygen(c, &key) > 0);
    EVP_PKEY_CTX_free(c);
    return key;
}

static inline void extend(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);
    assert_non_null(e);
    assert_true(X509_add_ext(x, e, -1));
    X509_EXTENSION_free(e);
}

struct wish {
    const struct identity *ca; /* NULL = self-signed */
    const char *cn, *san;      /* san: "DNS:a,IP:1.2.3.4" or NULL */
    long from, to;             /* seconds from now; 0, 0 = yesterday to tomorrow */
    bool is_ca;
    const char *eku;
};

static inline struct identity issue(struct wish w)
{
    struct identity i = {X509_new(), new_key()};
    X509_NAME *n = X509_NAME_new();
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)w.cn, -1, -1, 0);
    X509_set_version(i.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(i.cert), rand() | 1);
    X509_set_subject_name(i.cert, n);
    X509_set_issuer_name(i.cert, w.ca ? X509_get_subject_name(w.ca->cert) : n);
    X509_NAME_free(n);
    X509_gmtime_adj(X509_getm_notBefore(i.cert), w.from ? w.from : -DAY);
    X509_gmtime_adj(X509_getm_notAfter(i.cert), w.to ? w.to : DAY);
    X509_set_pubkey(i.cert, i.key);
    extend(i.cert, NID_basic_constraints, w.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (w.san)
        extend(i.cert, NID_subject_alt_name, w.san);
    if (w.eku)
        extend(i.cert, NID_ext_key_usage, w.eku);
    assert_true(X509_sign(i.cert, w.ca ? w.ca->key : i.key, EVP_sha256()));
    return i;
}

static inline const char *write_cert(const char *name, const X509 *cert)
{
    FILE *f = fopen(path(name), "w");
    assert_non_null(f);
    assert_true(PEM_write_X509(f, (X509 *)(uintptr_t)cert));
    fclose(f);
    return path(name);
}

/* password NULL = not encrypted. */
static inline const char *write_key(const char *name, EVP_PKEY *key, const char *password)
{
    FILE *f = fopen(path(name), "w");
    assert_non_null(f);
    assert_true(PEM_write_PKCS8PrivateKey(f, key, password ? EVP_aes_128_cbc() : NULL, NULL, 0,
                                          NULL, (void *)(uintptr_t)password));
    fclose(f);
    return path(name);
}

static inline const char *append_file(const char *name, const char *from)
{
    char buf[65536];
    FILE *in = fopen(from, "r"), *out = fopen(path(name), "a");
    assert_non_null(in);
    assert_non_null(out);
    size_t n = fread(buf, 1, sizeof buf, in);
    assert_int_equal(fwrite(buf, 1, n, out), n);
    fclose(in);
    fclose(out);
    return path(name);
}

#endif
