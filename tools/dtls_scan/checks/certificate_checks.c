/* SPDX-License-Identifier: MIT */
/* The certificates of the server: one line for each thing about each chain. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/words.h"
#include "dtls_scan/checks/check.h"
#include "dtls_scan/checks/trust.h"
#include "dtls_scan/options.h"
#include "wire/certificate.h"
#include "wire/names.h"

enum { DAY_S = 86400, SOON_DAYS = 14, SECURE_BITS = 112 };

static const char *const kind_names[] = {
    [SCAN_CERT_RSA] = "RSA", [SCAN_CERT_ECDSA] = "ECDSA", [SCAN_CERT_EDDSA] = "EdDSA"};

/* The end of the list for a sentence, and the worst level. */
struct verdicts {
    struct tool_words words;
    json_t *value;
    enum scan_level worst;
    unsigned chains;
    bool unknown;
    char text[SCAN_SENTENCE];
};

/* What one line says about one chain: a text, a value, a level. */
typedef enum scan_level speak(struct scan *s, struct sd_span message, const struct sd_cert *cert,
                              struct tool_words *w, json_t **value);

static void speak_of(struct scan *s, struct verdicts *v, enum scan_cert_kind kind, speak *say)
{
    const struct scan_chain_fact *f = scan_chain(s, kind);
    struct sd_cert cert;
    json_t *value = NULL;
    v->unknown |= f->incomplete;
    if (!f->there)
        return;
    struct sd_span message = {f->message, f->len};
    tool_words_add(&v->words, "%s%s: ", v->chains++ ? "; " : "", kind_names[kind]);
    enum scan_level level = SCAN_NOT_KNOWN;
    if (scan_chain_leaf(message, &cert))
        level = say(s, message, &cert, &v->words, &value);
    else
        tool_words_add(&v->words, "not a certificate");
    json_object_set_new(v->value, kind_names[kind], value ? value : json_null());
    if (level > v->worst)
        v->worst = level;
}

static void say_of_chains(struct scan *s, struct scan_outcome *o, speak *say)
{
    struct verdicts v = {.value = json_object()};
    v.words = tool_words_in(v.text, sizeof v.text);
    for (int k = 0; k < SCAN_CERT_KINDS; k++)
        speak_of(s, &v, (enum scan_cert_kind)k, say);
    if (v.chains) {
        scan_found(o, v.worst, v.value, "%s", v.text);
        return;
    }
    json_decref(v.value);
    if (v.unknown)
        scan_not_known(o, "the certificate did not arrive whole");
    else
        scan_not_run(o, "no certificate is visible: pre-shared keys, anonymous, or DTLS 1.3 only");
}

static enum scan_level say_names(struct scan *s, struct sd_span message, const struct sd_cert *cert,
                                 struct tool_words *w, json_t **value)
{
    struct scan_trust t;
    scan_trust_verify(&t, message, s->cfg->ca_file, s->host);
    tool_words_add(w, "%s", cert->subject);
    if (cert->names[0])
        tool_words_add(w, " (%s)", cert->names);
    if (!t.named)
        tool_words_add(w, ", not for %s", s->host);
    *value = json_pack("{s:s, s:s, s:s, s:b}", "subject", cert->subject, "names", cert->names,
                       "issuer", cert->issuer, "matches", t.named);
    return t.named ? SCAN_OK : SCAN_MEDIUM;
}

static enum scan_level say_dates(struct scan *s, struct sd_span message, const struct sd_cert *cert,
                                 struct tool_words *w, json_t **value)
{
    (void)s;
    (void)message;
    int64_t now = time(NULL), days = (cert->not_after - now) / DAY_S;
    *value = json_pack("{s:I, s:I}", "not_before", (json_int_t)cert->not_before, "not_after",
                       (json_int_t)cert->not_after);
    if (now < cert->not_before) {
        tool_words_add(w, "valid only in %" PRId64 " days", (cert->not_before - now) / DAY_S);
        return SCAN_HIGH;
    }
    if (now > cert->not_after) {
        tool_words_add(w, "expired %" PRId64 " days ago", (now - cert->not_after) / DAY_S);
        return SCAN_HIGH;
    }
    tool_words_add(w, "valid for %" PRId64 " more days", days);
    return days < SOON_DAYS ? SCAN_MEDIUM : SCAN_OK;
}

static enum scan_level say_key(struct scan *s, struct sd_span message, const struct sd_cert *cert,
                               struct tool_words *w, json_t **value)
{
    (void)s;
    (void)message;
    bool weak = cert->security_bits && cert->security_bits < SECURE_BITS;
    tool_words_add(w, "%s %u bits, signed with %s", cert->key, cert->key_bits, cert->signature);
    *value = json_pack("{s:s, s:i, s:s, s:b}", "key", cert->key, "bits", (int)cert->key_bits,
                       "signature", cert->signature, "weak_digest", cert->weak_digest);
    return weak || (cert->weak_digest && !cert->self_signed) ? SCAN_HIGH : SCAN_OK;
}

static enum scan_level say_trust(struct scan *s, struct sd_span message, const struct sd_cert *cert,
                                 struct tool_words *w, json_t **value)
{
    struct scan_trust t;
    (void)cert;
    scan_trust_verify(&t, message, s->cfg->ca_file, NULL);
    tool_words_add(w, "%s by %s%s%s", t.trusted ? "trusted" : "not trusted",
                   s->cfg->ca_file ? s->cfg->ca_file : "the system's CAs", t.trusted ? "" : ": ",
                   t.trusted ? "" : t.text);
    *value = json_boolean(t.trusted);
    return t.trusted ? SCAN_OK : SCAN_MEDIUM;
}

static enum scan_level say_chain(struct scan *s, struct sd_span message, const struct sd_cert *cert,
                                 struct tool_words *w, json_t **value)
{
    struct scan_trust t;
    (void)cert;
    scan_trust_verify(&t, message, s->cfg->ca_file, NULL);
    tool_words_add(w, "%u certificate%s, %zu bytes%s", t.count, t.count == 1 ? "" : "s",
                   message.len, t.ordered ? "" : ", in the wrong order");
    *value = json_pack("{s:i, s:i, s:b}", "count", (int)t.count, "bytes", (int)message.len,
                       "ordered", t.ordered);
    return t.ordered ? SCAN_OK : SCAN_LOW;
}

static void check_names(struct scan *s, struct scan_outcome *o)
{
    say_of_chains(s, o, say_names);
}

static void check_dates(struct scan *s, struct scan_outcome *o)
{
    say_of_chains(s, o, say_dates);
}

static void check_key(struct scan *s, struct scan_outcome *o)
{
    say_of_chains(s, o, say_key);
}

static void check_trust(struct scan *s, struct scan_outcome *o)
{
    say_of_chains(s, o, say_trust);
}

static void check_chain(struct scan *s, struct scan_outcome *o)
{
    say_of_chains(s, o, say_chain);
}

static void check_staple(struct scan *s, struct scan_outcome *o)
{
    const struct scan_offer_fact *f = scan_offer(s);
    if (!f->asked || f->reply != SCAN_REPLY_HELLO)
        scan_not_run(o, "no certificate is visible");
    else
        scan_found(o, SCAN_INFO, json_boolean(f->status), "%s OCSP response is stapled",
                   f->status ? "an" : "no");
}

#define ROW(id, title, run)                                                                        \
    {                                                                                              \
        id, title, SCAN_GROUP_CERTIFICATE, 0, run                                                  \
    }

const struct scan_check scan_certificate_checks[] = {
    ROW("certificate-names", "Names", check_names),
    ROW("certificate-dates", "Dates", check_dates),
    ROW("certificate-key", "Key and signature", check_key),
    ROW("certificate-chain", "Chain", check_chain),
    ROW("certificate-trust", "Trust", check_trust),
    ROW("ocsp-staple", "OCSP staple", check_staple),
};
const size_t scan_certificate_count =
    sizeof scan_certificate_checks / sizeof *scan_certificate_checks;
