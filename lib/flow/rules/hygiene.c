/* SPDX-License-Identifier: MIT */
/* Section I of the catalogue: works, and should not be relied on. Only what was negotiated
 * counts, not what was offered. */
#include <stdio.h>
#include <string.h>

#include "flow/index.h"
#include "flow/rules/hellos.h"
#include "flow/rules/rule.h"
#include "wire/certificate.h"
#include "wire/extension.h"
#include "wire/names.h"
#include "wire/record.h"

struct remarks {
    char text[280];
    size_t len;
};

static void add_remark(struct remarks *l, const char *text)
{
    int n = snprintf(l->text + l->len, sizeof l->text - l->len, "%s%s", l->len ? "; " : "", text);
    if (n > 0)
        l->len += (size_t)n < sizeof l->text - l->len ? (size_t)n : sizeof l->text - l->len - 1;
}

static void look_at_version(const struct sd_exchange *x, struct remarks *l)
{
    if (x->version == SD_DTLS_1_0)
        add_remark(l, "DTLS 1.0 (forbidden by RFC 8996)");
    if (x->version == SD_DTLS_BAD)
        add_remark(l, "the DTLS from before RFC 4347");
}

static void look_at_suite(const struct sd_exchange *x, struct remarks *l)
{
    static const char *const weak[] = {"RC4", "3DES", "_DES", "NULL", "anon", "EXPORT"};
    char buf[SD_NAME_TEXT];
    const char *name = sd_name(SD_NAME_SUITE, x->suite, buf);
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
        if (!strstr(name, weak[i]))
            continue;
        add_remark(l, name);
        break;
    }
    if (!strncmp(name, "TLS_RSA_WITH", 12))
        add_remark(l, "static RSA key exchange (no forward secrecy)");
}

/* A server answers it only where the client asks (RFC 5746 section 3.6). */
static bool asks_for_renegotiation(const struct sd_exchange *x)
{
    struct sd_offer o;
    return sd_offer_read(x, &o) && o.reneg;
}

static bool offers_compression(const struct sd_exchange *x)
{
    struct sd_span body = sd_kept(x, SD_KEPT_CLIENT_HELLO);
    struct sd_client_hello ch;
    bool whole = sd_client_hello_parse(&ch, body, body.len) == SD_HELLO_WHOLE, found = false;
    for (size_t i = 0; whole && i < ch.compression.len; i++)
        found |= ch.compression.p[i] != 0;
    return found;
}

static void look_at_extensions(const struct sd_exchange *x, struct remarks *l)
{
    struct sd_span body;
    if (x->version == SD_DTLS_1_3)
        return;
    if (!x->resumed && !sd_choice_ext(x, SD_EXT_EXTENDED_MASTER_SECRET, &body))
        add_remark(l, "no extended_master_secret (RFC 7627)");
    if (!x->resumed && !sd_choice_ext(x, SD_EXT_RENEGOTIATION_INFO, &body) &&
        asks_for_renegotiation(x))
        add_remark(l, "no renegotiation_info (RFC 5746; OpenSSL 3 refuses such a server)");
    if (offers_compression(x))
        add_remark(l, "the client offers compression");
}

static void look_at_certificate(const struct sd_case *c, struct remarks *l)
{
    struct sd_span body = sd_kept(c->x, SD_KEPT_SERVER_CERTIFICATE), der;
    struct sd_cert_chain chain;
    struct sd_cert cert;
    char text[80];
    if (!c->certs || !body.len || !sd_cert_chain_init(&chain, body, c->x->version == SD_DTLS_1_3) ||
        !sd_cert_next(&chain, &der) || !c->certs->read(c->certs->arg, der, &cert))
        return;
    if (cert.security_bits && cert.security_bits < 112) {
        snprintf(text, sizeof text, "a certificate with a key of %u bits (%s)", cert.key_bits,
                 cert.key);
        add_remark(l, text);
    }
    if (cert.weak_digest) {
        snprintf(text, sizeof text, "a certificate signed with %s", cert.signature);
        add_remark(l, text);
    }
}

/* A ServerHello random that came before: a cloned machine without fresh randomness. */
static void look_at_random(const struct sd_case *c, struct remarks *l)
{
    const struct sd_exchange *const *found = c->others;
    for (size_t i = 0; i < c->other_count; i++)
        if (found[i]->has_server_random && found[i]->has_client_random && c->x->has_client_random &&
            !memcmp(found[i]->server_random, c->x->server_random, sizeof c->x->server_random) &&
            memcmp(found[i]->client_random, c->x->client_random, sizeof c->x->client_random) != 0) {
            add_remark(
                l, "a server random that another client already got (probably a cloned machine)");
            return;
        }
}

bool sd_rule_weak_crypto(const struct sd_case *c, struct sd_finding *f)
{
    struct remarks l = {.len = 0};
    if (!c->x->negotiated || !sd_kept(c->x, SD_KEPT_SERVER_HELLO).len)
        return false;
    look_at_version(c->x, &l);
    look_at_suite(c->x, &l);
    look_at_extensions(c->x, &l);
    look_at_certificate(c, &l);
    look_at_random(c, &l);
    if (!l.len)
        return false;
    sd_prove_bursts(f, c->view, SD_SERVER, 4, 1);
    f->confidence = SD_HIGH;
    sd_say(f, "Weak in this handshake: %s.", l.text);
    return true;
}
