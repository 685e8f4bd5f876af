/* SPDX-License-Identifier: MIT */
/* Section C of the catalogue: what one side does against what the hellos agreed on. */
#include <stdio.h>
#include <string.h>

#include "flow/rules/hellos.h"
#include "flow/rules/rule.h"
#include "wire/extension.h"
#include "wire/names.h"
#include "wire/record.h"

static bool kept_server_hello(const struct sd_exchange *x, struct sd_server_hello *sh)
{
    struct sd_span body = sd_kept(x, SD_KEPT_SERVER_HELLO);
    return body.len && sd_server_hello_parse(sh, body, body.len) == SD_HELLO_WHOLE;
}

static const char *side_name(enum sd_side side)
{
    return side == SD_SERVER ? "server" : "client";
}

/* --- secure renegotiation --- */

/* The client goes on after the ServerHello, so it does not mind what was in it. */
static bool client_answered(const struct sd_view *v)
{
    return sd_view_part(v, SD_CLIENT, SD_HS_CLIENT_KEY_EXCHANGE) ||
           sd_view_part(v, SD_CLIENT, SD_HS_CERTIFICATE);
}

/* Where the whole flight is there, something else in it may be what is refused. */
static bool before_flight_ends(const struct sd_view *v, const struct sd_event *alert)
{
    const struct sd_part *done = sd_view_part(v, SD_SERVER, SD_HS_SERVER_HELLO_DONE);
    return !done || alert->time < done->first;
}

bool sd_rule_no_renegotiation_info(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_event *e = sd_view_alert(c->view, SD_CLIENT, SD_ALERT_HANDSHAKE_FAILURE);
    struct sd_server_hello sh;
    struct sd_offer o;
    if (c->outcome != SD_FAILED || !e || e->level != 2 || x->version == SD_DTLS_1_3 ||
        !sd_offer_read(x, &o) || !o.reneg || !kept_server_hello(x, &sh) ||
        sd_ext_has(sh.extensions, SD_EXT_RENEGOTIATION_INFO) || client_answered(c->view))
        return false;
    sd_prove_bursts(f, c->view, SD_CLIENT, x->hellos_cookie ? 3 : 1, 1);
    sd_prove_bursts(f, c->view, SD_SERVER, 4, 1);
    sd_prove(f, e);
    f->confidence = before_flight_ends(c->view, e) ? SD_HIGH : SD_MEDIUM;
    sd_say(f, "The client asks for secure renegotiation (RFC 5746), but the ServerHello has no "
              "renegotiation_info. The client then ended the handshake with the alert "
              "handshake_failure (40), as OpenSSL 3 does.");
    return true;
}

/* --- session ID --- */

bool sd_rule_session_id_echoed(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    struct sd_server_hello sh;
    struct sd_offer o;
    if (x->version == SD_DTLS_1_3 || !kept_server_hello(x, &sh) || !sh.session_id.len ||
        !sd_offer_read(x, &o) || sh.session_id.len != o.hello.session_id.len ||
        memcmp(sh.session_id.p, o.hello.session_id.p, sh.session_id.len) != 0)
        return false;
    const struct sd_part *full = sd_view_part(c->view, SD_SERVER, SD_HS_SERVER_HELLO_DONE);
    if (!full)
        full = sd_view_part(c->view, SD_SERVER, SD_HS_CERTIFICATE);
    if (!full)
        return false;
    const struct sd_event *e = sd_view_alert(c->view, SD_CLIENT, -1);
    bool failed = c->outcome == SD_FAILED;
    sd_prove_bursts(f, c->view, SD_CLIENT, x->hellos_cookie ? 3 : 1, 1);
    sd_prove_bursts(f, c->view, SD_SERVER, 4, 1);
    sd_prove_frame(f, full->number, full->first);
    if (e)
        sd_prove(f, e);
    f->severity = failed ? SD_FATAL : SD_WARNING;
    f->confidence =
        failed && (!e || e->message != SD_ALERT_UNEXPECTED_MESSAGE) ? SD_MEDIUM : SD_HIGH;
    sd_say(f,
           "The ServerHello repeats the client's session ID, which means that the server resumes "
           "that session. But then the server makes a full handshake.%s",
           failed ? " The client does not accept this." : "");
    return true;
}

/* --- the longest record --- */

enum {
    PLAIN_MAX = 1 << 14,
    /* What a cipher of DTLS 1.2 adds at most: IV, MAC and padding of CBC. */
    CIPHER_MAX = 16 + 48 + 256
};

struct record_limit {
    uint32_t bytes;
    const char *name; /* NULL = that of RFC 6347 */
};

/* What the client asks for, read once for both directions: most clients ask for nothing. */
struct asked_limits {
    struct sd_span fragment, size; /* bodies of the extensions; empty = not asked */
};

static bool read_asked(const struct sd_exchange *x, struct asked_limits *a)
{
    struct sd_span hello = sd_kept(x, SD_KEPT_CLIENT_HELLO);
    struct sd_client_hello ch;
    if (sd_client_hello_parse(&ch, hello, hello.len) != SD_HELLO_WHOLE)
        return false;
    sd_ext_find(ch.extensions, SD_EXT_MAX_FRAGMENT_LENGTH, &a->fragment);
    sd_ext_find(ch.extensions, SD_EXT_RECORD_SIZE_LIMIT, &a->size);
    return a->fragment.len || a->size.len;
}

static bool agreed_fragment(const struct sd_exchange *x, const struct asked_limits *a,
                            struct record_limit *l)
{
    struct sd_span body;
    if (!a->fragment.len || !sd_choice_ext(x, SD_EXT_MAX_FRAGMENT_LENGTH, &body) || body.len != 1 ||
        !body.p[0] || body.p[0] > 4)
        return false;
    *l = (struct record_limit){256U << body.p[0], "max_fragment_length"};
    return true;
}

/* Of DTLS 1.3, the server's is in its EncryptedExtensions. */
static bool server_size_limit(const struct sd_exchange *x, struct sd_span *body)
{
    struct sd_span all = sd_kept(x, SD_KEPT_ENCRYPTED_EXTENSIONS);
    if (x->version != SD_DTLS_1_3)
        return sd_choice_ext(x, SD_EXT_RECORD_SIZE_LIMIT, body);
    struct sd_rd r = sd_rd_init(all.p, all.len), block = sd_rd_vec16(&r);
    return sd_ext_find(sd_rd_rest(&block), SD_EXT_RECORD_SIZE_LIMIT, body);
}

/* Each side says what it takes, and it counts when both say so (RFC 8449 section 4). */
static bool agreed_size(const struct sd_exchange *x, const struct asked_limits *a,
                        enum sd_side sender, struct record_limit *l)
{
    struct sd_span server;
    uint16_t bytes;
    if (!a->size.len || !server_size_limit(x, &server) ||
        !sd_ext_u16(sender == SD_SERVER ? a->size : server, &bytes) || bytes < 64)
        return false;
    *l = (struct record_limit){bytes, "record_size_limit"};
    return true;
}

static void read_limits(const struct sd_exchange *x, struct record_limit of[static SD_SIDES])
{
    struct asked_limits a;
    bool asked = read_asked(x, &a);
    for (int side = SD_CLIENT; side < SD_SIDES; side++) {
        of[side] = (struct record_limit){PLAIN_MAX, NULL};
        if (asked && !agreed_size(x, &a, (enum sd_side)side, &of[side]))
            agreed_fragment(x, &a, &of[side]);
    }
}

/* The limit is one of plaintext; it holds from the ServerHello on. */
static bool exceeds(const struct sd_event *e, const struct record_limit *l)
{
    bool hello = e->kind == SD_EV_HANDSHAKE &&
                 (e->message == SD_HS_CLIENT_HELLO || e->message == SD_HS_SERVER_HELLO);
    bool record = e->kind != SD_EV_ICMP && e->kind != SD_EV_FOREIGN && e->kind != SD_EV_IP_CUT;
    return record && (!hello || !l->name) && e->record > l->bytes + (e->epoch ? CIPHER_MAX : 0);
}

static const struct sd_event *too_large(const struct sd_exchange *x, struct record_limit *l)
{
    struct record_limit of[SD_SIDES];
    read_limits(x, of);
    const struct sd_event *worst = NULL;
    for (const struct sd_event *e = x->log; e < x->log + x->count; e++) {
        enum sd_side side = sd_event_side(e);
        if (!exceeds(e, &of[side]) || (worst && e->record <= worst->record))
            continue;
        worst = e;
        *l = of[side];
    }
    return worst;
}

bool sd_record_above_limit(const struct sd_exchange *x)
{
    struct record_limit l;
    return too_large(x, &l) != NULL;
}

bool sd_rule_record_too_large(const struct sd_case *c, struct sd_finding *f)
{
    struct record_limit l;
    char name[SD_NAME_TEXT];
    const struct sd_event *e = too_large(c->x, &l);
    if (!e)
        return false;
    enum sd_side sender = sd_event_side(e), peer = sd_other(sender);
    const struct sd_event *alert = sd_view_alert(c->view, peer, -1);
    bool failed = c->outcome == SD_FAILED;
    sd_prove_bursts(f, c->view, SD_SERVER, 4, 1);
    sd_prove(f, e);
    if (alert)
        sd_prove(f, alert);
    f->severity = failed ? SD_FATAL : SD_WARNING;
    f->confidence =
        failed && (!alert || alert->message != SD_ALERT_RECORD_OVERFLOW) ? SD_MEDIUM : SD_HIGH;
    char agreed[80] = "a record has at most", answer[80] = "";
    if (l.name)
        snprintf(agreed, sizeof agreed, "%s limits it to", l.name);
    if (alert)
        snprintf(answer, sizeof answer, " The %s answers with the alert %s (%u).", side_name(peer),
                 sd_name(SD_NAME_ALERT, alert->message, name), alert->message);
    sd_say(f, "The %s sent a record of %u bytes, but %s %u bytes.%s", side_name(sender), e->record,
           agreed, l.bytes, answer);
    return true;
}
