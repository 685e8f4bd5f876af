/* SPDX-License-Identifier: MIT */
/* Weaknesses: can the server's clients be killed, and does it accept what it must not? */
#include <string.h>

#include "base/random.h"
#include "dtls_scan/checks/association.h"
#include "dtls_scan/checks/check.h"
#include "dtls_scan/checks/forgery.h"
#include "dtls_scan/checks/ticket.h"

_Static_assert((int)SCAN_FORGERY_COUNT <= (int)SCAN_KILLERS, "facts have room for every forgery");

/* True when there is nothing to look at; says why. */
static bool nothing_alive(struct scan *s, struct scan_outcome *o)
{
    const struct scan_life *l = scan_life(s);
    if (!l->connected)
        scan_not_known(o, "no association to look at: %s", scan_life_why(s));
    return !l->connected;
}

/* --- forgeries --- */

static const char *known_bug(enum scan_forgery kind)
{
    if (kind == SCAN_FORGERY_ETM)
        return " (those of OpenSSL do, issue 24972)";
    if (kind == SCAN_FORGERY_SHORT)
        return " (those of OpenSSL 1.1.1 to 4.0 do)";
    return "";
}

static void check_forgery(struct scan *s, struct scan_outcome *o, enum scan_forgery kind,
                          const char *what)
{
    const struct scan_life *l = scan_life(s);
    if (nothing_alive(s, o))
        return;
    if (!scan_life_pings(l) && !l->closes) {
        scan_not_known(o, "the server answers nothing under the keys, so nobody can tell whether "
                          "it lives");
        return;
    }
    enum scan_tri killed = scan_killed_by(s, kind);
    if (killed == SCAN_YES)
        scan_found(o, SCAN_HIGH, json_true(),
                   "an association dies of %s%s: anybody who knows the addresses can disconnect a "
                   "client",
                   what, known_bug(kind));
    else if (killed == SCAN_NO)
        scan_found(o, SCAN_OK, json_false(), "an association survives %s", what);
    else if (kind == SCAN_FORGERY_ETM && !s->line.stop)
        scan_not_run(o, "the server accepts no CBC suite");
    else
        scan_not_known(o, "no association came about to try it on");
}

#define SCAN_X(name, id, title, what)                                                              \
    static void check_forgery_##name(struct scan *s, struct scan_outcome *o)                       \
    {                                                                                              \
        check_forgery(s, o, SCAN_FORGERY_##name, what);                                            \
    }
SCAN_FORGERIES(SCAN_X)
#undef SCAN_X

/* Records of epoch 1 that come before the server can have keys: 64 kB of them. */
static void send_early_records(void *arg, struct puppet *p, struct puppet_flight *f)
{
    enum { EARLY_RECORDS = 46, EARLY_LEN = 1400 - 13 };
    static const uint8_t body[EARLY_LEN];
    const struct puppet_item early = {.type = SD_CT_APPDATA,
                                      .epoch = 1,
                                      .plain = true,
                                      .seq = PUPPET_NEXT,
                                      .body = {body, sizeof body},
                                      .alone = true};
    (void)arg, (void)f;
    for (unsigned i = 0; i < EARLY_RECORDS; i++)
        puppet_send(p, &early, 1);
}

static void check_early_records(struct scan *s, struct scan_outcome *o)
{
    enum { TRIES = 2 };
    const struct scan_wish wish = {.edit = send_early_records};
    bool lives = false;
    if (nothing_alive(s, o))
        return;
    for (unsigned i = 0; i < TRIES && !lives && !s->line.stop; i++) {
        struct scan_association *a = scan_associate(s, &wish);
        lives = scan_associated(a);
        scan_dissociate(a);
    }
    if (lives)
        scan_found(o, SCAN_OK, json_false(), "a handshake survives 64 kB of early records");
    else if (!scan_still_associates(s))
        scan_not_known(o, "the server serves nobody since then");
    else
        scan_found(o, SCAN_MEDIUM, json_true(),
                   "64 kB of records that come before their keys end a handshake");
}

/* --- what must not be accepted --- */

static void finished_in_plaintext(void *arg, struct puppet *p, struct puppet_flight *f)
{
    struct puppet_item *finished = puppet_flight_find(f, SD_HS_FINISHED);
    (void)arg, (void)p;
    if (finished)
        finished->epoch = 0;
}

static void finished_wrong(void *arg, struct puppet *p, struct puppet_flight *f)
{
    struct puppet_item *finished = puppet_flight_find(f, SD_HS_FINISHED);
    (void)arg, (void)p;
    if (finished)
        puppet_flight_body(f, finished)[0] ^= 1;
}

static void finished_without_ccs(void *arg, struct puppet *p, struct puppet_flight *f)
{
    (void)arg, (void)p;
    for (size_t i = 0; i < f->count; i++)
        if (f->item[i].type == SD_CT_CCS)
            puppet_flight_drop(f, i);
}

static void key_exchange_left_out(void *arg, struct puppet *p, struct puppet_flight *f)
{
    (void)arg, (void)p;
    for (size_t i = 0; i < f->count; i++)
        if (f->item[i].message && f->item[i].message_type == SD_HS_CLIENT_KEY_EXCHANGE)
            puppet_flight_drop(f, i);
}

/* Accepted is what the server's own Finished follows, under the keys. Refused is what an alert
 * follows, or what the server waits after: the right flight still ends the handshake. */
static enum scan_tri accepts_flight(struct scan *s, const struct scan_wish *wish)
{
    struct scan_association *a = scan_associate(s, wish);
    bool accepted = scan_associated(a) && a->finished;
    bool keyed = a && a->puppet.keyed;
    bool refused = keyed && !accepted && (a->puppet.end == PUPPET_END_ALERT || scan_amends(a));
    scan_dissociate(a);
    if (!accepted && !refused && keyed && !s->line.stop)
        refused = scan_serves(s);
    return accepted ? SCAN_YES : refused ? SCAN_NO : SCAN_UNKNOWN;
}

static void check_handshake(struct scan *s, struct scan_outcome *o,
                            void (*edit)(void *, struct puppet *, struct puppet_flight *),
                            enum scan_level level, const char *what)
{
    const struct scan_wish wish = {.edit = edit, .brief = true};
    if (nothing_alive(s, o))
        return;
    enum scan_tri accepted = accepts_flight(s, &wish);
    /* Where datagrams are lost, one try may not have arrived. */
    if (accepted == SCAN_NO && s->line.repeated)
        accepted = accepts_flight(s, &wish);
    if (accepted == SCAN_UNKNOWN || s->line.stop)
        scan_not_known(o, "no handshake came far enough to try it, or none comes about since then");
    else if (accepted == SCAN_YES)
        scan_found(o, level, json_true(), "accepts %s", what);
    else
        scan_found(o, SCAN_OK, json_false(), "does not accept %s", what);
}

static void check_plain_finished(struct scan *s, struct scan_outcome *o)
{
    check_handshake(s, o, finished_in_plaintext, SCAN_CRITICAL, "a Finished in plaintext");
}

static void check_wrong_finished(struct scan *s, struct scan_outcome *o)
{
    check_handshake(s, o, finished_wrong, SCAN_CRITICAL, "a wrong Finished");
}

static void check_no_ccs(struct scan *s, struct scan_outcome *o)
{
    check_handshake(s, o, finished_without_ccs, SCAN_LOW,
                    "a Finished without the ChangeCipherSpec before it");
}

static void check_no_key_exchange(struct scan *s, struct scan_outcome *o)
{
    check_handshake(s, o, key_exchange_left_out, SCAN_CRITICAL,
                    "a ChangeCipherSpec and Finished before the ClientKeyExchange");
}

/* It still answers what it should: silence to what it should not was an answer. */
static bool answers_still(struct scan *s, struct scan_association *a)
{
    return scan_ping(a, PUPPET_NEXT, PUPPET_SOUND, scan_line_tries(&s->line));
}

/* A server may say its Finished again for another reason: one answer is none. */
static bool answers_changed_mac(struct scan *s, struct scan_association *a)
{
    unsigned answers = scan_ping_burst(a, PUPPET_SPOIL_MAC, scan_line_tries(&s->line));
    return answers >= 2 && !a->puppet.alerts;
}

static bool plain_data_echoed(struct scan *s, struct scan_association *a)
{
    unsigned tries = scan_line_tries(&s->line);
    for (unsigned i = 0; i < tries && !a->echoed; i++) {
        unsigned before = a->data;
        scan_say_token(a, PUPPET_NEXT, true, PUPPET_SOUND);
        scan_associate_hear(a, sd_clock_now() + scan_answer_time(s), &a->data, before);
    }
    return a->echoed;
}

/* `taken`: the server took what an association must not take. */
static void check_records(struct scan *s, struct scan_outcome *o,
                          bool (*taken)(struct scan *, struct scan_association *), const char *what)
{
    const struct scan_wish wish = {0};
    struct scan_association *a = scan_associate(s, &wish);
    bool tried = scan_associated(a);
    bool accepted = tried && taken(s, a);
    bool heard = tried && (accepted || a->puppet.end == PUPPET_END_ALERT || answers_still(s, a));
    scan_dissociate(a);
    if (!tried || s->line.stop)
        scan_not_known(o, "no association came about to try it on");
    else if (!heard)
        scan_not_known(o, "the server says nothing more after it");
    else if (accepted)
        scan_found(o, SCAN_CRITICAL, json_true(), "accepts %s", what);
    else
        scan_found(o, SCAN_OK, json_false(), "does not accept %s", what);
}

static void check_changed_mac(struct scan *s, struct scan_outcome *o)
{
    if (nothing_alive(s, o))
        return;
    if (scan_life_pings(&s->facts.life))
        check_records(s, o, answers_changed_mac, "a record with a changed MAC");
    else
        scan_not_known(o, "the server answers nothing that could be changed");
}

static void check_plain_data(struct scan *s, struct scan_outcome *o)
{
    if (nothing_alive(s, o))
        return;
    if (s->facts.life.echoes)
        check_records(s, o, plain_data_echoed, "application data in plaintext");
    else
        scan_not_known(o, "the server does not echo, so nobody can tell what it accepts");
}

/* --- what must not repeat --- */

static void check_repeated_values(struct scan *s, struct scan_outcome *o)
{
    const struct scan_seen *seen = &s->facts.seen;
    if (nothing_alive(s, o))
        return;
    json_t *value =
        json_pack("{s:b,s:b,s:b,s:b,s:b}", "random", seen->same_random != 0, "session_id",
                  seen->same_id != 0, "nonce", seen->nonce_twice != 0, "record_number",
                  seen->sealed_twice != 0, "key_share", seen->same_share != 0);
    if (seen->same_random)
        scan_found(o, SCAN_CRITICAL, value, "uses a ServerHello.random more than once");
    else if (seen->nonce_twice)
        scan_found(o, SCAN_CRITICAL, value,
                   "encrypts two records with one nonce: who hears them can forge others");
    else if (seen->sealed_twice)
        scan_found(o, SCAN_HIGH, value, "gives two encrypted records the same number");
    else if (seen->same_id)
        scan_found(o, SCAN_MEDIUM, value, "gives two new sessions the same session id");
    else if (seen->same_share)
        scan_found(
            o, SCAN_LOW, value,
            "uses a key of ECDHE or DHE for more than one client: who gets that key reads all "
            "of them");
    else
        scan_found(
            o, SCAN_OK, value,
            "no random, session id, key share, nonce or record number repeats in %u handshakes "
            "and %u encrypted records",
            seen->count, seen->sealed);
}

/* --- tickets --- */

/* GnuTLS 3.6.4 to 3.6.13, until the key was rotated. */
static void check_ticket_key(struct scan *s, struct scan_outcome *o)
{
    if (nothing_alive(s, o))
        return;
    const struct puppet_session *session = &s->facts.life.session;
    if (!session->ticket_len)
        scan_not_run(o, "the server gives no session ticket");
    else if (scan_ticket_key_is_zero((struct sd_span){session->ticket, session->ticket_len}))
        scan_found(
            o, SCAN_CRITICAL, json_true(),
            "protects its session tickets with a key of zeros: anybody can read its sessions "
            "(CVE-2020-13777)");
    else
        scan_found(o, SCAN_OK, json_false(),
                   "does not protect its session tickets with a key of zeros");
}

/* --- heartbeat --- */

enum { BEAT_PADDING = 16, BEAT_HONEST = 16, BEAT_BLEED = BEAT_HONEST + BEAT_PADDING + 1 };

/* Heartbleed: the request claims one byte more than it and its padding have. A server that answers
 * gives away one byte of its memory, and no more. */
static void send_heartbeat(struct scan_association *a, bool honest)
{
    uint8_t body[3 + BEAT_HONEST + BEAT_PADDING];
    struct sd_wr w = sd_wr_init(body, sizeof body);
    sd_wr_u8(&w, 1);
    sd_wr_u16(&w, honest ? BEAT_HONEST : BEAT_BLEED);
    sd_wr_bytes(&w, "dtls_scan asks..0123456789abcdef", 32);
    const struct puppet_item item = {
        .type = SD_CT_HEARTBEAT, .epoch = 1, .seq = PUPPET_NEXT, .body = {body, sd_wr_len(&w)}};
    scan_associate_send(a, &item, 1);
}

static bool heartbeat_answered(struct scan_association *a, bool honest)
{
    unsigned tries = scan_line_tries(&a->scan->line), before = a->heartbeats;
    for (unsigned i = 0; i < tries && a->heartbeats == before; i++) {
        send_heartbeat(a, honest);
        scan_associate_hear(a, sd_clock_now() + scan_answer_time(a->scan), &a->heartbeats, before);
    }
    /* Not the answer to an earlier one. */
    return a->heartbeats > before && a->heartbeat_payload == (honest ? BEAT_HONEST : BEAT_BLEED);
}

static void check_heartbleed(struct scan *s, struct scan_outcome *o)
{
    const struct scan_wish wish = {.ext = SCAN_EXT_HEARTBEAT};
    if (nothing_alive(s, o))
        return;
    if (!s->facts.life.heartbeat) {
        scan_found(o, SCAN_OK, json_false(), "does not offer heartbeats (RFC 6520)");
        return;
    }
    struct scan_association *a = scan_associate(s, &wish);
    bool tried = scan_associated(a);
    bool honest = tried && heartbeat_answered(a, true);
    bool bleeds = tried && heartbeat_answered(a, false);
    scan_dissociate(a);
    json_t *value = json_pack("{s:b,s:b}", "answers", honest, "heartbleed", bleeds);
    if (!tried || s->line.stop)
        scan_found(o, SCAN_NOT_KNOWN, value, "offers heartbeats; no association came about to ask");
    else if (bleeds)
        scan_found(o, SCAN_CRITICAL, value,
                   "answers a heartbeat that claims more than it has: it gives away its memory "
                   "(Heartbleed, CVE-2014-0160)");
    else
        scan_found(o, SCAN_INFO, value, "offers heartbeats, %s; none that claims too much",
                   honest ? "and answers them" : "and answers none");
}

/* --- padding oracle --- */

/* What a client sees of it. */
struct reaction {
    bool alert, alive;
    uint8_t description;
};

static bool react_to(struct scan *s, enum puppet_spoil spoil, struct reaction *r)
{
    const struct scan_wish wish = {.cbc = true};
    struct scan_association *a = scan_associate(s, &wish);
    bool tried = scan_associated(a) && !a->puppet.encrypt_then_mac;
    if (tried) {
        unsigned before = a->puppet.alerts;
        scan_say_token(a, PUPPET_NEXT, false, spoil);
        scan_associate_hear(a, sd_clock_now() + scan_answer_time(s), &a->puppet.alerts, before);
        r->alert = a->puppet.alerts > before;
        r->description = r->alert ? a->puppet.alert.description : 0;
        r->alive = scan_alive(a);
    }
    scan_dissociate(a);
    return tried;
}

static bool reactions_differ(const struct reaction *r, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (r[i].alert != r[0].alert || r[i].description != r[0].description ||
            r[i].alive != r[0].alive)
            return true;
    return false;
}

/* Once is bad luck: only a difference that is there in each of three rounds counts. */
static void check_padding_oracle(struct scan *s, struct scan_outcome *o)
{
    enum { ROUNDS = 3, KINDS = 3 };
    static const enum puppet_spoil kinds[KINDS] = {PUPPET_SPOIL_MAC, PUPPET_SPOIL_PADDING,
                                                   PUPPET_SPOIL_BOTH};
    bool differ = true, tried = true;
    if (nothing_alive(s, o))
        return;
    for (unsigned round = 0; round < ROUNDS && differ && tried; round++) {
        struct reaction r[KINDS] = {{0}};
        for (unsigned k = 0; k < KINDS && tried; k++)
            tried = react_to(s, kinds[k], &r[k]);
        differ = tried && reactions_differ(r, KINDS);
    }
    if (s->line.stop)
        scan_not_known(o, "the scan ended before");
    else if (!tried)
        scan_not_run(o, "the server accepts no CBC suite without encrypt-then-MAC");
    else if (differ)
        scan_found(o, SCAN_HIGH, json_true(),
                   "answers a wrong padding otherwise than a wrong MAC: a padding oracle");
    else
        scan_found(o, SCAN_OK, json_false(),
                   "answers a wrong padding and a wrong MAC in the same way");
}

#define SCAN_X(name, id, title, what) {id, title, SCAN_GROUP_WEAKNESS, 0, check_forgery_##name},
const struct scan_check scan_weakness_checks[] = {
    SCAN_FORGERIES(SCAN_X){"early-records", "Early records", SCAN_GROUP_WEAKNESS, 0,
                           check_early_records},
    {"plain-finished", "Finished in plaintext", SCAN_GROUP_WEAKNESS, SCAN_LATE,
     check_plain_finished},
    {"wrong-finished", "Wrong Finished", SCAN_GROUP_WEAKNESS, SCAN_LATE, check_wrong_finished},
    {"no-ccs", "No ChangeCipherSpec", SCAN_GROUP_WEAKNESS, SCAN_LATE, check_no_ccs},
    {"early-ccs", "Early ChangeCipherSpec", SCAN_GROUP_WEAKNESS, SCAN_LATE, check_no_key_exchange},
    {"plain-data", "Data in plaintext", SCAN_GROUP_WEAKNESS, 0, check_plain_data},
    {"changed-mac", "Changed MAC", SCAN_GROUP_WEAKNESS, 0, check_changed_mac},
    {"repeated-values", "Values that repeat", SCAN_GROUP_WEAKNESS, 0, check_repeated_values},
    {"ticket-key", "Key of tickets", SCAN_GROUP_WEAKNESS, 0, check_ticket_key},
    {"heartbleed", "Heartbleed", SCAN_GROUP_WEAKNESS, 0, check_heartbleed},
    {"padding-oracle", "CBC padding oracle", SCAN_GROUP_WEAKNESS, SCAN_INTRUSIVE,
     check_padding_oracle},
};
#undef SCAN_X
const size_t scan_weakness_count = sizeof scan_weakness_checks / sizeof *scan_weakness_checks;
