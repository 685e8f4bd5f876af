/* SPDX-License-Identifier: MIT */
#include "dtls_scan/login.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "dtls_scan/options.h"

/* PUPPET_STORE has room for this chain and what goes with it. */
enum { CHAIN_MOST = 10000, LENGTH = 3 };

static BIO *open_pem(const char *file, const char *option, char why[static TOOL_WHY])
{
    BIO *in = BIO_new_file(file, "r");
    if (!in)
        tool_wrong(why, "%s %s: %s", option, file, errno ? strerror(errno) : "cannot be read");
    ERR_clear_error();
    return in;
}

/* Appends each certificate of the file. */
static bool read_login_chain(struct sd_wr *w, BIO *in)
{
    X509 *cert;
    bool any = false;
    while (!w->bad && (cert = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
        uint8_t *der = NULL;
        int len = i2d_X509(cert, &der);
        size_t mark = sd_wr_open(w, LENGTH);
        sd_wr_bytes(w, der, len > 0 ? (size_t)len : 0);
        sd_wr_close(w, mark, LENGTH);
        OPENSSL_free(der);
        X509_free(cert);
        any = true;
    }
    ERR_clear_error();
    return any && !w->bad;
}

static bool read_certificates(struct scan_login *l, const char *file, char why[static TOOL_WHY])
{
    BIO *in = open_pem(file, "--certificate", why);
    if (!in)
        return false;
    l->bytes = malloc(CHAIN_MOST);
    struct sd_wr w = sd_wr_init(l->bytes, l->bytes ? CHAIN_MOST : 0);
    size_t mark = sd_wr_open(&w, LENGTH);
    bool done = read_login_chain(&w, in);
    sd_wr_close(&w, mark, LENGTH);
    BIO_free(in);
    l->certificate.chain = (struct sd_span){l->bytes, sd_wr_len(&w)};
    return done || tool_wrong(why,
                              w.bad ? "--certificate %s: the chain is larger than 10,000 bytes"
                                    : "--certificate %s: no certificate (PEM) is in it",
                              file);
}

/* OpenSSL would ask on the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

static bool fits_certificate(const struct scan_login *l)
{
    struct sd_rd r = sd_rd_init(l->certificate.chain.p, l->certificate.chain.len);
    struct sd_rd list = sd_rd_vec24(&r), first = sd_rd_vec24(&list);
    const uint8_t *der = first.p;
    X509 *cert = d2i_X509(NULL, &der, (long)sd_rd_left(&first));
    bool fits = cert && X509_check_private_key(cert, l->certificate.key) == 1;
    X509_free(cert);
    ERR_clear_error();
    return fits;
}

static bool read_login_key(struct scan_login *l, const struct scan_config *c,
                           char why[static TOOL_WHY])
{
    const char *option = c->key ? "--key" : "--certificate";
    const char *file = c->key ? c->key : c->certificate;
    BIO *in = open_pem(file, option, why);
    if (!in)
        return false;
    l->certificate.key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
    BIO_free(in);
    ERR_clear_error();
    if (!l->certificate.key)
        return tool_wrong(why, "%s %s: no private key (PEM, not encrypted) is in it", option, file);
    return fits_certificate(l) ||
           tool_wrong(why, "%s %s: the key is not that of the certificate in %s", option, file,
                      c->certificate);
}

bool scan_login_open(struct scan_login *l, const struct scan_config *c, char why[static TOOL_WHY])
{
    *l = (struct scan_login){.identity = {(const uint8_t *)c->psk_identity, 0},
                             .psk = {c->psk_bytes.bytes, c->psk_bytes.len}};
    l->identity.len = c->psk_identity ? strlen(c->psk_identity) : 0;
    if (!c->certificate || (read_certificates(l, c->certificate, why) && read_login_key(l, c, why)))
        return true;
    scan_login_close(l);
    return false;
}

void scan_login_close(struct scan_login *l)
{
    EVP_PKEY_free(l->certificate.key);
    free(l->bytes);
    *l = (struct scan_login){0};
}
