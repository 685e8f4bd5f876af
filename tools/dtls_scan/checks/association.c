/* SPDX-License-Identifier: MIT */
#include "dtls_scan/checks/association.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "dtls_scan/login.h"

enum { HEAR_MOST = 4096 };
/* Retransmissions that a handshake can do without when it is likely refused; scan_line_tries() is 4
 * when nothing was lost so far. */
enum { BRIEFER = 3 };

/* --- what comes --- */

static void note_sealed(struct scan_association *a, const struct sd_record *rec)
{
    struct sd_rd r = sd_rd_init(rec->body.p, rec->body.len);
    if (a->seals == SCAN_SEALED)
        return;
    a->seal[a->seals++] =
        (struct scan_sealed){.seq = rec->seq,
                             .epoch = rec->epoch,
                             .nonce = sd_rd_uint(&r, 8),
                             .sum = sd_hash((struct sd_hash_key){0}, rec->body.p, rec->body.len)};
}

static void note_answer_data(struct scan_association *a, struct sd_span data)
{
    a->data++;
    a->said_len = data.len < sizeof a->said ? data.len : sizeof a->said;
    if (data.len)
        memcpy(a->said, data.p, a->said_len);
    a->echoed |= data.len >= sizeof a->token && memmem(data.p, data.len, a->token, sizeof a->token);
}

static void note_content(struct scan_association *a, const struct puppet_heard *h)
{
    struct sd_rd r = sd_rd_init(h->body.p, h->body.len);
    uint8_t first = sd_rd_u8(&r);
    a->sealed++;
    if (h->type == SD_CT_HANDSHAKE && first == SD_HS_FINISHED) {
        a->finished++;
    } else if (h->type == SD_CT_HANDSHAKE) {
        a->answers++;
        a->answer_type = first;
    } else if (h->type == SD_CT_APPDATA) {
        note_answer_data(a, h->body);
    } else if (h->type == SD_CT_HEARTBEAT) {
        a->heartbeats++;
        a->heartbeat_payload = (unsigned)sd_rd_u16(&r);
    }
}

static void note_arrival(struct scan_association *a, const struct puppet_heard *h)
{
    struct sd_rd r = sd_rd_init(h->body.p, h->body.len);
    struct sd_handshake m;
    if (h->type != SD_CT_HANDSHAKE)
        return;
    a->arrivals++;
    sd_handshake_next(&r, &m);
    if (m.type != SD_HS_SERVER_HELLO || m.frag_off)
        return;
    if (a->flights < SCAN_FLIGHTS)
        a->flight_at[a->flights] = h->at;
    a->flights++;
}

static void hear_for_association(void *arg, struct puppet *p, const struct puppet_heard *h)
{
    struct scan_association *a = arg;
    (void)p;
    if (!h->opened)
        return;
    if (!h->rec->epoch) {
        note_arrival(a, h);
        return;
    }
    note_sealed(a, h->rec);
    note_content(a, h);
}

static void send_for_association(void *arg, const uint8_t *datagram, size_t len)
{
    struct scan_association *a = arg;
    if (a->left)
        scan_port_farewell(&a->port, datagram, len);
    else
        scan_port_send(&a->port, datagram, len);
}

static void edit_for_association(void *arg, struct puppet *p, struct puppet_flight *f)
{
    struct scan_association *a = arg;
    bool answer = puppet_flight_find(f, SD_HS_FINISHED);
    if (answer && a->wish.mute) {
        p->still = true;
        puppet_flight_clear(f);
    } else if (answer && a->wish.edit) {
        a->wish.edit(a, p, f);
    }
}

/* --- the time --- */

sd_time scan_answer_time(const struct scan *s)
{
    return scan_line_wait(&s->line, 0);
}

/* One datagram, or a timer; false when the line has stopped. */
static bool step(struct scan_association *a, sd_time until)
{
    struct puppet *p = &a->puppet;
    size_t len;
    sd_time next = p->deadline < until ? p->deadline : until;
    enum scan_heard heard = scan_port_hear(&a->port, a->datagram, &len, next);
    if (heard == SCAN_HEARD_DATAGRAM)
        puppet_input(p, a->datagram, len, sd_clock_now());
    puppet_timer(p, sd_clock_now());
    return heard != SCAN_HEARD_STOP;
}

void scan_associate_hear(struct scan_association *a, sd_time until, const unsigned *counter,
                         unsigned before)
{
    for (unsigned i = 0; i < HEAR_MOST && sd_clock_now() < until; i++)
        if (!step(a, until) || (counter && *counter > before) || a->puppet.stage == PUPPET_ENDED)
            return;
}

static bool decided(const struct scan_association *a)
{
    return a->puppet.stage >= (a->wish.mute ? PUPPET_ANSWERED : PUPPET_CONNECTED);
}

/* --- from the hello to the alert --- */

/* Suites with a pre-shared key are for whoever has one; some servers answer no hello with others.
 */
static bool fits_login(const struct scan_association *a, bool psk)
{
    const struct scan *s = a->scan;
    bool has_key = s->login && s->login->psk.len;
    if (a->wish.stranger || (has_key && s->facts.psk_only))
        return psk;
    return has_key || !psk;
}

static bool movable(const struct scan_association *a, uint16_t suite)
{
    struct puppet_exchange x;
    const struct sd_suite *s = sd_suite_find(suite);
    if (!s || !puppet_exchange_of(suite, &x) || !fits_login(a, x.psk))
        return false;
    return (!a->wish.cbc || s->kind == SD_SUITE_CBC) &&
           (!a->wish.rsa || x.kind == PUPPET_SECRET_RSA);
}

static void choose_suites(struct scan_association *a)
{
    struct scan_hello *h = &a->hello;
    unsigned kept = 0;
    for (unsigned i = 0; i < h->suite_count; i++)
        if (movable(a, h->suites[i]))
            h->suites[kept++] = h->suites[i];
    h->suite_count = kept;
}

/* The suites, groups and extensions of a hello as the puppet wants them: out of its message. */
static bool make_offer(struct scan_association *a, struct puppet_offer *o)
{
    struct sd_client_hello ch;
    struct sd_wr w = sd_wr_init(a->body, sizeof a->body);
    scan_hello_body(&w, &a->hello);
    const struct sd_span body = {a->body, sd_wr_len(&w)};
    if (sd_client_hello_parse(&ch, body, body.len) != SD_HELLO_WHOLE)
        return false;
    *o = (struct puppet_offer){.version = ch.version,
                               .suites = ch.suites,
                               .extensions = ch.extensions,
                               .resume = a->wish.resume,
                               .no_ticket = a->wish.no_ticket};
    return true;
}

static void choose_hello(struct scan_association *a)
{
    struct scan_hello *h = &a->hello;
    const struct scan *s = a->scan;
    bool old = s->facts.version[SCAN_V12].accepted == SCAN_NO &&
               s->facts.version[SCAN_V10].accepted == SCAN_YES;
    scan_hello_init(h, old ? SD_DTLS_1_0 : SD_DTLS_1_2);
    if (s->asker.has_control) {
        h->server_name = s->asker.control.server_name;
        h->alpn = s->asker.control.alpn;
        h->srtp = s->asker.control.srtp;
    }
    h->ext |= a->wish.ext;
    choose_suites(a);
}

/* As whom it shakes hands. */
static void choose_login(struct scan_association *a, struct puppet_config *c)
{
    const struct scan_login *l = a->scan->login;
    if (l) {
        c->login = l->certificate;
        c->identity = l->identity;
        c->key = l->psk;
    }
    if (!a->wish.stranger)
        return;
    if (!sd_random(a->guess, sizeof a->guess))
        memset(a->guess, 1, sizeof a->guess);
    c->identity = (struct sd_span){(const uint8_t *)a->wish.stranger, strlen(a->wish.stranger)};
    c->key = (struct sd_span){a->guess, sizeof a->guess};
}

static bool begin_association(struct scan_association *a)
{
    struct scan_line *l = &a->scan->line;
    struct puppet_config c = {.first_timeout = scan_line_wait(l, 0),
                              .longest_timeout =
                                  (a->wish.brief && a->wish.edit ? 1 : 2) * scan_line_wait(l, 0),
                              .retransmissions = scan_line_tries(l) - (a->wish.brief ? BRIEFER : 0),
                              .arg = a,
                              .first_message = a->wish.message,
                              .skip = a->wish.skip,
                              .edit_once = a->wish.once,
                              .send = send_for_association,
                              .edit = edit_for_association,
                              .heard = hear_for_association};
    choose_hello(a);
    choose_login(a, &c);
    return a->hello.suite_count && make_offer(a, &c.offer) && scan_port_open(&a->port, l) &&
           puppet_begin(&a->puppet, &c, sd_clock_now());
}

struct scan_association *scan_associate(struct scan *s, const struct scan_wish *w)
{
    struct scan_association *a = s->line.stop ? NULL : calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->scan = s;
    a->wish = *w;
    a->port.fd = -1;
    if (!begin_association(a)) {
        scan_dissociate(a);
        return NULL;
    }
    for (unsigned i = 0; i < HEAR_MOST && !decided(a) && step(a, SD_NEVER); i++)
        ;
    /* What is refused on purpose is no loss. */
    s->line.asked += !w->edit && !w->message && !w->skip;
    s->line.repeated += !w->edit && !w->message && !w->skip && a->puppet.retransmitted;
    if (s->line.stop) {
        scan_dissociate(a);
        return NULL;
    }
    return a;
}

bool scan_amends(struct scan_association *a)
{
    struct puppet *p = &a->puppet;
    puppet_amend(p, sd_clock_now());
    for (unsigned i = 0; i < HEAR_MOST && p->stage == PUPPET_ANSWERED; i++)
        if (!step(a, SD_NEVER))
            break;
    return scan_associated(a) && p->finished_sound;
}

/* A server that serves one client at a time reads the next hello as part of this association,
 * unless it gets a moment to end it. */
static void say_goodbye(struct scan_association *a)
{
    const sd_time moment = 30 * SD_MS + a->scan->line.rtt;
    struct puppet *p = &a->puppet;
    if (a->wish.stranger) { /* it has no keys to go on with */
        scan_port_goodbye(&a->port, p->version, p->next_seq[0]);
        return;
    }
    scan_amends(a);
    a->left = true;
    puppet_leave(p);
    p->still = true;
    scan_associate_hear(a, sd_clock_now() + moment, &p->alerts, p->alerts);
}

void scan_dissociate(struct scan_association *a)
{
    if (!a)
        return;
    if (a->port.fd >= 0 && a->puppet.sent_datagrams && a->puppet.end != PUPPET_END_ALERT &&
        !a->left)
        say_goodbye(a);
    scan_see(&a->scan->facts.seen, a);
    scan_port_close(&a->port);
    puppet_fini(&a->puppet);
    free(a);
}

bool scan_associated(const struct scan_association *a)
{
    return a && a->puppet.stage == PUPPET_CONNECTED;
}

bool scan_serves(struct scan *s)
{
    enum { TRIES = 2 };
    const struct scan_wish plain = {0};
    bool yes = false;
    for (unsigned i = 0; i < TRIES && !yes && !s->line.stop; i++) {
        struct scan_association *a = scan_associate(s, &plain);
        yes = scan_associated(a);
        scan_dissociate(a);
    }
    return yes;
}

bool scan_still_associates(struct scan *s)
{
    bool yes = scan_serves(s);
    if (!yes && !s->line.stop)
        s->line.stop = SCAN_STOP_MUTE;
    return yes;
}

/* --- what the checks send --- */

void scan_associate_send(struct scan_association *a, const struct puppet_item *items, size_t count)
{
    puppet_send(&a->puppet, items, count);
}

void scan_repeat_finished(struct scan_association *a, uint64_t seq, bool whole,
                          enum puppet_spoil spoil)
{
    struct puppet_flight *f = &a->puppet.flight;
    struct puppet_item *finished = puppet_flight_find(f, SD_HS_FINISHED);
    if (!finished)
        return;
    finished->seq = seq;
    finished->spoil = spoil;
    if (whole)
        puppet_send(&a->puppet, f->item, f->count);
    else
        puppet_send(&a->puppet, finished, 1);
    finished->seq = PUPPET_NEXT;
    finished->spoil = PUPPET_SOUND;
}

void scan_say_token(struct scan_association *a, uint64_t seq, bool plain, enum puppet_spoil spoil)
{
    uint8_t random[sizeof a->token / 2], text[sizeof a->token + 1];
    a->echoed = false;
    if (!sd_random(random, sizeof random))
        memset(random, 0, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        a->token[2 * i] = (uint8_t)('a' + random[i] % 16);
        a->token[2 * i + 1] = (uint8_t)('a' + random[i] / 16);
    }
    memcpy(text, a->token, sizeof a->token);
    text[sizeof a->token] = '\n';
    const struct puppet_item item = {.type = SD_CT_APPDATA,
                                     .epoch = !plain,
                                     .seq = seq,
                                     .body = {text, sizeof text},
                                     .spoil = spoil};
    puppet_send(&a->puppet, &item, 1);
}
