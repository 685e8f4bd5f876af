/* SPDX-License-Identifier: MIT */
/* Section C of the catalogue: what the server chose, and the messages of a full handshake, against
 * what the version allows. */
#include <stdio.h>
#include <string.h>

#include "flow/rules/hellos.h"
#include "flow/rules/leaf.h"
#include "flow/rules/rule.h"
#include "wire/extension.h"
#include "wire/names.h"
#include "wire/record.h"

enum { FAULT_TEXT = 240 };

/* --- the server's choice --- */

struct choice {
    struct sd_offer offer;
    struct sd_server_hello hello;
};

static bool read_choice(const struct sd_exchange *x, struct choice *ch)
{
    struct sd_span body = sd_kept(x, SD_KEPT_SERVER_HELLO);
    return body.len && sd_offer_read(x, &ch->offer) &&
           sd_server_hello_parse(&ch->hello, body, body.len) == SD_HELLO_WHOLE;
}

/* The group of the key exchange: in DTLS 1.3 that of the server's key_share; 0 = not seen. */
static uint16_t chosen_group(const struct sd_exchange *x, const struct choice *ch)
{
    struct sd_server_key k;
    struct sd_span body;
    if (sd_server_key_of(x, &k))
        return k.group;
    if (!sd_ext_find(ch->hello.extensions, SD_EXT_KEY_SHARE, &body))
        return 0;
    struct sd_rd r = sd_rd_init(body.p, body.len);
    return sd_rd_u16(&r);
}

static bool group_unoffered(const struct sd_exchange *x, const struct choice *ch, uint16_t *group)
{
    struct sd_span body;
    struct sd_rd list;
    *group = chosen_group(x, ch);
    return *group && sd_ext_find(ch->offer.hello.extensions, SD_EXT_SUPPORTED_GROUPS, &body) &&
           sd_ext_u16s(body, 2, &list) && !sd_offer_lists(sd_rd_rest(&list), *group);
}

static bool choice_fault(const struct sd_exchange *x, char *text)
{
    struct choice ch;
    uint16_t group;
    char name[SD_NAME_TEXT];
    if (!read_choice(x, &ch))
        return false;
    struct sd_span methods = ch.offer.hello.compression;
    if (!sd_offer_lists(ch.offer.hello.suites, ch.hello.suite))
        snprintf(text, FAULT_TEXT,
                 "The server chose the suite %s, which the client does not offer.",
                 sd_name(SD_NAME_SUITE, ch.hello.suite, name));
    else if (methods.len && !memchr(methods.p, ch.hello.compression, methods.len))
        snprintf(text, FAULT_TEXT,
                 "The server chose the compression method %u, which the client does not offer.",
                 ch.hello.compression);
    else if (group_unoffered(x, &ch, &group))
        snprintf(text, FAULT_TEXT,
                 "The server's key exchange uses the group %s, which the client does not offer.",
                 sd_name(SD_NAME_GROUP, group, name));
    else
        return false;
    return true;
}

/* With the alert that answers the fault, or with the silence that does. */
static void say_fault(const struct sd_case *c, struct sd_finding *f, const char *text,
                      const struct sd_event *alert)
{
    char name[SD_NAME_TEXT];
    unsigned sent = sd_view_bursts(c->view, SD_SERVER, 4);
    sd_prove_bursts(f, c->view, SD_SERVER, 4, alert ? 2 : 6);
    if (alert) {
        sd_prove(f, alert);
        sd_say(f, "%s The %s ended the handshake with the alert %s (%u).", text,
               sd_event_side(alert) == SD_SERVER ? "server" : "client",
               sd_name(SD_NAME_ALERT, alert->message, name), alert->message);
        return;
    }
    f->confidence = SD_MEDIUM;
    sd_confuse(f, "flight5-lost");
    sd_say(f, "%s The server sent its flight %u times, and the client did not answer.", text, sent);
}

bool sd_rule_choice_not_offered(const struct sd_case *c, struct sd_finding *f)
{
    char text[FAULT_TEXT];
    const struct sd_event *e = sd_view_alert(c->view, SD_CLIENT, -1);
    if ((!e && !sd_server_flight_unanswered(c->view)) || c->outcome != SD_FAILED ||
        !c->x->negotiated || !choice_fault(c->x, text))
        return false;
    bool says_so =
        e && (e->message == SD_ALERT_ILLEGAL_PARAMETER || e->message == SD_ALERT_HANDSHAKE_FAILURE);
    f->confidence = says_so ? SD_HIGH : SD_MEDIUM;
    sd_prove_bursts(f, c->view, SD_CLIENT, c->x->hellos_cookie ? 3 : 1, 1);
    say_fault(c, f, text, e);
    return true;
}

/* --- the order of messages (RFC 5246 section 7.3) --- */

static const uint8_t order[] = {
    SD_HS_SERVER_HELLO,       SD_HS_SUPPLEMENTAL_DATA,   SD_HS_CERTIFICATE,
    SD_HS_CERTIFICATE_STATUS, SD_HS_SERVER_KEY_EXCHANGE, SD_HS_CERTIFICATE_REQUEST,
    SD_HS_SERVER_HELLO_DONE,  SD_HS_CLIENT_KEY_EXCHANGE, SD_HS_CERTIFICATE_VERIFY};

static const uint8_t *place_of(uint8_t type)
{
    return memchr(order, type, sizeof order);
}

static const struct sd_part *part_with_seq(const struct sd_view *v, enum sd_side side, unsigned seq)
{
    for (size_t i = 0; i < v->part_count; i++)
        if (v->parts[i].side == side && v->parts[i].message_seq == seq &&
            place_of(v->parts[i].type))
            return &v->parts[i];
    return NULL;
}

/* The message that this side sent right after: their message_seq show that none is lost. */
static const struct sd_part *message_after(const struct sd_view *v, const struct sd_part *p)
{
    return p ? part_with_seq(v, p->side, p->message_seq + 1U) : NULL;
}

static bool swapped(const struct sd_view *v, char *text)
{
    char one[SD_NAME_TEXT], two[SD_NAME_TEXT];
    for (size_t i = 0; i < v->part_count; i++) {
        const struct sd_part *p = &v->parts[i], *next = message_after(v, p);
        if (!next || !place_of(p->type) || next->type == p->type ||
            place_of(next->type) > place_of(p->type))
            continue;
        snprintf(text, FAULT_TEXT, "The %s sent %s after %s. That is the wrong order.",
                 p->side == SD_SERVER ? "server" : "client",
                 sd_name(SD_NAME_HANDSHAKE, next->type, two),
                 sd_name(SD_NAME_HANDSHAKE, p->type, one));
        return true;
    }
    return false;
}

static bool server_left_out(const struct sd_exchange *x, const struct sd_view *v, char *text)
{
    struct sd_suite_needs n = sd_suite_needs_of(x);
    const struct sd_part *hello = sd_view_part(v, SD_SERVER, SD_HS_SERVER_HELLO);
    const struct sd_part *next = message_after(v, hello);
    const char *missing = NULL;
    if (!next)
        return false;
    if (n.key && place_of(next->type) > place_of(SD_HS_CERTIFICATE))
        missing = "Certificate";
    const struct sd_part *done = sd_view_part(v, SD_SERVER, SD_HS_SERVER_HELLO_DONE);
    if (!missing && n.kind != SD_KX_NONE && done && !sd_view_absent(v, SD_SERVER) &&
        !sd_view_part(v, SD_SERVER, SD_HS_SERVER_KEY_EXCHANGE))
        missing = "ServerKeyExchange";
    if (missing)
        snprintf(text, FAULT_TEXT, "The server sent no %s, which %s needs.", missing, n.name);
    return missing;
}

static bool client_left_out(const struct sd_view *v, char *text)
{
    const struct sd_part *key = sd_view_part(v, SD_CLIENT, SD_HS_CLIENT_KEY_EXCHANGE);
    const struct sd_part *hello = NULL;
    for (size_t i = 0; i < v->part_count; i++)
        if (v->parts[i].side == SD_CLIENT && v->parts[i].type == SD_HS_CLIENT_HELLO)
            hello = &v->parts[i]; /* the newest */
    if (!key || !hello || key->message_seq != hello->message_seq + 1 ||
        !sd_view_part(v, SD_SERVER, SD_HS_CERTIFICATE_REQUEST))
        return false;
    snprintf(text, FAULT_TEXT,
             "The server sent a CertificateRequest, but the client sent no "
             "Certificate, not even an empty one.");
    return true;
}

static bool client_sent_unasked(const struct sd_view *v, char *text)
{
    if (!sd_view_part(v, SD_CLIENT, SD_HS_CERTIFICATE) ||
        !sd_view_part(v, SD_SERVER, SD_HS_SERVER_HELLO_DONE) || sd_view_absent(v, SD_SERVER) ||
        sd_view_part(v, SD_SERVER, SD_HS_CERTIFICATE_REQUEST))
        return false;
    snprintf(text, FAULT_TEXT,
             "The client sent a Certificate, but the server sent no CertificateRequest.");
    return true;
}

bool sd_server_flight_faulty(const struct sd_case *c)
{
    char text[FAULT_TEXT], misfit[SD_MISFIT_TEXT];
    if (!c->x->negotiated || c->x->server_randoms > 1)
        return false;
    return choice_fault(c->x, text) ||
           (c->x->version != SD_DTLS_1_3 &&
            (swapped(c->view, text) || server_left_out(c->x, c->view, text))) ||
           sd_leaf_misfit(c, SD_SERVER, misfit) == SD_MISFIT_RULE;
}

/* Who noticed; NULL = the client says nothing at all. */
static bool order_fault(const struct sd_case *c, char *text, const struct sd_event **alert)
{
    const struct sd_view *v = c->view;
    const struct sd_event *server = sd_view_alert(v, SD_SERVER, -1);
    const struct sd_event *client = sd_view_alert(v, SD_CLIENT, -1);
    *alert = client;
    if ((client || sd_server_flight_unanswered(v)) &&
        (swapped(v, text) || server_left_out(c->x, v, text)))
        return true;
    *alert = server;
    return server && (client_left_out(v, text) || client_sent_unasked(v, text) || swapped(v, text));
}

/* These are about a certificate, and nothing else. */
static bool blames_certificate(int alert)
{
    return alert == SD_ALERT_CERTIFICATE_REVOKED || alert == SD_ALERT_CERTIFICATE_EXPIRED ||
           alert == SD_ALERT_UNKNOWN_CA;
}

bool sd_rule_message_order(const struct sd_case *c, struct sd_finding *f)
{
    char text[FAULT_TEXT];
    const struct sd_view *v = c->view;
    /* The numbers of two servers do not belong together. */
    if (c->outcome != SD_FAILED || !c->x->negotiated || c->x->version == SD_DTLS_1_3 ||
        c->x->server_randoms > 1)
        return false;
    const struct sd_event *e;
    if (!order_fault(c, text, &e) || (e && blames_certificate(e->message)))
        return false;
    f->confidence = e && e->message == SD_ALERT_UNEXPECTED_MESSAGE ? SD_HIGH : SD_MEDIUM;
    sd_prove_bursts(f, v, SD_CLIENT, 5, 1);
    say_fault(c, f, text, e);
    return true;
}
