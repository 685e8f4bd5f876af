/* SPDX-License-Identifier: MIT */
#include "unseal/x509read.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"
#include "unseal/x509fields.h"

/* In bytes; DER_MAX is more than any certificate in use. Larger data is not read, so that the
 * memory of the cache has a bound. */
enum { DER_MAX = 65536, KEPT = 256, HOST_MAX = 255 };

struct known_certificate {
    struct sd_node node;
    X509 *x; /* NULL = the data is no certificate */
    uint8_t *der;
    size_t len;
    struct sd_cert cert;
    /* The last questions: every handshake with this certificate asks the same. */
    uint64_t id, asked_issuer; /* ids are never used twice, and never 0 */
    bool issued, named;
    size_t host_len; /* 0 = not asked */
    uint8_t host[HOST_MAX];
};

struct sd_x509read {
    struct sd_table table;
    struct sd_hash_key seed; /* the sender of a certificate may not choose its bucket */
    struct known_certificate *kept[KEPT];
    size_t oldest;
    struct known_certificate *newest; /* of those looked up */
    uint64_t last_id;
};

static void certificate_free(struct known_certificate *e)
{
    if (!e)
        return;
    X509_free(e->x);
    free(e->der);
    free(e);
}

static struct known_certificate *certificate_new(struct sd_span der)
{
    const unsigned char *p = der.p;
    struct known_certificate *e = calloc(1, sizeof *e);
    if (!e || !(e->der = malloc(der.len)))
        goto fail;
    memcpy(e->der, der.p, der.len);
    e->len = der.len;
    e->x = d2i_X509(NULL, &p, (long)der.len);
    if (e->x && (p != der.p + der.len || !sd_x509fields_read(e->x, &e->cert))) {
        X509_free(e->x);
        e->x = NULL;
    }
    if (e->x)
        EVP_Digest(der.p, der.len, e->cert.fingerprint, NULL, EVP_sha256(), NULL);
    ERR_clear_error();
    return e;
fail:
    certificate_free(e);
    return NULL;
}

static bool same_der(const struct sd_node *n, const void *key)
{
    const struct known_certificate *e = sd_container(n, const struct known_certificate, node);
    const struct sd_span *der = key;
    return e->len == der->len && memcmp(e->der, der->p, der->len) == 0;
}

static void keep_certificate(struct sd_x509read *r, struct known_certificate *e, uint64_t hash)
{
    struct known_certificate **slot = &r->kept[r->oldest];
    r->oldest = (r->oldest + 1) % KEPT;
    if (r->newest == *slot)
        r->newest = NULL;
    if (*slot)
        sd_table_remove(&r->table, &(*slot)->node);
    certificate_free(*slot);
    *slot = e;
    e->id = ++r->last_id;
    sd_table_add(&r->table, &e->node, hash);
}

/* NULL when the data is no certificate. Valid until the next look-up. */
static struct known_certificate *look_up(struct sd_x509read *r, struct sd_span der)
{
    if (!der.len || der.len > DER_MAX)
        return NULL;
    /* Most handshakes of a capture are with one server. */
    if (r->newest && same_der(&r->newest->node, &der))
        return r->newest;
    uint64_t hash = sd_hash(r->seed, der.p, der.len);
    struct sd_node *n = sd_table_find(&r->table, hash, same_der, &der);
    struct known_certificate *e =
        n ? sd_container(n, struct known_certificate, node) : certificate_new(der);
    if (e && !n)
        keep_certificate(r, e, hash);
    if (!e || !e->x)
        return NULL;
    r->newest = e;
    return e;
}

static bool read_cert(void *arg, struct sd_span der, struct sd_cert *cert)
{
    const struct known_certificate *e = look_up(arg, der);
    *cert = e ? e->cert : (struct sd_cert){0};
    return e;
}

static bool matches_host(X509 *x, struct sd_span host)
{
    char name[HOST_MAX + 1];
    uint8_t ip[16];
    memcpy(name, host.p, host.len);
    name[host.len] = 0;
    if (inet_pton(AF_INET, name, ip) == 1)
        return X509_check_ip(x, ip, 4, 0) == 1;
    if (inet_pton(AF_INET6, name, ip) == 1)
        return X509_check_ip(x, ip, 16, 0) == 1;
    return X509_check_host(x, name, host.len, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static bool names_host(void *arg, struct sd_span der, struct sd_span host)
{
    if (host.len > 1 && host.p[host.len - 1] == '.')
        host.len--; /* certificates have no dot at the end of a name */
    /* To OpenSSL a leading dot means every name below. */
    if (!host.len || host.len > HOST_MAX || host.p[0] == '.' || memchr(host.p, 0, host.len))
        return false;
    struct known_certificate *e = look_up(arg, der);
    if (!e)
        return false;
    if (e->host_len != host.len || memcmp(e->host, host.p, host.len) != 0) {
        memcpy(e->host, host.p, host.len);
        e->host_len = host.len;
        e->named = matches_host(e->x, host);
        ERR_clear_error();
    }
    return e->named;
}

static bool signed_by(X509 *x, const X509 *by)
{
    EVP_PKEY *key = X509_get0_pubkey(by);
    bool ok = key && X509_verify(x, key) == 1;
    ERR_clear_error();
    return ok;
}

static bool signed_with(void *arg, struct sd_span der, struct sd_span issuer)
{
    const struct known_certificate *i = look_up(arg, issuer);
    if (!i)
        return false;
    uint64_t id = i->id;
    X509 *by = i->x;
    X509_up_ref(by); /* looking up `der` may drop it from the cache */
    struct known_certificate *e = look_up(arg, der);
    if (e && e->asked_issuer != id) {
        e->asked_issuer = id;
        e->issued = signed_by(e->x, by);
    }
    X509_free(by);
    return e && e->issued;
}

static bool same_number(const struct sd_cert *a, const struct sd_cert *b)
{
    return *a->serial && !strcmp(a->serial, b->serial) && !strcmp(a->issuer, b->issuer) &&
           memcmp(a->key_hash, b->key_hash, sizeof a->key_hash) != 0;
}

static bool find_twin(void *arg, struct sd_span der, struct sd_cert *twin)
{
    const struct sd_x509read *r = arg;
    const struct known_certificate *e = look_up(arg, der);
    for (size_t i = 0; e && i < KEPT; i++) {
        const struct known_certificate *o = r->kept[i];
        if (!o || !o->x || o == e || !same_number(&o->cert, &e->cert))
            continue;
        *twin = o->cert;
        return true;
    }
    return false;
}

static bool name_text(void *arg, struct sd_span der, char *text, size_t cap)
{
    (void)arg;
    const unsigned char *p = der.p;
    X509_NAME *name = der.len <= DER_MAX ? d2i_X509_NAME(NULL, &p, (long)der.len) : NULL;
    bool ok = name && p == der.p + der.len;
    if (ok)
        sd_x509fields_dn(text, cap, name);
    X509_NAME_free(name);
    ERR_clear_error();
    return ok;
}

struct sd_x509read *sd_x509read_new(void)
{
    struct sd_x509read *r = calloc(1, sizeof *r);
    if (r && sd_table_init(&r->table) && sd_random(&r->seed, sizeof r->seed))
        return r;
    sd_x509read_free(r);
    return NULL;
}

void sd_x509read_free(struct sd_x509read *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < KEPT; i++)
        certificate_free(r->kept[i]);
    sd_table_fini(&r->table);
    free(r);
}

struct sd_cert_reader sd_x509read_hooks(struct sd_x509read *r)
{
    return (struct sd_cert_reader){r, read_cert, names_host, signed_with, find_twin, name_text};
}
