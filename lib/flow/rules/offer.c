/* SPDX-License-Identifier: MIT */
/* Section C of the catalogue: negotiation. */
#include <stdio.h>
#include <string.h>

#include "flow/index.h"
#include "flow/rules/hellos.h"
#include "flow/rules/leaf.h"
#include "flow/rules/rule.h"
#include "wire/extension.h"
#include "wire/names.h"
#include "wire/record.h"

/* The server's fatal alert that answers the ClientHello itself. */
static const struct sd_event *hello_refusal(const struct sd_case *c, int description)
{
    const struct sd_event *e = sd_view_alert(c->view, SD_SERVER, description);
    bool later = c->x->negotiated || sd_view_bursts(c->view, SD_SERVER, 4) ||
                 sd_view_bursts(c->view, SD_CLIENT, 5);
    return e && e->level == 2 && !later ? e : NULL;
}

static void prove_hello(const struct sd_case *c, struct sd_finding *f)
{
    sd_prove_bursts(f, c->view, SD_CLIENT, c->x->hellos_cookie ? 3 : 1, 1);
}

/* What the same server agreed on with somebody else, and this client does not offer. */
static const struct sd_exchange *served_otherwise(const struct sd_case *c, const struct sd_offer *o)
{
    const struct sd_exchange *const *found = c->others;
    for (size_t i = 0; i < c->other_count; i++)
        if (found[i]->established && !sd_offer_lists(o->hello.suites, found[i]->suite))
            return found[i];
    return NULL;
}

/* What of the offer is most often the reason. */
static const char *likely_cause(const struct sd_offer *o, struct sd_suites n)
{
    unsigned older = n.all - n.tls13;
    if (n.psk && n.psk == n.all)
        return "the client offers only PSK, the server has only a certificate";
    if (o->only13)
        return "the client offers only DTLS 1.3, and the server does not support it or shares no "
               "group or signature algorithm";
    if (older && n.rsa == older)
        return "the client offers only suites for RSA certificates, the server has an ECDSA "
               "certificate";
    if (older && n.ecdsa == older)
        return "the client offers only suites for ECDSA certificates, the server has an RSA "
               "certificate";
    if (!o->ems)
        return "no common suite or group, or the server requires extended_master_secret";
    if (!o->reneg)
        return "no common suite or group, or the server requires secure renegotiation";
    return "no common suite, group or signature algorithm";
}

/* A server that knows DTLS 1.2 marks its alert so, once it has read the version of the hello. */
static bool alert_of_dtls10(const struct sd_offer *o, const struct sd_event *e)
{
    return e->minor == (SD_DTLS_1_0 & 0xff) && o->hello.version == SD_DTLS_1_2;
}

static const char *refused_with(const struct sd_event *e, char buf[static 64])
{
    char name[SD_NAME_TEXT];
    if (e->message == SD_ALERT_CLOSE_NOTIFY)
        return "answers with close_notify and nothing else";
    snprintf(buf, 64, "refused with the alert %s (%u)", sd_name(SD_NAME_ALERT, e->message, name),
             e->message);
    return buf;
}

/* ", groups x25519, secp256r1" in `groups`, or nothing. */
static void name_groups(const struct sd_offer *o, char *groups, size_t cap)
{
    char names[SD_LIST_TEXT];
    struct sd_span body;
    struct sd_rd list;
    groups[0] = '\0';
    if (sd_ext_find(o->hello.extensions, SD_EXT_SUPPORTED_GROUPS, &body) &&
        sd_ext_u16s(body, 2, &list))
        snprintf(groups, cap, ", groups %s",
                 sd_offer_names(sd_rd_rest(&list), SD_NAME_GROUP, names));
}

/* The lists come last: they may be too long for the sentence. */
static void say_offer(const struct sd_case *c, struct sd_finding *f, const struct sd_event *e)
{
    struct sd_offer o;
    char suites[SD_LIST_TEXT], groups[SD_LIST_TEXT + 16], alert[64], suite[SD_NAME_TEXT];
    char cause[192];
    if (!sd_offer_read(c->x, &o)) {
        sd_say(f, "The server %s. The ClientHello was not captured.", refused_with(e, alert));
        return;
    }
    struct sd_suites n = sd_offer_suites(&o);
    const struct sd_exchange *other = served_otherwise(c, &o);
    if (other) {
        sd_prove(f, &other->log[0]);
        snprintf(cause, sizeof cause,
                 "With another client (handshake %llu) it chose %s, which this client does not "
                 "offer",
                 (unsigned long long)other->id, sd_name(SD_NAME_SUITE, other->suite, suite));
    } else if (alert_of_dtls10(&o, e)) {
        f->confidence = SD_MEDIUM;
        sd_confuse(f, "version-mismatch");
        snprintf(cause, sizeof cause,
                 "Probable cause: the server supports only DTLS 1.0, because its alert is a DTLS "
                 "1.0 record");
    } else {
        snprintf(cause, sizeof cause, "Probable cause: %s", likely_cause(&o, n));
    }
    name_groups(&o, groups, sizeof groups);
    sd_say(f, "The server %s. %s. The client offers %u suite%s (%s)%s.", refused_with(e, alert),
           cause, n.all, sd_plural(n.all), sd_offer_names(o.hello.suites, SD_NAME_SUITE, suites),
           groups);
}

/* The server closes instead of an alert, and says nothing else. */
static const struct sd_event *closed_at_once(const struct sd_case *c)
{
    const struct sd_event *first = NULL;
    for (size_t i = 0; i < c->x->count; i++) {
        const struct sd_event *e = &c->x->log[i];
        bool request = e->kind == SD_EV_HANDSHAKE && e->message == SD_HS_HELLO_VERIFY_REQUEST;
        bool closes = e->kind == SD_EV_ALERT && e->message == SD_ALERT_CLOSE_NOTIFY && !e->epoch;
        if (sd_event_side(e) != SD_SERVER || request)
            continue;
        if (!closes)
            return NULL;
        first = first ? first : e;
    }
    return c->x->negotiated || c->x->mid_session ? NULL : first;
}

bool sd_rule_no_common_offer(const struct sd_case *c, struct sd_finding *f)
{
    static const int codes[] = {SD_ALERT_HANDSHAKE_FAILURE, SD_ALERT_INSUFFICIENT_SECURITY,
                                SD_ALERT_MISSING_EXTENSION};
    const struct sd_event *e = NULL;
    for (size_t i = 0; i < sizeof codes / sizeof *codes && !e; i++)
        e = hello_refusal(c, codes[i]);
    const struct sd_event *closed = e ? NULL : closed_at_once(c);
    if ((!e && !closed) || c->outcome != SD_FAILED)
        return false;
    prove_hello(c, f);
    for (size_t i = 0; closed && i < c->x->count; i++)
        if (c->x->log[i].kind == SD_EV_ALERT)
            sd_prove(f, &c->x->log[i]);
    e = e ? e : closed;
    sd_prove(f, e);
    f->confidence = e->message == SD_ALERT_HANDSHAKE_FAILURE ? SD_HIGH : SD_MEDIUM;
    say_offer(c, f, e);
    return true;
}

static void say_version(const struct sd_case *c, struct sd_finding *f, bool server)
{
    char version[SD_NAME_TEXT], offered[SD_LIST_TEXT];
    struct sd_offer o;
    bool read = sd_offer_read(c->x, &o);
    const char *chosen = sd_name(SD_NAME_VERSION, c->x->version, version);
    if (!server && c->x->negotiated)
        sd_say(f,
               "The server chose %s. The client refuses it: the client's minimum version is "
               "higher.",
               chosen);
    else if (!server)
        sd_say(f,
               "The client refuses the version of the server's answer. The ServerHello was not "
               "captured, so the server's version is not known.%s%s",
               read ? " The client offers at most " : "", read ? chosen : "");
    else if (read && o.only13)
        sd_say(f, "The client offers only DTLS 1.3. The server refuses it: the server does not "
                  "support DTLS 1.3.");
    else
        sd_say(f,
               "The client offers at most %s (%s). The server refuses it: the server's minimum "
               "version is higher.",
               chosen, read ? sd_offer_versions(&o, offered) : "the ClientHello was not captured");
}

/* RFC 7507: the client says that this is a second, lower try. */
static bool refused_fallback(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_event *e = sd_view_alert(c->view, SD_SERVER, SD_ALERT_INAPPROPRIATE_FALLBACK);
    char version[SD_NAME_TEXT];
    struct sd_offer o;
    if (!e || c->outcome != SD_FAILED)
        return false;
    bool read = sd_offer_read(c->x, &o);
    prove_hello(c, f);
    sd_prove(f, e);
    f->confidence = read && o.fallback ? SD_HIGH : SD_MEDIUM;
    sd_say(f,
           "The client tries again with a lower version%s%s (TLS_FALLBACK_SCSV), but the server "
           "supports a higher one. The first try probably failed for another reason, such as loss.",
           read ? ": at most " : "", read ? sd_name(SD_NAME_VERSION, c->x->version, version) : "");
    return true;
}

bool sd_rule_version_mismatch(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_event *e = sd_view_alert(c->view, SD_SERVER, SD_ALERT_PROTOCOL_VERSION);
    bool server = e != NULL;
    if (refused_fallback(c, f))
        return true;
    if (!e)
        e = sd_view_alert(c->view, SD_CLIENT, SD_ALERT_PROTOCOL_VERSION);
    if (!e || c->outcome != SD_FAILED)
        return false;
    prove_hello(c, f);
    sd_prove(f, e);
    f->confidence = SD_HIGH;
    say_version(c, f, server);
    return true;
}

bool sd_rule_sni_unrecognized(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_event *e = sd_view_alert(c->view, SD_SERVER, SD_ALERT_UNRECOGNIZED_NAME);
    struct sd_span body, host;
    char name[80];
    if (!e || c->outcome != SD_FAILED)
        return false;
    prove_hello(c, f);
    sd_prove(f, e);
    f->confidence = SD_HIGH;
    if (sd_offer_ext(c->x, SD_EXT_SERVER_NAME, &body) && sd_ext_server_name(body, &host))
        sd_say(f, "The client asks for \"%s\", but the server does not know this name.",
               sd_offer_text(host, name, sizeof name));
    else
        sd_say(f, "The client sends no server name, but the server requires a name that it knows.");
    return true;
}

/* The protocols in the words of the list. */
static const char *alpn_list(const struct sd_exchange *x, char *buf, size_t cap)
{
    struct sd_span body, name;
    struct sd_rd names;
    char one[48];
    size_t at = 0;
    buf[0] = '\0';
    if (!sd_offer_ext(x, SD_EXT_ALPN, &body) || !sd_ext_alpn(body, &names))
        return buf;
    while (sd_alpn_next(&names, &name) && at + sizeof one + 2 < cap)
        at += (size_t)snprintf(buf + at, cap - at, "%s%s", at ? ", " : "",
                               sd_offer_text(name, one, sizeof one));
    return buf;
}

bool sd_rule_alpn_mismatch(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_event *e = sd_view_alert(c->view, SD_SERVER, SD_ALERT_NO_APPLICATION_PROTOCOL);
    char list[200];
    if (!e || c->outcome != SD_FAILED)
        return false;
    prove_hello(c, f);
    sd_prove(f, e);
    f->confidence = SD_HIGH;
    sd_say(f,
           "The client offers the application protocols \"%s\" (ALPN), but the server supports "
           "none of them.",
           alpn_list(c->x, list, sizeof list));
    return true;
}

/* More than any server answers: each is looked up among those of the client. */
enum { ANSWERS_MAX = 64 };

/* The first extension of the ServerHello that nobody asked for. */
static bool unasked_extension(const struct sd_exchange *x, uint16_t *type)
{
    struct sd_span hello = sd_kept(x, SD_KEPT_SERVER_HELLO), body;
    struct sd_server_hello sh;
    struct sd_offer offer;
    struct sd_ext e;
    if (!sd_offer_read(x, &offer) || sd_server_hello_parse(&sh, hello, hello.len) != SD_HELLO_WHOLE)
        return false;
    struct sd_rd block = sd_rd_init(sh.extensions.p, sh.extensions.len);
    for (int n = 0; n < ANSWERS_MAX && sd_ext_next(&block, &e) == SD_EXT_OK; n++) {
        bool asked =
            sd_offer_ext(x, e.type, &body) || (e.type == SD_EXT_RENEGOTIATION_INFO && offer.reneg);
        if (asked)
            continue;
        *type = e.type;
        return true;
    }
    return false;
}

/* That is reason enough for the same alerts. */
static bool bytes_changed(const struct sd_exchange *x)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].flags & SD_EVF_CHANGED)
            return true;
    return false;
}

bool sd_rule_bad_extension(const struct sd_case *c, struct sd_finding *f)
{
    static const int codes[] = {SD_ALERT_UNSUPPORTED_EXTENSION, SD_ALERT_ILLEGAL_PARAMETER,
                                SD_ALERT_MISSING_EXTENSION};
    const struct sd_event *e = NULL;
    uint16_t type = 0;
    char alert[SD_NAME_TEXT], name[SD_NAME_TEXT];
    for (size_t i = 0; i < sizeof codes / sizeof *codes && !e; i++) {
        e = sd_view_alert(c->view, SD_CLIENT, codes[i]);
        if (!e)
            e = sd_view_alert(c->view, SD_SERVER, codes[i]);
    }
    if (!e || c->outcome != SD_FAILED || c->x->hello_fragments > 1 || bytes_changed(c->x))
        return false;
    bool found = unasked_extension(c->x, &type);
    /* That alert has many other reasons: see unexplained-alert. */
    if (!found && e->message == SD_ALERT_ILLEGAL_PARAMETER)
        return false;
    prove_hello(c, f);
    sd_prove_bursts(f, c->view, SD_SERVER, 4, 1);
    sd_prove(f, e);
    f->confidence = found ? SD_HIGH : SD_LOW;
    const char *who = sd_event_side(e) == SD_SERVER ? "server" : "client";
    if (found)
        sd_say(
            f,
            "The %s ends the handshake with the alert %s (%u): the ServerHello has the extension "
            "%s (%u), which the client did not offer.",
            who, sd_name(SD_NAME_ALERT, e->message, alert), e->message,
            sd_name(SD_NAME_EXTENSION, type, name), type);
    else
        sd_say(f,
               "The %s ends the handshake with the alert %s (%u): the %s's hello probably contains "
               "a value or an extension that is not allowed here.",
               who, sd_name(SD_NAME_ALERT, e->message, alert), e->message,
               sd_event_side(e) == SD_SERVER ? "client" : "server");
    return true;
}

bool sd_rule_client_certificate_required(const struct sd_case *c, struct sd_finding *f)
{
    static const int codes[] = {SD_ALERT_HANDSHAKE_FAILURE, SD_ALERT_CERTIFICATE_REQUIRED,
                                SD_ALERT_BAD_CERTIFICATE, SD_ALERT_CERTIFICATE_UNKNOWN};
    const struct sd_part *sent = sd_view_part(c->view, SD_CLIENT, SD_HS_CERTIFICATE);
    const struct sd_event *e = NULL;
    for (size_t i = 0; i < sizeof codes / sizeof *codes && !e; i++)
        e = sd_view_alert(c->view, SD_SERVER, codes[i]);
    bool empty = sent && sent->length <= 4; /* a list of length 0; DTLS 1.3: and a context */
    if (!e || c->outcome != SD_FAILED || (!empty && e->message != SD_ALERT_CERTIFICATE_REQUIRED))
        return false;
    if (sent)
        sd_prove_frame(f, sent->number, sent->first);
    sd_prove(f, e);
    f->confidence = SD_HIGH;
    char asked[200];
    sd_say(f,
           "The server asked for a client certificate. The client sent none, and the server ended "
           "the handshake with alert %u.%s",
           e->message, sd_cert_request_text(c->x, asked, sizeof asked));
    return true;
}

/* Records of application data that are more than a word of one side. */
enum { CONVERSATION = 4 };

static bool srtp_profile(struct sd_span body, uint16_t *first)
{
    struct sd_rd profiles;
    struct sd_span mki;
    if (!sd_ext_use_srtp(body, &profiles, &mki) || !sd_rd_left(&profiles))
        return false;
    *first = sd_rd_u16(&profiles);
    return true;
}

static bool srtp_offered(struct sd_span body, uint16_t chosen)
{
    struct sd_rd profiles;
    struct sd_span mki;
    if (!sd_ext_use_srtp(body, &profiles, &mki))
        return false;
    while (sd_rd_left(&profiles))
        if (sd_rd_u16(&profiles) == chosen)
            return true;
    return false;
}

/* A browser offers SRTP for its data channels, too, and these work without. */
static bool data_flows(const struct sd_exchange *x)
{
    uint32_t up = x->side[SD_CLIENT].appdata, down = x->side[SD_SERVER].appdata;
    return (up && down) || up + down >= CONVERSATION;
}

bool sd_rule_srtp_mismatch(const struct sd_case *c, struct sd_finding *f)
{
    struct sd_span offer, answer;
    uint16_t chosen = 0;
    char name[SD_NAME_TEXT];
    /* In DTLS 1.3 the answer is encrypted. */
    if (!c->x->negotiated || c->x->version == SD_DTLS_1_3 ||
        !sd_offer_ext(c->x, SD_EXT_USE_SRTP, &offer))
        return false;
    bool answered = sd_choice_ext(c->x, SD_EXT_USE_SRTP, &answer) && srtp_profile(answer, &chosen);
    if (answered && srtp_offered(offer, chosen))
        return false;
    if (!answered && data_flows(c->x))
        return false;
    prove_hello(c, f);
    sd_prove_bursts(f, c->view, SD_SERVER, 4, 1);
    f->confidence = answered ? SD_HIGH : SD_MEDIUM;
    if (answered)
        sd_say(
            f,
            "The server chose the SRTP profile %s, which the client did not offer. No media will "
            "flow.",
            sd_name(SD_NAME_SRTP, chosen, name));
    else
        sd_say(f,
               "The client offers use_srtp, but the server does not answer it. The handshake may "
               "succeed, but no media will flow.");
    return true;
}

bool sd_rule_dtls13_fallback(const struct sd_case *c, struct sd_finding *f)
{
    struct sd_offer o;
    struct sd_server_hello sh;
    struct sd_span hello = sd_kept(c->x, SD_KEPT_SERVER_HELLO), versions;
    if (!c->x->negotiated || c->x->version == SD_DTLS_1_3 ||
        !sd_offer_ext(c->x, SD_EXT_SUPPORTED_VERSIONS, &versions) || !sd_offer_read(c->x, &o) ||
        !o.v13 || sd_server_hello_parse(&sh, hello, hello.len) != SD_HELLO_WHOLE)
        return false;
    bool marked = sd_server_hello_downgrade(&sh) != 0;
    prove_hello(c, f);
    sd_prove_bursts(f, c->view, SD_SERVER, 4, 1);
    f->severity = marked ? SD_WARNING : SD_INFO;
    f->confidence = SD_HIGH;
    sd_say(f, "The client offers DTLS 1.3, but the server chose DTLS 1.2%s.",
           marked ? " although its random says that it supports DTLS 1.3: a device on the path may "
                    "have changed the ClientHello"
                  : "");
    return true;
}
