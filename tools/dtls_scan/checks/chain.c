/* SPDX-License-Identifier: MIT */
/* The certificate chains of the server: one for each kind of key that it may have. */
#include <string.h>

#include "dtls_scan/checks/facts.h"
#include "dtls_scan/scan.h"
#include "unseal/x509read.h"
#include "wire/record.h"

static const uint16_t rsa_schemes[] = {0x0804, 0x0805, 0x0806, 0x0809, 0x080a,
                                       0x080b, 0x0401, 0x0501, 0x0601, 0x0201};
static const uint16_t ecdsa_schemes[] = {0x0403, 0x0503, 0x0603, 0x0203};
static const uint16_t eddsa_schemes[] = {0x0807, 0x0808};

static const struct {
    const uint16_t *schemes;
    unsigned count;
    const char *key;
} kinds[] = {
    [SCAN_CERT_RSA] = {rsa_schemes, 10, "RSA"},
    [SCAN_CERT_ECDSA] = {ecdsa_schemes, 4, "ECDSA"},
    [SCAN_CERT_EDDSA] = {eddsa_schemes, 2, "ECDSA"}, /* RFC 8422 section 2.2 */
};

static unsigned suites_signed_with(const struct scan_suite_fact *f, const char *key, uint16_t *out)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->count; i++)
        if (scan_suite_exchange(f->suite[i], key) && !scan_suite_exchange(f->suite[i], "PSK"))
            out[n++] = f->suite[i];
    return n;
}

static void note_chain(struct scan *s, struct scan_chain_fact *f)
{
    struct sd_span body;
    f->incomplete = f->reply == SCAN_REPLY_UNKNOWN;
    if (f->reply != SCAN_REPLY_HELLO)
        return;
    f->there = scan_answer_message(&s->asker.answer, SD_HS_CERTIFICATE, &body) && body.len > 3 &&
               body.len <= sizeof f->message;
    f->incomplete = !f->there && !scan_answer_flight(&s->asker.answer);
    if (!f->there)
        return;
    f->len = body.len;
    memcpy(f->message, body.p, body.len);
}

const struct scan_chain_fact *scan_chain(struct scan *s, enum scan_cert_kind kind)
{
    struct scan_chain_fact *f = &s->facts.chain[kind];
    uint16_t suites[SCAN_SUITES_KEPT];
    struct scan_hello h;
    if (f->asked || s->line.stop || !scan_legacy_hello(s, &h))
        return f;
    unsigned n = suites_signed_with(scan_legacy_suites(s), kinds[kind].key, suites);
    f->asked = true;
    if (!n)
        return f;
    scan_hello_suites(&h, suites, n);
    scan_codes_set(&h.schemes, kinds[kind].schemes, kinds[kind].count);
    h.server_name = s->server_name;
    f->reply = scan_ask(&s->asker, &h, SCAN_UNTIL_FLIGHT);
    note_chain(s, f);
    return f;
}

bool scan_chain_leaf(struct sd_span message, struct sd_cert *cert)
{
    struct sd_cert_chain list;
    struct sd_span der;
    struct sd_x509read *reader = sd_x509read_new();
    bool ok = reader && sd_cert_chain_init(&list, message, false) && sd_cert_next(&list, &der);
    if (ok) {
        struct sd_cert_reader hooks = sd_x509read_hooks(reader);
        ok = hooks.read(hooks.arg, der, cert);
    }
    sd_x509read_free(reader);
    return ok;
}
