/* SPDX-License-Identifier: MIT */
/* What an association can be asked for: another one that resumes it, and other keys. */
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "dtls_scan/checks/association.h"
#include "dtls_scan/checks/check.h"
#include "wire/extension.h"
#include "wire/names.h"

/* --- resumption --- */

/* A server that takes a ticket repeats the session id of the hello, so the hello has one. */
static enum scan_tri resumes(struct scan *s, bool by_ticket)
{
    struct puppet_session session = scan_life(s)->session;
    const struct scan_wish wish = {.resume = &session, .no_ticket = !by_ticket};
    if (by_ticket ? !session.ticket_len : !session.id_len)
        return SCAN_NO;
    if (by_ticket && sd_random(session.id, sizeof session.id))
        session.id_len = sizeof session.id;
    struct scan_association *a = scan_associate(s, &wish);
    enum scan_tri is = !scan_associated(a) ? SCAN_UNKNOWN : a->puppet.resumed ? SCAN_YES : SCAN_NO;
    scan_dissociate(a);
    return is;
}

static json_t *tri_json(enum scan_tri t)
{
    return t == SCAN_UNKNOWN ? json_null() : json_boolean(t == SCAN_YES);
}

static void check_resumption(struct scan *s, struct scan_outcome *o)
{
    if (!scan_life(s)->connected) {
        scan_not_known(o, "no session to resume: %s", scan_life_why(s));
        return;
    }
    enum scan_tri ticket = resumes(s, true), id = resumes(s, false);
    json_t *value = json_pack("{s:o,s:o}", "ticket", tri_json(ticket), "session_id", tri_json(id));
    bool open = ticket == SCAN_UNKNOWN || id == SCAN_UNKNOWN;
    if (ticket == SCAN_YES || id == SCAN_YES)
        scan_found(o, SCAN_OK, value, "resumes a session by %s",
                   ticket != SCAN_YES ? "session id"
                   : id == SCAN_YES   ? "ticket and by session id"
                                      : "ticket");
    else
        scan_found(o, open ? SCAN_NOT_KNOWN : SCAN_INFO, value,
                   open ? "an attempt to resume a session did not end"
                        : "resumes no session: each handshake is a full one");
}

/* --- renegotiation --- */

/* A ClientHello under the keys, with the verify_data of RFC 5746 where the server knows it. */
static void send_inner_hello(struct scan_association *a)
{
    uint8_t body[SCAN_HELLO_BYTES], verify[1 + PUPPET_VERIFY_LEN] = {PUPPET_VERIFY_LEN};
    struct scan_hello h = a->hello;
    struct sd_wr w = sd_wr_init(body, sizeof body);
    scan_hello_renew(&h);
    h.ext &= ~(uint32_t)SCAN_EXT_RENEGOTIATION;
    memcpy(verify + 1, a->puppet.client_verify, PUPPET_VERIFY_LEN);
    if (a->puppet.secure_renegotiation)
        scan_hello_add(&h, SD_EXT_RENEGOTIATION_INFO, verify, sizeof verify);
    scan_hello_body(&w, &h);
    const struct puppet_item hello = {.type = SD_CT_HANDSHAKE,
                                      .epoch = 1,
                                      .seq = PUPPET_NEXT,
                                      .body = {body, sd_wr_len(&w)},
                                      .message = true,
                                      .message_type = SD_HS_CLIENT_HELLO};
    scan_associate_send(a, &hello, 1);
}

struct inner_answer {
    bool hello, alert; /* a handshake message; an alert */
    uint8_t description;
};

static struct inner_answer ask_for_other_keys(struct scan_association *a)
{
    struct inner_answer r = {0};
    unsigned tries = scan_line_tries(&a->scan->line), alerts = a->puppet.alerts;
    for (unsigned i = 0; i < tries && !a->scan->line.stop && !r.hello && !r.alert; i++) {
        unsigned before = a->sealed;
        send_inner_hello(a);
        scan_associate_hear(a, sd_clock_now() + scan_answer_time(a->scan), &a->sealed, before);
        r.hello = a->answers > 0;
        r.alert = a->puppet.alerts > alerts;
        r.description = a->puppet.alert.description;
    }
    return r;
}

static void check_client_renegotiation(struct scan *s, struct scan_outcome *o)
{
    const struct scan_wish wish = {0};
    if (!scan_life(s)->connected) {
        scan_not_known(o, "no association to ask: %s", scan_life_why(s));
        return;
    }
    struct scan_association *a = scan_associate(s, &wish);
    bool asked = scan_associated(a);
    struct inner_answer r = asked ? ask_for_other_keys(a) : (struct inner_answer){0};
    scan_dissociate(a);
    bool secure = s->facts.life.secure_renegotiation;
    const char *how = secure ? "supports secure renegotiation (RFC 5746)"
                             : "does not support secure renegotiation (RFC 5746)";
    json_t *value = json_pack("{s:b,s:b}", "secure", secure, "client_may_start", r.hello);
    if (!asked)
        scan_found(o, SCAN_NOT_KNOWN, value, "%s; the association to ask it did not come about",
                   how);
    else if (r.hello)
        scan_found(o, secure ? SCAN_LOW : SCAN_HIGH, value,
                   "%s, and a client may start a renegotiation%s", how,
                   secure ? "" : ": others can put their data before a client's (CVE-2009-3555)");
    else if (r.alert)
        scan_found(o, secure ? SCAN_OK : SCAN_LOW, value,
                   "%s; refuses a renegotiation that the client starts", how);
    else
        scan_found(o, secure ? SCAN_OK : SCAN_LOW, value,
                   "%s; does not answer a renegotiation that the client starts", how);
}

/* --- pre-shared keys --- */

/* Only the identity goes to the server: what follows depends on the key alone, and a server that is
 * left there takes our alert for the end. */
static void say_who_alone(void *arg, struct puppet *p, struct puppet_flight *f)
{
    struct puppet_item *exchange = puppet_flight_find(f, SD_HS_CLIENT_KEY_EXCHANGE);
    (void)arg, (void)p;
    while (exchange && &f->item[f->count - 1] != exchange)
        puppet_flight_drop(f, f->count - 1);
}

static void name_nobody(char name[static 24])
{
    uint8_t random[8] = {0};
    sd_random(random, sizeof random);
    snprintf(name, 24, "nobody-%02x%02x%02x%02x%02x", random[0], random[1], random[2], random[3],
             random[4]);
}

/* RFC 4279 section 2 lets a server choose: unknown_psk_identity, or to go on as if it knew it. */
static void check_psk_identities(struct scan *s, struct scan_outcome *o)
{
    char name[24], none[SD_NAME_TEXT];
    name_nobody(name);
    const struct scan_wish wish = {.stranger = name, .brief = true, .edit = say_who_alone};
    struct scan_association *a = scan_associate(s, &wish);
    const struct puppet *p = a ? &a->puppet : NULL;
    if (s->line.stop)
        scan_not_known(o, "the scan ended before");
    else if (!p || !p->answered)
        scan_not_run(o, "the server accepts no suite with a pre-shared key");
    else if (p->end == PUPPET_END_ALERT)
        scan_found(o, SCAN_LOW, json_true(),
                   "an unknown identity gets the alert %s: identities can be found by trying",
                   sd_name(SD_NAME_ALERT, p->alert.description, none));
    else if (p->end == PUPPET_END_TIMEOUT)
        scan_found(o, SCAN_OK, json_false(),
                   "an unknown identity is taken as if it were known: nobody learns which exist");
    else
        scan_not_known(o, "the handshake to ask with did not come about");
    scan_dissociate(a);
}

const struct scan_check scan_session_checks[] = {
    {"resumption", "Resumption", SCAN_GROUP_CRYPTO, 0, check_resumption},
    {"renegotiation", "Renegotiation by client", SCAN_GROUP_CRYPTO, 0, check_client_renegotiation},
    {"psk-identities", "Identities of PSK", SCAN_GROUP_CRYPTO, SCAN_LATE, check_psk_identities},
};
const size_t scan_session_count = sizeof scan_session_checks / sizeof *scan_session_checks;
