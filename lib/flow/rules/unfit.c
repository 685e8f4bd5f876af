/* SPDX-License-Identifier: MIT */
/* Section D of the catalogue: a certificate or signature against what was offered or asked for. */
#include <stdio.h>
#include <string.h>

#include "flow/rules/hellos.h"
#include "flow/rules/leaf.h"
#include "flow/rules/rule.h"
#include "wire/extension.h"
#include "wire/names.h"
#include "wire/record.h"

bool sd_leaf_read(const struct sd_case *c, enum sd_side owner, struct sd_leaf *leaf)
{
    struct sd_span der, body = sd_kept(c->x, owner == SD_SERVER ? SD_KEPT_SERVER_CERTIFICATE
                                                                : SD_KEPT_CLIENT_CERTIFICATE);
    struct sd_cert_chain chain;
    *leaf = (struct sd_leaf){0};
    if (!c->certs || !body.len || !sd_cert_chain_init(&chain, body, c->x->version == SD_DTLS_1_3))
        return false;
    while (sd_cert_next(&chain, &der))
        if (!leaf->count++)
            leaf->der = der;
    return leaf->count && c->certs->read(c->certs->arg, leaf->der, &leaf->cert);
}

/* --- what the suite says --- */

struct sd_suite_needs sd_suite_needs_of(const struct sd_exchange *x)
{
    struct sd_suite_needs n = {.kind = SD_KX_NONE};
    char hex[SD_NAME_TEXT];
    snprintf(n.name, sizeof n.name, "%s", sd_name(SD_NAME_SUITE, x->suite, hex));
    bool fixed = !strncmp(n.name, "TLS_ECDH_", 9) || !strncmp(n.name, "TLS_DH_", 7);
    n.psk = strstr(n.name, "_PSK_") != NULL;
    if (!strncmp(n.name, "TLS_ECDHE_", 10))
        n.kind = SD_KX_ECDHE;
    else if (!strncmp(n.name, "TLS_DHE_", 8))
        n.kind = SD_KX_DHE;
    if (!fixed)
        n.key = strstr(n.name, "_ECDSA_") ? "ECDSA"
                : strstr(n.name, "_RSA_") ? "RSA"
                : strstr(n.name, "_DSS_") ? "DSA"
                                          : NULL;
    return n;
}

bool sd_server_key_of(const struct sd_exchange *x, struct sd_server_key *k)
{
    struct sd_suite_needs n = sd_suite_needs_of(x);
    struct sd_span body = sd_kept(x, SD_KEPT_SERVER_KEY_EXCHANGE);
    return body.len && x->version != SD_DTLS_1_3 &&
           sd_server_key_parse(k, body, n.kind, n.psk, x->version == SD_DTLS_1_2);
}

/* "ECDSA" stands for every key of an elliptic curve (RFC 8422 section 5.1.1). */
static const char *kind_of_key(const struct sd_cert *cert)
{
    if (!strcmp(cert->key, "EC") || !strncmp(cert->key, "Ed", 2))
        return "ECDSA";
    return !strncmp(cert->key, "RSA", 3) ? "RSA" : cert->key;
}

static const char *kind_of_scheme(uint16_t scheme)
{
    if (scheme >> 8 == 0x08)
        return scheme == 0x0807 || scheme == 0x0808 || (scheme & 0xff) >= 0x1a ? "ECDSA" : "RSA";
    switch (scheme & 0xff) {
    case 1:
        return "RSA";
    case 2:
        return "DSA";
    case 3:
        return "ECDSA";
    default:
        return NULL;
    }
}

/* --- what can be wrong, each a sentence --- */

typedef bool misfit(const struct sd_case *c, const struct sd_leaf *leaf, char *text);

static bool suite_of_other_key(const struct sd_case *c, const struct sd_leaf *leaf, char *text)
{
    struct sd_suite_needs n = sd_suite_needs_of(c->x);
    const char *key = kind_of_key(&leaf->cert);
    if (c->x->version == SD_DTLS_1_3 || !n.key || !*key || !strcmp(n.key, key))
        return false;
    snprintf(text, SD_MISFIT_TEXT,
             "The server chose %s, which needs a certificate of type %s, but its certificate has a "
             "key of type %s.",
             n.name, n.key, key);
    return true;
}

static bool offered_list(const struct sd_exchange *x, uint16_t extension, struct sd_span *list)
{
    struct sd_span body;
    struct sd_rd values;
    if (!sd_offer_ext(x, extension, &body) || !sd_ext_u16s(body, 2, &values))
        return false;
    *list = sd_rd_rest(&values);
    return true;
}

static bool curve_not_offered(const struct sd_case *c, const struct sd_leaf *leaf, char *text)
{
    struct sd_span groups;
    char name[SD_NAME_TEXT], list[SD_LIST_TEXT];
    if (c->x->version == SD_DTLS_1_3 || !leaf->cert.group ||
        !offered_list(c->x, SD_EXT_SUPPORTED_GROUPS, &groups) ||
        sd_offer_lists(groups, leaf->cert.group))
        return false;
    snprintf(text, SD_MISFIT_TEXT,
             "The key of the server's certificate is on the curve %s, but the client offers only "
             "%s.",
             sd_name(SD_NAME_GROUP, leaf->cert.group, name),
             sd_offer_names(groups, SD_NAME_GROUP, list));
    return true;
}

static bool signature_not_offered(const struct sd_case *c, const struct sd_leaf *leaf, char *text)
{
    struct sd_server_key k;
    struct sd_span schemes;
    char name[SD_NAME_TEXT];
    (void)leaf;
    if (!sd_server_key_of(c->x, &k) || !k.scheme ||
        !offered_list(c->x, SD_EXT_SIGNATURE_ALGORITHMS, &schemes) ||
        sd_offer_lists(schemes, k.scheme))
        return false;
    snprintf(text, SD_MISFIT_TEXT,
             "The server signed its key exchange with %s, which is not among the signature "
             "algorithms of the client.",
             sd_name(SD_NAME_SCHEME, k.scheme, name));
    return true;
}

static bool signature_of_other_key(const struct sd_case *c, const struct sd_leaf *leaf, char *text)
{
    struct sd_server_key k;
    char name[SD_NAME_TEXT];
    if (!sd_server_key_of(c->x, &k) || !k.scheme)
        return false;
    const char *kind = kind_of_scheme(k.scheme), *key = kind_of_key(&leaf->cert);
    if (!kind || !strcmp(kind, key))
        return false;
    snprintf(text, SD_MISFIT_TEXT,
             "The server signed its key exchange with %s, but its certificate has a key of "
             "type %s.",
             sd_name(SD_NAME_SCHEME, k.scheme, name), key);
    return true;
}

static bool server_use_forbidden(const struct sd_case *c, const struct sd_leaf *leaf, char *text)
{
    struct sd_suite_needs n = sd_suite_needs_of(c->x);
    bool seals = !strncmp(n.name, "TLS_RSA_", 8);
    uint8_t missing = seals ? SD_CERT_NO_ENCIPHERMENT : SD_CERT_NO_SIGNING;
    if (leaf->cert.forbids & SD_CERT_NO_SERVER)
        snprintf(text, SD_MISFIT_TEXT,
                 "The server's certificate is not for servers: its extended key usage lacks "
                 "serverAuth.");
    else if (leaf->cert.forbids & missing)
        snprintf(text, SD_MISFIT_TEXT,
                 "The key usage of the server's certificate lacks %s, which "
                 "%s needs.",
                 seals ? "keyEncipherment" : "digitalSignature", n.name);
    else
        return false;
    return true;
}

/* The root's own signature is not checked. */
static bool issuer_signature_not_offered(const struct sd_case *c, const struct sd_leaf *leaf,
                                         char *text)
{
    struct sd_span schemes;
    char name[SD_NAME_TEXT];
    if (!leaf->cert.scheme || leaf->cert.self_signed ||
        (!offered_list(c->x, SD_EXT_SIGNATURE_ALGORITHMS_CERT, &schemes) &&
         !offered_list(c->x, SD_EXT_SIGNATURE_ALGORITHMS, &schemes)) ||
        sd_offer_lists(schemes, leaf->cert.scheme))
        return false;
    snprintf(text, SD_MISFIT_TEXT,
             "The server's certificate is signed with %s, which is not among the signature "
             "algorithms of the client.",
             sd_name(SD_NAME_SCHEME, leaf->cert.scheme, name));
    return true;
}

/* --- the client's --- */

bool sd_cert_request_of(const struct sd_exchange *x, struct sd_cert_request *q)
{
    return sd_cert_request_parse(q, sd_kept(x, SD_KEPT_CERTIFICATE_REQUEST), x->version);
}

static bool asks_for_type(struct sd_span types, uint8_t type)
{
    return types.len && memchr(types.p, type, types.len);
}

static const char *type_names(struct sd_span types, char buf[static 64])
{
    static const struct {
        uint8_t type;
        const char *name;
    } known[] = {
        {SD_CERT_RSA_SIGN, "RSA"}, {SD_CERT_DSS_SIGN, "DSA"}, {SD_CERT_ECDSA_SIGN, "ECDSA"}};
    size_t at = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (asks_for_type(types, known[i].type))
            at += (size_t)snprintf(buf + at, 64 - at, "%s%s", at ? ", " : "", known[i].name);
    return *buf ? buf : "no known type";
}

const char *sd_cert_request_text(const struct sd_exchange *x, char *buf, size_t cap)
{
    struct sd_cert_request q;
    struct sd_span dn;
    char types[64], name[64];
    size_t at = 0;
    buf[0] = '\0';
    if (!sd_cert_request_of(x, &q))
        return buf;
    if (q.types.len)
        at += (size_t)snprintf(buf, cap, " The CertificateRequest asks for the key types %s.",
                               type_names(q.types, types));
    struct sd_rd list = sd_rd_init(q.authorities.p, q.authorities.len);
    size_t first = at;
    while (at + sizeof name + 40 < cap && sd_authority_next(&list, &dn))
        at += (size_t)snprintf(buf + at, cap - at, "%s\"%s\"",
                               at == first ? " The server names the CAs " : ", ",
                               sd_authority_text(dn, name, sizeof name));
    if (at > first)
        snprintf(buf + at, cap - at, "%s.", sd_rd_left(&list) ? ", ..." : "");
    return buf;
}

static bool type_not_asked(const struct sd_case *c, const struct sd_leaf *leaf, char *text)
{
    struct sd_cert_request q;
    const char *key = kind_of_key(&leaf->cert);
    uint8_t type = !strcmp(key, "RSA")     ? SD_CERT_RSA_SIGN
                   : !strcmp(key, "ECDSA") ? SD_CERT_ECDSA_SIGN
                   : !strcmp(key, "DSA")   ? SD_CERT_DSS_SIGN
                                           : 0;
    char types[64];
    if (!sd_cert_request_of(c->x, &q) || !q.types.len || !type || asks_for_type(q.types, type))
        return false;
    snprintf(
        text, SD_MISFIT_TEXT,
        "The client's certificate has a key of type %s, but the CertificateRequest asks for %s.",
        key, type_names(q.types, types));
    return true;
}

static bool client_signature_not_asked(const struct sd_case *c, const struct sd_leaf *leaf,
                                       char *text)
{
    struct sd_cert_request q;
    struct sd_span body = sd_kept(c->x, SD_KEPT_CERTIFICATE_VERIFY);
    struct sd_rd r = sd_rd_init(body.p, body.len);
    uint16_t scheme = sd_rd_u16(&r);
    char name[SD_NAME_TEXT];
    (void)leaf;
    if (r.bad || !sd_cert_request_of(c->x, &q) || !q.schemes.len ||
        sd_offer_lists(q.schemes, scheme))
        return false;
    snprintf(text, SD_MISFIT_TEXT,
             "The client signed with %s, which is not among the signature algorithms of the "
             "CertificateRequest.",
             sd_name(SD_NAME_SCHEME, scheme, name));
    return true;
}

static bool client_use_forbidden(const struct sd_case *c, const struct sd_leaf *leaf, char *text)
{
    (void)c;
    if (leaf->cert.forbids & SD_CERT_NO_CLIENT)
        snprintf(text, SD_MISFIT_TEXT,
                 "The client's certificate is not for clients: its extended key usage lacks "
                 "clientAuth.");
    else if (leaf->cert.forbids & SD_CERT_NO_SIGNING)
        snprintf(text, SD_MISFIT_TEXT,
                 "The key usage of the client's certificate lacks "
                 "digitalSignature, which CertificateVerify needs.");
    else
        return false;
    return true;
}

static const struct leaf_check {
    misfit *check;
    enum sd_side owner;
    enum sd_misfit weight;
} checks[] = {
    {suite_of_other_key, SD_SERVER, SD_MISFIT_RULE},
    {curve_not_offered, SD_SERVER, SD_MISFIT_RULE},
    {signature_not_offered, SD_SERVER, SD_MISFIT_RULE},
    {signature_of_other_key, SD_SERVER, SD_MISFIT_RULE},
    {server_use_forbidden, SD_SERVER, SD_MISFIT_POLICY},
    {issuer_signature_not_offered, SD_SERVER, SD_MISFIT_POLICY},
    {type_not_asked, SD_CLIENT, SD_MISFIT_RULE},
    {client_signature_not_asked, SD_CLIENT, SD_MISFIT_RULE},
    {client_use_forbidden, SD_CLIENT, SD_MISFIT_POLICY},
};

enum sd_misfit sd_leaf_misfit(const struct sd_case *c, enum sd_side owner,
                              char text[static SD_MISFIT_TEXT])
{
    struct sd_leaf leaf;
    if (!c->x->negotiated || !sd_leaf_read(c, owner, &leaf))
        return SD_FITS;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (checks[i].owner == owner && checks[i].check(c, &leaf, text))
            return checks[i].weight;
    return SD_FITS;
}

/* These say what they mean, and it is something else. */
static bool names_another_cause(int alert)
{
    static const int others[] = {SD_ALERT_UNKNOWN_CA,          SD_ALERT_CERTIFICATE_EXPIRED,
                                 SD_ALERT_CERTIFICATE_REVOKED, SD_ALERT_PROTOCOL_VERSION,
                                 SD_ALERT_RECORD_OVERFLOW,     SD_ALERT_UNSUPPORTED_EXTENSION,
                                 SD_ALERT_MISSING_EXTENSION,   SD_ALERT_UNRECOGNIZED_NAME};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] == alert)
            return true;
    return false;
}

/* What the verifier's policy refuses has its own alert; others may mean a name or a fingerprint. */
static bool names_this_cause(int alert, enum sd_misfit m)
{
    if (alert == SD_ALERT_UNSUPPORTED_CERTIFICATE)
        return true;
    return m == SD_MISFIT_RULE &&
           (alert == SD_ALERT_ILLEGAL_PARAMETER || alert == SD_ALERT_HANDSHAKE_FAILURE ||
            alert == SD_ALERT_BAD_CERTIFICATE);
}

/* The server's certificate, and a client that has nothing to say to it. */
static bool unfit_in_silence(const struct sd_case *c, struct sd_finding *f)
{
    char text[SD_MISFIT_TEXT];
    if (!sd_server_flight_unanswered(c->view) ||
        sd_leaf_misfit(c, SD_SERVER, text) != SD_MISFIT_RULE)
        return false;
    sd_prove_bursts(f, c->view, SD_SERVER, 4, 6);
    f->confidence = SD_MEDIUM;
    sd_confuse(f, "flight5-lost");
    sd_say(f, "%s The server sent its flight %u times, and the client did not answer.", text,
           sd_view_bursts(c->view, SD_SERVER, 4));
    return true;
}

static const char *why_not_issuer(const struct sd_cert *cert)
{
    return !cert->ca && !cert->self_signed ? "it is no CA (basicConstraints)"
           : cert->forbids & SD_CERT_NO_ISSUING
               ? "its key usage lacks keyCertSign"
               : "it allows fewer intermediates than the chain has (pathlen)";
}

/* No verifier of chains takes it, whatever roots it has; OpenSSL says unknown_ca. */
static bool unfit_issuer(const struct sd_case *c, enum sd_side owner, struct sd_finding *f)
{
    static const int codes[] = {SD_ALERT_UNKNOWN_CA, SD_ALERT_BAD_CERTIFICATE,
                                SD_ALERT_UNSUPPORTED_CERTIFICATE, SD_ALERT_CERTIFICATE_UNKNOWN};
    const struct sd_event *e = NULL;
    struct sd_path_cert l;
    char name[SD_NAME_TEXT], place[SD_PLACE_TEXT];
    for (size_t i = 0; !e && i < sizeof codes / sizeof *codes; i++)
        e = sd_view_alert(c->view, sd_other(owner), codes[i]);
    if (!e || !sd_path_find(c, owner, sd_may_not_issue, &l))
        return false;
    const struct sd_part *p = sd_view_part(c->view, owner, SD_HS_CERTIFICATE);
    if (p)
        sd_prove_frame(f, p->number, p->first);
    sd_prove(f, e);
    f->confidence = SD_HIGH;
    sd_say(f,
           "%s (%s) may not sign the certificate below it: %s. The %s ended the handshake "
           "with the alert %s (%u).",
           sd_path_cert_text(&l, owner, place), l.cert.subject, why_not_issuer(&l.cert),
           owner == SD_SERVER ? "client" : "server", sd_name(SD_NAME_ALERT, e->message, name),
           e->message);
    return true;
}

bool sd_rule_certificate_unfit(const struct sd_case *c, struct sd_finding *f)
{
    char text[SD_MISFIT_TEXT], name[SD_NAME_TEXT];
    for (int owner = SD_CLIENT; c->outcome == SD_FAILED && owner < SD_SIDES; owner++) {
        enum sd_side peer = sd_other((enum sd_side)owner);
        if (unfit_issuer(c, (enum sd_side)owner, f))
            return true;
        const struct sd_event *e = sd_view_alert(c->view, peer, -1);
        if (!e || names_another_cause(e->message))
            continue;
        enum sd_misfit m = sd_leaf_misfit(c, (enum sd_side)owner, text);
        if (m == SD_FITS)
            continue;
        const struct sd_part *p = sd_view_part(c->view, (enum sd_side)owner, SD_HS_CERTIFICATE);
        if (p)
            sd_prove_frame(f, p->number, p->first);
        sd_prove(f, e);
        f->confidence = names_this_cause(e->message, m) ? SD_HIGH : SD_MEDIUM;
        sd_say(f, "%s The %s ended the handshake with the alert %s (%u).", text,
               peer == SD_SERVER ? "server" : "client", sd_name(SD_NAME_ALERT, e->message, name),
               e->message);
        return true;
    }
    return c->outcome == SD_FAILED && unfit_in_silence(c, f);
}
