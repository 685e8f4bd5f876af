/* SPDX-License-Identifier: MIT */
#include "flow/rules/reasons.h"

#include <stdio.h>
#include <string.h>

#include "flow/rules/hellos.h"
#include "flow/rules/leaf.h"
#include "flow/rules/rule.h"
#include "wire/extension.h"
#include "wire/names.h"
#include "wire/record.h"

/* --- what a capture can rule out: true = the reason remains possible --- */

static bool hidden(const struct sd_case *c, enum sd_side sender)
{
    (void)c, (void)sender;
    return true;
}

static bool resumption_offered(const struct sd_case *c, enum sd_side sender)
{
    struct sd_offer o;
    struct sd_span ticket;
    (void)sender;
    return sd_offer_read(c->x, &o) &&
           (o.hello.session_id.len ||
            (sd_ext_find(o.hello.extensions, SD_EXT_SESSION_TICKET, &ticket) && ticket.len));
}

static bool ems_missing(const struct sd_case *c, enum sd_side sender)
{
    struct sd_span body;
    (void)sender;
    return c->x->version != SD_DTLS_1_3 &&
           !sd_choice_ext(c->x, SD_EXT_EXTENDED_MASTER_SECRET, &body);
}

static bool certificate_sent(const struct sd_case *c, enum sd_side sender)
{
    return sd_view_part(c->view, sd_other(sender), SD_HS_CERTIFICATE) != NULL;
}

static bool certificate_verify_sent(const struct sd_case *c, enum sd_side sender)
{
    return sd_view_part(c->view, sd_other(sender), SD_HS_CERTIFICATE_VERIFY) != NULL;
}

/* Where every certificate of the chain can be read, all of them have to be valid. */
static bool dates_wrong(const struct sd_case *c, enum sd_side sender)
{
    struct sd_span der, body = sd_kept(c->x, sender == SD_CLIENT ? SD_KEPT_SERVER_CERTIFICATE
                                                                 : SD_KEPT_CLIENT_CERTIFICATE);
    struct sd_cert_chain chain;
    struct sd_cert cert;
    int64_t now = c->x->start / SD_NS_SECOND;
    if (!c->certs || !body.len || !sd_cert_chain_init(&chain, body, c->x->version == SD_DTLS_1_3))
        return true;
    while (sd_cert_next(&chain, &der))
        if (!c->certs->read(c->certs->arg, der, &cert) || now < cert.not_before ||
            now > cert.not_after)
            return true;
    return false;
}

static bool identity_sent(const struct sd_case *c, enum sd_side sender)
{
    char buf[SD_NAME_TEXT];
    (void)sender;
    return strstr(sd_name(SD_NAME_SUITE, c->x->suite, buf), "PSK") &&
           sd_view_part(c->view, SD_CLIENT, SD_HS_CLIENT_KEY_EXCHANGE);
}

static bool hello_repeated(const struct sd_case *c, enum sd_side sender)
{
    (void)sender;
    return c->x->cookie_count || sd_kept(c->x, SD_KEPT_RETRY).len;
}

static bool hello_in_pieces(const struct sd_case *c, enum sd_side sender)
{
    return sender == SD_SERVER && c->x->hello_fragments > 1;
}

static bool nothing_negotiated(const struct sd_case *c, enum sd_side sender)
{
    (void)sender;
    return !c->x->negotiated;
}

/* --- the table --- */

enum alert_sender { CLIENT = 1 << SD_CLIENT, SERVER = 1 << SD_SERVER, ANY = CLIENT | SERVER };

static const struct reason {
    uint8_t alert;
    uint8_t sender;
    bool (*possible)(const struct sd_case *c, enum sd_side sender);
    const char *text;
} reasons[] = {
#define SD_REASON(alert, sender, check, text) {SD_ALERT_##alert, sender, check, text},
#include "flow/rules/reasons.def"
#undef SD_REASON
};

const char *sd_reasons_text(const struct sd_case *c, const struct sd_event *alert, char *buf,
                            size_t cap)
{
    enum sd_side sender = sd_event_side(alert);
    size_t at = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        const struct reason *r = &reasons[i];
        if (r->alert != alert->message || !(r->sender & 1U << sender) || !r->possible(c, sender) ||
            at + strlen(r->text) + 3 > cap)
            continue;
        at += (size_t)snprintf(buf + at, cap - at, "%s%s", at ? "; " : "", r->text);
    }
    return buf;
}

static const char *message_before(const struct sd_exchange *x, const struct sd_event *e,
                                  char buf[static SD_NAME_TEXT])
{
    const char *name = "no handshake message";
    for (const struct sd_event *o = x->log; o < e; o++)
        if (o->kind == SD_EV_HANDSHAKE)
            name = sd_name(SD_NAME_HANDSHAKE, o->message, buf);
    return name;
}

bool sd_rule_unexplained_alert(const struct sd_case *c, struct sd_finding *f)
{
    char name[SD_NAME_TEXT], last[SD_NAME_TEXT], why[280];
    const struct sd_event *e = sd_view_ending_alert(c->view);
    if (!e)
        return false;
    sd_prove(f, e);
    f->confidence = SD_MEDIUM;
    sd_reasons_text(c, e, why, sizeof why);
    sd_say(f, "The %s ended the handshake with the alert %s (%u) after %s.%s%s%s",
           sd_event_side(e) == SD_SERVER ? "server" : "client",
           sd_name(SD_NAME_ALERT, e->message, name), e->message, message_before(c->x, e, last),
           *why ? " Possible reasons: " : "", why, *why ? "." : "");
    return true;
}
