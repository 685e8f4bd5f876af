/* SPDX-License-Identifier: MIT */
/* What the server takes of the extensions that it is offered. */
#include <string.h>

#include "common/words.h"
#include "dtls_scan/checks/check.h"
#include "wire/extension.h"
#include "wire/names.h"
#include "wire/record.h"

/* The offer was answered with a ServerHello; else the outcome says what is missing. */
static const struct scan_offer_fact *answered_offer(struct scan *s, struct scan_outcome *o)
{
    const struct scan_offer_fact *f = scan_offer(s);
    if (!f->asked)
        scan_not_run(o, "the server accepts neither DTLS 1.2 nor 1.0; in 1.3 this is encrypted");
    else if (f->reply != SCAN_REPLY_HELLO)
        scan_not_known(o, "the server refused a hello with all extensions");
    return f->asked && f->reply == SCAN_REPLY_HELLO ? f : NULL;
}

static void say_taken(struct scan *s, struct scan_outcome *o, uint16_t type, enum scan_level taken,
                      enum scan_level refused, const char *name)
{
    const struct scan_offer_fact *f = answered_offer(s, o);
    if (!f)
        return;
    bool is = scan_offered(f, type);
    scan_found(o, is ? taken : refused, json_boolean(is), "%s is %ssupported", name,
               is ? "" : "not ");
}

static void check_compression(struct scan *s, struct scan_outcome *o)
{
    char none[SD_NAME_TEXT];
    const struct scan_offer_fact *f = answered_offer(s, o);
    if (f && f->compression)
        scan_found(o, SCAN_HIGH, json_true(), "the server compresses (%s): CRIME",
                   sd_name(SD_NAME_COMPRESSION, f->compression, none));
    else if (f)
        scan_found(o, SCAN_OK, json_false(), "the server does not compress");
}

static void check_ems(struct scan *s, struct scan_outcome *o)
{
    say_taken(s, o, SD_EXT_EXTENDED_MASTER_SECRET, SCAN_OK, SCAN_LOW,
              "extended master secret (RFC 7627)");
}

static void check_renegotiation(struct scan *s, struct scan_outcome *o)
{
    say_taken(s, o, SD_EXT_RENEGOTIATION_INFO, SCAN_OK, SCAN_MEDIUM,
              "secure renegotiation (RFC 5746)");
}

/* Only a CBC suite can use it. */
static void check_etm(struct scan *s, struct scan_outcome *o)
{
    uint16_t cbc[SCAN_SUITES_KEPT];
    struct scan_hello h;
    struct sd_server_hello sh;
    const struct scan_suite_fact *f = scan_legacy_suites(s);
    unsigned n = 0;
    for (unsigned i = 0; i < f->count; i++)
        if (scan_suite_is(f->suite[i], "CBC"))
            cbc[n++] = f->suite[i];
    if (!n || !scan_legacy_hello(s, &h)) {
        scan_not_run(o, "no CBC suite is accepted");
        return;
    }
    scan_hello_suites(&h, cbc, n);
    h.ext |= SCAN_EXT_ETM;
    if (scan_ask(&s->asker, &h, SCAN_UNTIL_HELLO) != SCAN_REPLY_HELLO ||
        !scan_answer_hello(&s->asker.answer, false, &sh)) {
        scan_not_known(o, "the server refused a hello with CBC suites and encrypt-then-MAC");
        return;
    }
    bool is = sd_ext_has(sh.extensions, SD_EXT_ENCRYPT_THEN_MAC);
    scan_found(o, is ? SCAN_OK : SCAN_LOW, json_boolean(is),
               "CBC suites %s encrypt-then-MAC (RFC 7366)", is ? "use" : "do not use");
}

static void check_ticket(struct scan *s, struct scan_outcome *o)
{
    say_taken(s, o, SD_EXT_SESSION_TICKET, SCAN_INFO, SCAN_INFO, "a session ticket (RFC 5077)");
}

static void check_session_id(struct scan *s, struct scan_outcome *o)
{
    const struct scan_offer_fact *f = answered_offer(s, o);
    if (f)
        scan_found(o, SCAN_INFO, json_boolean(f->session_id), "the server gives %s session id",
                   f->session_id ? "a" : "no");
}

static void check_heartbeat(struct scan *s, struct scan_outcome *o)
{
    say_taken(s, o, SD_EXT_HEARTBEAT, SCAN_LOW, SCAN_OK, "heartbeat (RFC 6520)");
}

static void check_cid(struct scan *s, struct scan_outcome *o)
{
    say_taken(s, o, SD_EXT_CONNECTION_ID, SCAN_INFO, SCAN_INFO, "a connection id (RFC 9146)");
}

static void check_srtp(struct scan *s, struct scan_outcome *o)
{
    char none[SD_NAME_TEXT];
    const struct scan_offer_fact *f = answered_offer(s, o);
    if (f && f->srtp)
        scan_found(o, SCAN_INFO, json_string(sd_name(SD_NAME_SRTP, f->srtp, none)),
                   "the server negotiates SRTP keys: %s", sd_name(SD_NAME_SRTP, f->srtp, none));
    else if (f)
        scan_found(o, SCAN_INFO, json_null(), "the server negotiates no SRTP keys");
}

static void check_client_certificate(struct scan *s, struct scan_outcome *o)
{
    const struct scan_offer_fact *f = answered_offer(s, o);
    if (!f)
        return;
    json_t *value = json_boolean(f->certificate_request);
    if (!f->certificate_request)
        scan_found(o, SCAN_INFO, value, "the server asks for no client certificate");
    else if (f->authority_count)
        scan_found(o, SCAN_INFO, value, "the server asks for a client certificate of: %s",
                   f->authorities);
    else
        scan_found(o, SCAN_INFO, value, "the server asks for a client certificate of any CA");
}

/* One hello with one more extension; false when no ServerHello comes. */
static bool ask_with(struct scan *s, struct scan_hello *h, struct scan_outcome *o,
                     enum scan_until until, struct sd_server_hello *sh)
{
    enum scan_reply reply = scan_ask(&s->asker, h, until);
    if (reply == SCAN_REPLY_HELLO && scan_answer_hello(&s->asker.answer, false, sh))
        return true;
    scan_not_known(o, reply == SCAN_REPLY_ALERT ? "the server refuses a hello with this extension"
                                                : "no answer to a hello with this extension");
    return false;
}

/* The body of the largest plaintext record is not known; the largest datagram is. */
static void check_max_fragment(struct scan *s, struct scan_outcome *o)
{
    enum { CODE_512 = 1 };
    struct scan_hello h;
    struct sd_server_hello sh;
    if (!scan_legacy_hello(s, &h)) {
        scan_not_run(o, "the server accepts neither DTLS 1.2 nor 1.0");
        return;
    }
    h.max_fragment = CODE_512;
    if (!ask_with(s, &h, o, SCAN_UNTIL_FLIGHT, &sh))
        return;
    bool is = sd_ext_has(sh.extensions, SD_EXT_MAX_FRAGMENT_LENGTH);
    size_t most = s->asker.answer.largest_record;
    if (is && most > 512)
        scan_found(o, SCAN_LOW, json_string("broken"),
                   "max_fragment_length 512 is agreed, and a record of %zu bytes comes", most);
    else
        scan_found(o, SCAN_INFO, json_boolean(is), "max_fragment_length is %ssupported",
                   is ? "" : "not ");
}

static void check_record_limit(struct scan *s, struct scan_outcome *o)
{
    struct scan_hello h;
    struct sd_server_hello sh;
    if (!scan_legacy_hello(s, &h)) {
        scan_not_run(o, "the server accepts neither DTLS 1.2 nor 1.0");
        return;
    }
    h.record_limit = 512;
    if (!ask_with(s, &h, o, SCAN_UNTIL_HELLO, &sh))
        return;
    bool is = sd_ext_has(sh.extensions, SD_EXT_RECORD_SIZE_LIMIT);
    scan_found(o, SCAN_INFO, json_boolean(is), "record_size_limit (RFC 8449) is %ssupported",
               is ? "" : "not ");
}

static void check_raw_key(struct scan *s, struct scan_outcome *o)
{
    struct scan_hello h;
    struct sd_server_hello sh;
    struct sd_span body;
    if (!scan_legacy_hello(s, &h)) {
        scan_not_run(o, "the server accepts neither DTLS 1.2 nor 1.0");
        return;
    }
    h.ext |= SCAN_EXT_RAW_KEY;
    if (!ask_with(s, &h, o, SCAN_UNTIL_HELLO, &sh))
        return;
    bool is = sd_ext_find(sh.extensions, SD_EXT_SERVER_CERTIFICATE_TYPE, &body) && body.len == 1 &&
              body.p[0] == 2;
    scan_found(o, SCAN_INFO, json_boolean(is), "the server has %s raw public key (RFC 7250)",
               is ? "a" : "no");
}

static void check_alpn(struct scan *s, struct scan_outcome *o)
{
    static const char names[] = "webrtc,c-webrtc,coap,co,stun.turn,stun.nat-discovery,radius/1.1,"
                                "radius/1.0,h3,h2,http/1.1,mqtt,sip/2,dot,doq,ntske/1";
    struct scan_hello h;
    struct sd_server_hello sh;
    struct sd_span body, name;
    struct sd_rd list;
    if (!scan_legacy_hello(s, &h)) {
        scan_not_run(o, "the server accepts neither DTLS 1.2 nor 1.0");
        return;
    }
    h.alpn = names;
    enum scan_reply reply = scan_ask(&s->asker, &h, SCAN_UNTIL_HELLO);
    if (reply == SCAN_REPLY_ALERT &&
        s->asker.answer.alert.description == SD_ALERT_NO_APPLICATION_PROTOCOL)
        scan_found(o, SCAN_INFO, json_true(), "the server wants a protocol that we do not know");
    else if (!scan_answer_hello(&s->asker.answer, false, &sh))
        scan_not_known(o, "no answer to a hello with ALPN");
    else if (sd_ext_find(sh.extensions, SD_EXT_ALPN, &body) && sd_ext_alpn(body, &list) &&
             sd_alpn_next(&list, &name))
        scan_found(o, SCAN_INFO, json_stringn((const char *)name.p, name.len),
                   "the server chooses %.*s", (int)name.len, (const char *)name.p);
    else
        scan_found(o, SCAN_INFO, json_false(), "the server ignores ALPN");
}

static void check_psk_offer(struct scan *s, struct scan_outcome *o)
{
    uint16_t psk[SCAN_SUITES_KEPT];
    struct scan_hello h;
    struct sd_span body;
    const struct scan_suite_fact *f = scan_legacy_suites(s);
    unsigned n = 0;
    for (unsigned i = 0; i < f->count; i++)
        if (scan_suite_exchange(f->suite[i], "PSK"))
            psk[n++] = f->suite[i];
    if (!f->asked)
        scan_not_run(o, "the server accepts neither DTLS 1.2 nor 1.0");
    else if (!n && !f->complete)
        scan_not_known(o, "not all suites were asked for");
    else if (!n)
        scan_found(o, SCAN_INFO, json_false(), "no pre-shared keys");
    if (!n || !scan_legacy_hello(s, &h))
        return;
    scan_hello_suites(&h, psk, n);
    scan_ask(&s->asker, &h, SCAN_UNTIL_FLIGHT);
    bool there = scan_answer_message(&s->asker.answer, SD_HS_SERVER_KEY_EXCHANGE, &body);
    struct sd_rd r = sd_rd_init(body.p, body.len), hint = sd_rd_vec16(&r);
    struct sd_span text = sd_rd_rest(&hint);
    if (there && text.len)
        scan_found(o, SCAN_INFO, json_true(), "pre-shared keys, hint \"%.*s\"",
                   (int)(text.len < 128 ? text.len : 128), (const char *)text.p);
    else
        scan_found(o, SCAN_INFO, json_true(), "pre-shared keys, without a hint");
}

#define ROW(id, title, run)                                                                        \
    {                                                                                              \
        id, title, SCAN_GROUP_CRYPTO, 0, run                                                       \
    }
#define QUICK_ROW(id, title, run)                                                                  \
    {                                                                                              \
        id, title, SCAN_GROUP_CRYPTO, SCAN_QUICK, run                                              \
    }

const struct scan_check scan_extension_checks[] = {
    QUICK_ROW("compression", "Compression", check_compression),
    QUICK_ROW("extended-master-secret", "Extended master secret", check_ems),
    ROW("encrypt-then-mac", "Encrypt-then-MAC", check_etm),
    QUICK_ROW("renegotiation-info", "Secure renegotiation", check_renegotiation),
    QUICK_ROW("session-ticket", "Session ticket", check_ticket),
    QUICK_ROW("session-id", "Session id", check_session_id),
    QUICK_ROW("heartbeat", "Heartbeat", check_heartbeat),
    QUICK_ROW("connection-id", "Connection id", check_cid),
    QUICK_ROW("srtp", "SRTP", check_srtp),
    QUICK_ROW("client-certificate", "Client certificate", check_client_certificate),
    ROW("max-fragment-length", "max_fragment_length", check_max_fragment),
    ROW("record-size-limit", "record_size_limit", check_record_limit),
    ROW("raw-public-key", "Raw public key", check_raw_key),
    ROW("alpn", "ALPN", check_alpn),
    ROW("psk", "Pre-shared keys", check_psk_offer),
};
const size_t scan_extension_count = sizeof scan_extension_checks / sizeof *scan_extension_checks;
