/* SPDX-License-Identifier: MIT */
/* Section D of the catalogue: certificates, judged at the time of the packet. */
#include <string.h>

#include "flow/rules/hellos.h"
#include "flow/rules/leaf.h"
#include "flow/rules/rule.h"
#include "wire/extension.h"
#include "wire/names.h"
#include "wire/record.h"

enum {
    DAY = 86400,       /* seconds */
    LONG_CHAIN = 4096, /* bytes */
    MANY_RECORDS = 10,
    WEAK_BITS = 112,
    PRIME_BITS = 2048
};

/* Whose certificate is refused, and what it says. */
struct refused {
    const struct sd_event *alert; /* NULL = the other side did not complain */
    enum sd_side owner;
    struct sd_leaf leaf;
};

/* Seconds since 1970. A host that woke up without a clock is far before it. */
#define YEAR_2020 INT64_C(1577836800)

static struct sd_span chain_of(const struct sd_exchange *x, enum sd_side owner)
{
    return sd_kept(x, owner == SD_SERVER ? SD_KEPT_SERVER_CERTIFICATE : SD_KEPT_CLIENT_CERTIFICATE);
}

static const struct sd_event *complaint(const struct sd_case *c, enum sd_side by)
{
    static const int codes[] = {SD_ALERT_BAD_CERTIFICATE,     SD_ALERT_UNSUPPORTED_CERTIFICATE,
                                SD_ALERT_CERTIFICATE_REVOKED, SD_ALERT_CERTIFICATE_EXPIRED,
                                SD_ALERT_CERTIFICATE_UNKNOWN, SD_ALERT_UNKNOWN_CA,
                                SD_ALERT_ACCESS_DENIED,       SD_ALERT_HANDSHAKE_FAILURE,
                                SD_ALERT_DECRYPT_ERROR,       SD_ALERT_INTERNAL_ERROR};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        const struct sd_event *e = sd_view_alert(c->view, by, codes[i]);
        if (e)
            return e;
    }
    return NULL;
}

/* The certificate that the other side complains of; the client's first, as it comes later. */
static bool find_refused(const struct sd_case *c, struct refused *r)
{
    for (int owner = SD_CLIENT; owner < SD_SIDES; owner++) {
        *r = (struct refused){.owner = (enum sd_side)owner};
        const struct sd_event *e = complaint(c, sd_other((enum sd_side)owner));
        if (e && e->level == 2 && sd_leaf_read(c, (enum sd_side)owner, &r->leaf)) {
            r->alert = e;
            return true;
        }
    }
    return false;
}

static int64_t packet_seconds(const struct sd_case *c)
{
    return c->x->start / SD_NS_SECOND;
}

static const char *owner_name(const struct refused *r)
{
    return r->owner == SD_SERVER ? "server" : "client";
}

static void prove_refusal(const struct sd_case *c, struct sd_finding *f, const struct refused *r)
{
    const struct sd_part *p = sd_view_part(c->view, r->owner, SD_HS_CERTIFICATE);
    if (p)
        sd_prove_frame(f, p->number, p->first);
    if (r->alert)
        sd_prove(f, r->alert);
}

/* A capture from before certificates were made has a wrong clock, or a wrong verifier. */
static const char *clock_doubt(const struct sd_case *c)
{
    return packet_seconds(c) < YEAR_2020 ? " (the capture's clock is set to a time before 2020)"
                                         : "";
}

static bool is_expired(const struct sd_path_cert *l, int64_t now)
{
    return now > l->cert.not_after;
}

static bool is_early(const struct sd_path_cert *l, int64_t now)
{
    return now < l->cert.not_before;
}

/* A verifier may know another certificate of the same issuer, so that one above the side's own
 * decides nothing unless the alert speaks of the chain. */
static enum sd_confidence sure_of(const struct sd_path_cert *l, int alert)
{
    bool says_so = alert == SD_ALERT_CERTIFICATE_EXPIRED ||
                   (alert == SD_ALERT_BAD_CERTIFICATE && !l->cert.self_signed);
    return l->place == 1 || says_so ? SD_HIGH : SD_MEDIUM;
}

bool sd_rule_certificate_expired(const struct sd_case *c, struct sd_finding *f)
{
    struct refused r;
    struct sd_path_cert l;
    char place[SD_PLACE_TEXT];
    if (c->outcome != SD_FAILED || !find_refused(c, &r))
        return false;
    bool late = sd_path_find(c, r.owner, is_expired, &l);
    if (!late && r.alert->message != SD_ALERT_CERTIFICATE_EXPIRED)
        return false;
    prove_refusal(c, f, &r);
    f->confidence = late ? sure_of(&l, r.alert->message) : SD_MEDIUM;
    if (late) {
        int64_t days = (packet_seconds(c) - l.cert.not_after) / DAY;
        sd_say(f, "%s (%s) expired %lld day%s before this handshake%s.",
               sd_path_cert_text(&l, r.owner, place), l.cert.subject, (long long)days,
               sd_plural((uint64_t)days), clock_doubt(c));
    } else {
        sd_say(f,
               "The alert says that a certificate has expired, but the %s's own certificate (%s) "
               "was valid at the time of the capture, and so was each issuer that it sent. "
               "Probably a certificate in the verifier's store has expired, or the verifier's "
               "clock is wrong.",
               owner_name(&r), r.leaf.cert.subject);
    }
    return true;
}

bool sd_rule_certificate_not_yet_valid(const struct sd_case *c, struct sd_finding *f)
{
    struct refused r;
    struct sd_path_cert l;
    char place[SD_PLACE_TEXT];
    if (c->outcome != SD_FAILED || !find_refused(c, &r) || !sd_path_find(c, r.owner, is_early, &l))
        return false;
    int64_t early = l.cert.not_before - packet_seconds(c);
    prove_refusal(c, f, &r);
    f->confidence = sure_of(&l, r.alert->message);
    sd_say(f,
           "%s (%s) becomes valid %.*f days after this handshake%s; the alert "
           "(%u) does not say why.",
           sd_path_cert_text(&l, r.owner, place), l.cert.subject, early < 10 * DAY ? 1 : 0,
           (double)early / DAY, clock_doubt(c), r.alert->message);
    return true;
}

static bool in_time(const struct sd_case *c, const struct sd_cert *cert)
{
    return cert->not_before <= packet_seconds(c) && packet_seconds(c) <= cert->not_after;
}

bool sd_rule_hostname_mismatch(const struct sd_case *c, struct sd_finding *f)
{
    struct refused r;
    struct sd_span body, host = {0};
    char asked[80];
    if (c->outcome != SD_FAILED || !find_refused(c, &r) || r.owner != SD_SERVER ||
        !in_time(c, &r.leaf.cert))
        return false;
    bool named = sd_offer_ext(c->x, SD_EXT_SERVER_NAME, &body) && sd_ext_server_name(body, &host);
    bool bad = r.alert->message == SD_ALERT_BAD_CERTIFICATE;
    bool unfit = named && !c->certs->names(c->certs->arg, r.leaf.der, host);
    if (!bad && !unfit)
        return false;
    if (r.alert->message == SD_ALERT_UNKNOWN_CA || r.leaf.cert.security_bits < WEAK_BITS ||
        r.leaf.cert.weak_digest || (named && !unfit))
        return false;
    char misfit_text[SD_MISFIT_TEXT];
    if (!unfit && (sd_path_faulty(c, SD_SERVER) || sd_leaf_misfit(c, SD_SERVER, misfit_text)))
        return false;
    prove_refusal(c, f, &r);
    f->confidence = unfit ? SD_HIGH : SD_LOW;
    sd_confuse(f, "unknown-ca");
    bool fingerprint = r.leaf.cert.self_signed && !named;
    if (named)
        sd_say(f, "The client asked for \"%s\", but the certificate is for %s.",
               sd_offer_text(host, asked, sizeof asked),
               r.leaf.cert.names[0] ? r.leaf.cert.names : r.leaf.cert.subject);
    else
        sd_say(
            f,
            "The client refused the certificate (%s, names: %s) although its dates are valid. %s.",
            r.leaf.cert.subject, r.leaf.cert.names[0] ? r.leaf.cert.names : "none",
            fingerprint ? "The certificate is self-signed, as in WebRTC, and its fingerprint is "
                          "probably not the one in the signalling"
                        : "Probably the certificate lacks the name that the client expected, or "
                          "the client's "
                          "own check refused it");
    return true;
}

bool sd_rule_unknown_ca(const struct sd_case *c, struct sd_finding *f)
{
    for (int owner = SD_SERVER; owner >= SD_CLIENT; owner--) {
        struct refused r = {.owner = (enum sd_side)owner};
        char asked[200];
        const struct sd_event *e =
            sd_view_alert(c->view, sd_other((enum sd_side)owner), SD_ALERT_UNKNOWN_CA);
        if (!e || c->outcome != SD_FAILED)
            continue;
        bool read = sd_leaf_read(c, (enum sd_side)owner, &r.leaf);
        r.alert = e;
        prove_refusal(c, f, &r);
        /* OpenSSL says the same of an issuer that may not issue, which the chain has to rule out.
         */
        f->confidence = read && !sd_path_faulty(c, r.owner) ? SD_HIGH : SD_MEDIUM;
        const char *other = owner == SD_SERVER ? "client" : "server";
        if (!read)
            sd_say(
                f,
                "The %s does not trust the issuer of the %s's certificate. The certificate was not "
                "captured.",
                other, owner_name(&r));
        else
            sd_say(f,
                   "The %s does not trust the issuer of the %s's certificate: %s%s (%u "
                   "certificate%s sent).%s",
                   other, owner_name(&r), r.leaf.cert.self_signed ? "self-signed, " : "",
                   r.leaf.cert.issuer, r.leaf.count, sd_plural(r.leaf.count),
                   owner == SD_CLIENT ? sd_cert_request_text(c->x, asked, sizeof asked) : "");
        return true;
    }
    return false;
}

/* NSS refuses such a certificate, as it may be a forged one; others do not look. */
bool sd_rule_same_issuer_serial(const struct sd_case *c, struct sd_finding *f)
{
    struct refused r;
    struct sd_cert twin;
    if (c->outcome != SD_FAILED || !find_refused(c, &r) || !c->certs->twin ||
        (r.alert->message != SD_ALERT_BAD_CERTIFICATE &&
         r.alert->message != SD_ALERT_CERTIFICATE_UNKNOWN) ||
        !in_time(c, &r.leaf.cert) || !c->certs->twin(c->certs->arg, r.leaf.der, &twin))
        return false;
    prove_refusal(c, f, &r);
    f->confidence = SD_MEDIUM;
    sd_say(f,
           "The %s's certificate has the issuer (%s) and the serial number (%s) of another "
           "certificate in this capture, but another key.",
           owner_name(&r), r.leaf.cert.issuer, r.leaf.cert.serial);
    return true;
}

/* The client's policy refuses the prime of the key exchange; OpenSSL at security level 2 says so
 * with handshake_failure. */
static bool weak_prime(const struct sd_case *c, struct sd_finding *f)
{
    struct sd_server_key k;
    const struct sd_event *e = sd_view_alert(c->view, SD_CLIENT, -1);
    const struct sd_part *p = sd_view_part(c->view, SD_SERVER, SD_HS_SERVER_KEY_EXCHANGE);
    char name[SD_NAME_TEXT];
    if (!e || !p || !sd_server_key_of(c->x, &k) || !k.prime_bits || k.prime_bits >= PRIME_BITS ||
        (e->message != SD_ALERT_HANDSHAKE_FAILURE && e->message != SD_ALERT_INSUFFICIENT_SECURITY &&
         e->message != SD_ALERT_ILLEGAL_PARAMETER))
        return false;
    sd_prove_frame(f, p->number, p->first);
    sd_prove(f, e);
    f->confidence = k.prime_bits <= PRIME_BITS / 2 ? SD_HIGH : SD_MEDIUM;
    sd_say(f,
           "The server's DHE key exchange uses a prime of %u bits. The client ended the handshake "
           "with the alert %s (%u); many clients require %u bits.",
           k.prime_bits, sd_name(SD_NAME_ALERT, e->message, name), e->message, PRIME_BITS);
    return true;
}

static bool is_weak(const struct sd_path_cert *l, int64_t now)
{
    bool key = l->cert.security_bits && l->cert.security_bits < WEAK_BITS;
    (void)now;
    return key || (l->cert.weak_digest && !l->cert.self_signed);
}

bool sd_rule_weak_key(const struct sd_case *c, struct sd_finding *f)
{
    struct refused r;
    struct sd_path_cert l;
    char place[SD_PLACE_TEXT];
    if (c->outcome != SD_FAILED)
        return false;
    if (weak_prime(c, f))
        return true;
    if (!find_refused(c, &r) || r.alert->message == SD_ALERT_UNKNOWN_CA ||
        !in_time(c, &r.leaf.cert) || !sd_path_find(c, r.owner, is_weak, &l))
        return false;
    prove_refusal(c, f, &r);
    f->confidence = sure_of(&l, r.alert->message);
    sd_say(f,
           "%s (%s) has a key of %u bits (%s) and is signed with %s. That is too "
           "weak for the %s (OpenSSL at security level 2 requires a security of 112 bits).",
           sd_path_cert_text(&l, r.owner, place), l.cert.subject, l.cert.key_bits, l.cert.key,
           l.cert.signature, r.owner == SD_SERVER ? "client" : "server");
    return true;
}

/* --- the chain as a whole --- */

struct chain_state {
    unsigned count;
    bool broken, twice;
    uint32_t bytes;
};

static struct chain_state read_chain(const struct sd_case *c, struct sd_span body)
{
    struct chain_state s = {.bytes = (uint32_t)body.len};
    struct sd_cert_chain chain;
    struct sd_span der, before = {0};
    if (!sd_cert_chain_init(&chain, body, c->x->version == SD_DTLS_1_3))
        return s;
    while (sd_cert_next(&chain, &der)) {
        if (s.count && before.len == der.len && !memcmp(before.p, der.p, der.len))
            s.twice = true;
        else if (s.count && !c->certs->issued(c->certs->arg, before, der))
            s.broken = true;
        before = der;
        s.count++;
    }
    return s;
}

static unsigned records_of_certificate(const struct sd_exchange *x, enum sd_side owner)
{
    unsigned n = 0;
    for (size_t i = 0; i < x->count; i++) {
        const struct sd_event *e = &x->log[i];
        n += e->kind == SD_EV_HANDSHAKE && e->message == SD_HS_CERTIFICATE &&
             sd_event_side(e) == owner && !(e->flags & SD_EVF_RETRANSMIT);
    }
    return n;
}

bool sd_rule_chain_problem(const struct sd_case *c, struct sd_finding *f)
{
    for (int owner = SD_SERVER; c->certs && owner >= SD_CLIENT; owner--) {
        struct sd_span body = chain_of(c->x, (enum sd_side)owner);
        if (!body.len)
            continue;
        struct chain_state s = read_chain(c, body);
        unsigned records = records_of_certificate(c->x, (enum sd_side)owner);
        bool large = s.bytes > LONG_CHAIN || (records > MANY_RECORDS && s.bytes > 2048);
        if (!s.broken && !s.twice && !large)
            continue;
        const struct sd_part *p = sd_view_part(c->view, (enum sd_side)owner, SD_HS_CERTIFICATE);
        if (p)
            sd_prove_frame(f, p->number, p->first);
        f->confidence = s.broken || s.twice ? SD_HIGH : SD_MEDIUM;
        sd_say(f, "The %s's chain has %u certificate%s with %u bytes in %u record%s.%s%s",
               owner == SD_SERVER ? "server" : "client", s.count, sd_plural(s.count), s.bytes,
               records, sd_plural(records),
               s.broken ? " One certificate is not signed by the next: the order is wrong, or an "
                          "intermediate is missing."
                        : "",
               s.twice              ? " One certificate is in the chain twice."
               : large && !s.broken ? " Each datagram of such a large chain can be lost."
                                    : "");
        return true;
    }
    return false;
}
