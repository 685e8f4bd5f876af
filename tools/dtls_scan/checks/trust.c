/* SPDX-License-Identifier: MIT */
#include "dtls_scan/checks/trust.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "wire/certificate.h"

enum { CHAIN_MOST = 16 };

static STACK_OF(X509) * read_chain(struct sd_span message)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct sd_cert_chain list;
    struct sd_span der;
    if (!chain || !sd_cert_chain_init(&list, message, false))
        return chain;
    while (sk_X509_num(chain) < CHAIN_MOST && sd_cert_next(&list, &der)) {
        const unsigned char *p = der.p;
        X509 *x = d2i_X509(NULL, &p, (long)der.len);
        if (!x || !sk_X509_push(chain, x)) {
            X509_free(x);
            break;
        }
    }
    return chain;
}

static bool in_order(STACK_OF(X509) * chain)
{
    for (int i = 0; i + 1 < sk_X509_num(chain); i++)
        if (X509_check_issued(sk_X509_value(chain, i + 1), sk_X509_value(chain, i)) != X509_V_OK)
            return false;
    return true;
}

static X509_STORE *open_store(const char *ca_file)
{
    X509_STORE *store = X509_STORE_new();
    if (!store)
        return NULL;
    if (ca_file ? X509_STORE_load_locations(store, ca_file, NULL)
                : X509_STORE_set_default_paths(store))
        return store;
    X509_STORE_free(store);
    return NULL;
}

static void verify_chain(struct scan_trust *t, STACK_OF(X509) * chain, const char *ca_file)
{
    X509_STORE *store = open_store(ca_file);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (store && ctx && X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain)) {
        X509_STORE_CTX_set_default(ctx, "ssl_server");
        t->trusted = X509_verify_cert(ctx) == 1;
        snprintf(t->text, sizeof t->text, "%s",
                 X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    } else {
        snprintf(t->text, sizeof t->text, "the CAs cannot be read");
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
}

static bool is_for(X509 *x, const char *host)
{
    return !host || X509_check_host(x, host, 0, 0, NULL) == 1 || X509_check_ip_asc(x, host, 0) == 1;
}

bool scan_trust_verify(struct scan_trust *t, struct sd_span message, const char *ca_file,
                       const char *host)
{
    STACK_OF(X509) *chain = read_chain(message);
    *t = (struct scan_trust){.count = chain ? (unsigned)sk_X509_num(chain) : 0};
    if (t->count) {
        verify_chain(t, chain, ca_file);
        t->named = is_for(sk_X509_value(chain, 0), host);
        t->ordered = in_order(chain);
    }
    sk_X509_pop_free(chain, X509_free);
    ERR_clear_error();
    return t->count;
}
