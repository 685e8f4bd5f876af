/* SPDX-License-Identifier: MIT */
/* Behaviour under loss and change: retransmission, repetition, order, restart, replay. */
#include <string.h>

#include "common/words.h"
#include "dtls_scan/checks/association.h"
#include "dtls_scan/checks/check.h"

/* UDP payload of the smallest IPv6 MTU (RFC 8200 section 5). */
enum { SAFE_DATAGRAM = 1280 - 40 - 8 };

/* --- a flight that is not answered --- */

/* Sees the first two retransmissions of the usual timer (after 1 s and 3 s). */
static const sd_time mute_time = 3600 * SD_MS;
/* A flight begins with the ServerHello; copies of one flight are closer than this. */
static const sd_time same_flight = 40 * SD_MS;

static void learn_times(struct scan_mute *m, const struct scan_association *a)
{
    sd_time first = 0, last = 0;
    for (unsigned i = 0; i < a->flights && i < SCAN_FLIGHTS; i++) {
        sd_time at = a->flight_at[i];
        if (last && at < last + same_flight)
            continue;
        first = first ? first : at;
        if (last && m->count < SCAN_MUTE_TIMES)
            m->after_ms[m->count++] = (unsigned)((at - first + SD_MS / 2) / SD_MS);
        last = at;
    }
}

/* Two retransmissions are enough to see the timer. */
static void wait_for_flights(struct scan_association *a)
{
    enum { FLIGHTS = 3 };
    sd_time until = sd_clock_now() + mute_time;
    while (sd_clock_now() < until && a->flights < FLIGHTS && !a->scan->line.stop)
        scan_associate_hear(a, until, &a->flights, a->flights);
}

/* The hello that the server has answered, out of the transcript. */
static bool same_hello(const struct puppet *p, struct puppet_item *hello)
{
    struct sd_rd r = sd_rd_init(p->transcript.bytes, p->transcript.len);
    struct sd_handshake h;
    if (sd_handshake_next(&r, &h) != SD_HANDSHAKE_OK)
        return false;
    *hello = (struct puppet_item){.type = SD_CT_HANDSHAKE,
                                  .version = SD_DTLS_1_0,
                                  .seq = PUPPET_NEXT,
                                  .body = h.body,
                                  .message = true,
                                  .message_type = h.type,
                                  .message_seq = h.message_seq};
    return true;
}

/* The server's timer is long now: an answer is one to the hello. */
static bool flight_comes_again(struct scan_association *a)
{
    struct puppet_item hello;
    unsigned tries = scan_line_tries(&a->scan->line);
    if (!same_hello(&a->puppet, &hello))
        return false;
    for (unsigned i = 0; i < tries && !a->scan->line.stop; i++) {
        unsigned before = a->arrivals;
        scan_associate_send(a, &hello, 1);
        scan_associate_hear(a, sd_clock_now() + scan_answer_time(a->scan), &a->arrivals, before);
        if (a->arrivals > before)
            return true;
    }
    return false;
}

/* One association for both questions, because it takes the longest. */
const struct scan_mute *scan_mute(struct scan *s)
{
    struct scan_mute *m = &s->facts.mute;
    const struct scan_wish wish = {.mute = true};
    if (m->asked || s->line.stop)
        return m;
    struct scan_association *a = scan_associate(s, &wish);
    m->asked = true;
    m->flight = a && a->puppet.stage == PUPPET_ANSWERED;
    if (m->flight) {
        wait_for_flights(a);
        learn_times(m, a);
        m->again = flight_comes_again(a);
    }
    scan_dissociate(a);
    return m;
}

static const char *timer_resembles(unsigned ms)
{
    if (ms >= 900 && ms <= 1150)
        return ": the 1 s that RFC 6347 recommends";
    if (ms >= 370 && ms <= 480)
        return ": 400 ms, as BoringSSL begins";
    if (ms >= 40 && ms <= 120)
        return ": 50 to 100 ms, as programs for real-time media begin";
    return "";
}

static bool no_flight(struct scan *s, const struct scan_mute *m, struct scan_outcome *o)
{
    if (m->flight)
        return false;
    scan_not_known(o, "no flight of DTLS 1.2 or 1.0 to look at: %s", scan_life_why(s));
    return true;
}

static void check_retransmission(struct scan *s, struct scan_outcome *o)
{
    const struct scan_mute *m = scan_mute(s);
    char list[160];
    struct tool_words w = tool_words_in(list, sizeof list);
    if (no_flight(s, m, o))
        return;
    json_t *value = json_array();
    for (unsigned i = 0; i < m->count; i++) {
        tool_words_add(&w, "%s%.1f", i ? ", " : "", m->after_ms[i] / 1000.0);
        json_array_append_new(value, json_integer(m->after_ms[i]));
    }
    if (m->count)
        scan_found(o, SCAN_OK, value, "repeats its flight %s s after the first time%s", list,
                   timer_resembles(m->after_ms[0]));
    else
        scan_found(o, SCAN_MEDIUM, value,
                   "does not repeat its flight within %.1f s: a handshake that loses a datagram of "
                   "the server depends on the client",
                   (double)mute_time / (double)SD_SEC);
}

static void check_repeated_hello(struct scan *s, struct scan_outcome *o)
{
    const struct scan_mute *m = scan_mute(s);
    if (no_flight(s, m, o))
        return;
    if (m->again)
        scan_found(o, SCAN_OK, json_true(), "answers a repeated ClientHello with its flight");
    else
        scan_found(o, SCAN_INFO, json_false(),
                   "does not answer a repeated ClientHello: its flight comes again by timer only");
}

/* --- the end of the handshake --- */

/* True when there is no association to look at; says why. */
static bool no_association(struct scan *s, struct scan_outcome *o)
{
    if (scan_life(s)->connected)
        return false;
    scan_not_known(o, "no association to look at: %s", scan_life_why(s));
    return true;
}

static void check_repeated_finished(struct scan *s, struct scan_outcome *o)
{
    const struct scan_life *l = scan_life(s);
    if (no_association(s, o))
        return;
    if (l->repeats)
        scan_found(o, SCAN_OK, json_true(), "answers a repeated Finished with its last flight%s",
                   l->whole ? " (only with the flight before it)" : "");
    else
        scan_found(o, SCAN_MEDIUM, json_false(),
                   "does not answer a repeated Finished: when the last flight of the server is "
                   "lost, the client never connects (RFC 6347 section 4.2.4)");
}

static void reverse_flight(void *arg, struct puppet *p, struct puppet_flight *f)
{
    (void)arg, (void)p;
    for (size_t i = 0; i < f->count / 2; i++) {
        struct puppet_item first = f->item[i];
        f->item[i] = f->item[f->count - 1 - i];
        f->item[f->count - 1 - i] = first;
    }
    for (size_t i = 0; i < f->count; i++)
        f->item[i].alone = true;
}

/* A network that turns the flight round: is it used, or is the retransmission? */
static void check_reordering(struct scan *s, struct scan_outcome *o)
{
    enum { TRIES = 3 };
    const struct scan_wish wish = {.edit = reverse_flight, .once = true};
    bool connected = false, at_once = false;
    if (no_association(s, o))
        return;
    for (unsigned i = 0; i < TRIES && !at_once && !s->line.stop; i++) {
        struct scan_association *a = scan_associate(s, &wish);
        connected |= scan_associated(a);
        at_once = scan_associated(a) && !a->puppet.retransmitted;
        scan_dissociate(a);
    }
    if (!connected && !scan_still_associates(s))
        scan_not_known(o, "the server serves nobody since then");
    else if (at_once)
        scan_found(o, SCAN_OK, json_string("at once"),
                   "completes a handshake whose last flight comes in reverse order");
    else if (connected)
        scan_found(o, SCAN_OK, json_string("after retransmission"),
                   "needs a retransmission when the client's flight comes in reverse order");
    else
        scan_found(o, SCAN_MEDIUM, json_string("never"),
                   "ends the handshake when the client's flight comes in reverse order");
}

/* --- message_seq --- */

static void repeat_key_exchange(void *arg, struct puppet *p, struct puppet_flight *f)
{
    (void)arg, (void)p;
    struct puppet_item *kx = puppet_flight_find(f, SD_HS_CLIENT_KEY_EXCHANGE);
    if (!kx || f->count == PUPPET_ITEMS_MAX)
        return;
    memmove(kx + 1, kx, (size_t)(f->item + f->count - kx) * sizeof *kx);
    f->count++;
}

static bool connects(struct scan *s, const struct scan_wish *wish)
{
    struct scan_association *a = scan_associate(s, wish);
    bool yes = scan_associated(a);
    scan_dissociate(a);
    return yes;
}

static void check_message_seq(struct scan *s, struct scan_outcome *o)
{
    const struct scan_wish repeat = {.edit = repeat_key_exchange},
                           jump = {.skip = 1, .brief = true}, late = {.message = 2, .brief = true};
    if (no_association(s, o))
        return;
    bool repeated = connects(s, &repeat) || connects(s, &repeat), jumped = connects(s, &jump),
         begun = connects(s, &late);
    if (s->line.stop || !scan_still_associates(s)) {
        scan_not_known(o, "the server serves nobody since then");
        return;
    }
    json_t *value = json_pack("{s:b,s:b,s:b}", "repeat", repeated, "jump", jumped, "late", begun);
    if (jumped)
        scan_found(o, SCAN_MEDIUM, value,
                   "accepts handshake messages although one is missing before them");
    else if (!repeated)
        scan_found(o, SCAN_MEDIUM, value, "ends the handshake when a message comes twice");
    else
        scan_found(o, SCAN_OK, value,
                   "takes messages that come twice, waits for those that are missing, and %s a "
                   "first ClientHello with message_seq 2",
                   begun ? "accepts" : "does not accept");
}

/* --- a client that starts again --- */

/* The scanner's own hello, from the port of an association that stands. */
static enum scan_reply hello_on(struct scan_association *a)
{
    struct scan_hello h = a->hello;
    uint64_t seq = 0;
    uint16_t message_seq = 0;
    scan_hello_renew(&h);
    enum scan_reply reply =
        scan_ask_on(&a->scan->asker, &a->port, &h, NULL, SCAN_UNTIL_COOKIE, &seq, &message_seq);
    return reply;
}

static void check_restart(struct scan *s, struct scan_outcome *o)
{
    const struct scan_wish wish = {0};
    if (no_association(s, o))
        return;
    struct scan_association *a = scan_associate(s, &wish);
    enum scan_reply reply = scan_associated(a) ? hello_on(a) : SCAN_REPLY_UNKNOWN;
    bool pings = scan_life_pings(&s->facts.life);
    bool alive = reply != SCAN_REPLY_UNKNOWN && (pings || s->facts.life.closes) && scan_alive(a);
    scan_dissociate(a);
    bool answered = reply == SCAN_REPLY_HELLO || reply == SCAN_REPLY_VERIFY;
    if (reply == SCAN_REPLY_UNKNOWN)
        scan_not_known(o, "no association came about to try it on");
    else if (reply == SCAN_REPLY_SILENCE)
        scan_found(o, SCAN_LOW, json_string("ignored"),
                   "ignores a ClientHello from the address and port of an association: a client "
                   "that restarts waits until the server forgets it (RFC 6347 section 4.2.8)");
    else if (answered && (alive || !pings))
        scan_found(o, SCAN_OK, json_string("answered"),
                   "answers a ClientHello from the address and port of an association%s",
                   alive ? ", which lives on until the new client is proven" : "");
    else
        scan_found(o, SCAN_MEDIUM, json_string("association lost"),
                   "gives up an association when a ClientHello comes from its address and port: "
                   "anybody who forges one ends it");
}

/* --- replay --- */

enum { REPLAY_BASE = 300, WINDOW_USUAL = 64 };

/* Is a record that is `back` behind the newest one still taken? */
static bool takes_late(struct scan_association *a, uint64_t newest, unsigned back)
{
    return scan_ping(a, newest - back, PUPPET_SOUND, 1);
}

/* Each record number can be asked for once: a lost one counts as refused, so a neighbour is asked,
 * too. */
static bool takes_about(struct scan_association *a, uint64_t newest, unsigned back)
{
    return takes_late(a, newest, back) || takes_late(a, newest, back - 1) ||
           takes_late(a, newest, back - 2);
}

static unsigned window_of(struct scan_association *a, uint64_t newest)
{
    static const unsigned steps[] = {16, 32, 64, 128, 256};
    unsigned window = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (!takes_about(a, newest, steps[i] - 1))
            break;
        window = steps[i];
    }
    return window;
}

static void check_replay(struct scan *s, struct scan_outcome *o)
{
    const struct scan_wish wish = {0};
    if (no_association(s, o))
        return;
    if (!scan_life_pings(scan_life(s))) {
        scan_not_known(o, "the server answers nothing that could be repeated");
        return;
    }
    struct scan_association *a = scan_associate(s, &wish);
    unsigned tries = scan_line_tries(&s->line), replayed = 0, window = 0;
    bool works = false;
    uint64_t newest = REPLAY_BASE;
    /* Until one number is known to have arrived: it is the one to replay. */
    for (unsigned i = 0; i < tries && scan_associated(a) && !works; i++)
        works = scan_ping(a, ++newest, PUPPET_SOUND, 1);
    for (unsigned i = 0; works && i < 2; i++)
        replayed += scan_ping(a, newest, PUPPET_SOUND, 1);
    if (works && !replayed)
        window = window_of(a, newest);
    if (a)
        a->puppet.next_seq[1] = newest + 1;
    scan_dissociate(a);
    if (!works || s->line.stop)
        scan_not_known(o, "the server did not answer a record with a number that jumps");
    else if (replayed)
        scan_found(o, SCAN_MEDIUM, json_integer(0),
                   "takes a record twice: it has no protection against replay");
    else
        scan_found(o, SCAN_OK, json_integer(window),
                   "refuses a replayed record; late records are taken up to about %u numbers back",
                   window);
}

/* --- datagrams --- */

static void check_datagrams(struct scan *s, struct scan_outcome *o)
{
    const struct scan_line *l = &s->line;
    json_t *value =
        json_pack("{s:i,s:i}", "largest", (int)l->largest, "in_ip_fragments", (int)l->in_fragments);
    if (l->in_fragments)
        scan_found(
            o, SCAN_MEDIUM, value,
            "%u of its datagrams, of up to %zu bytes, came as IP fragments: firewalls drop them",
            l->in_fragments, l->largest);
    else
        scan_found(o, l->largest > SAFE_DATAGRAM ? SCAN_INFO : SCAN_OK, value,
                   "its datagrams have up to %zu bytes%s; none came as IP fragments", l->largest,
                   l->largest > SAFE_DATAGRAM ? ", more than IPv6 carries everywhere" : "");
}

const struct scan_check scan_behaviour_checks[] = {
    {"retransmission", "Retransmission", SCAN_GROUP_BEHAVIOUR, 0, check_retransmission},
    {"repeated-hello", "Repeated ClientHello", SCAN_GROUP_BEHAVIOUR, 0, check_repeated_hello},
    {"repeated-finished", "Repeated Finished", SCAN_GROUP_BEHAVIOUR, 0, check_repeated_finished},
    {"reordering", "Reordered flight", SCAN_GROUP_BEHAVIOUR, SCAN_LATE, check_reordering},
    {"message-seq", "message_seq", SCAN_GROUP_BEHAVIOUR, SCAN_LATE, check_message_seq},
    {"restart", "Client that restarts", SCAN_GROUP_BEHAVIOUR, 0, check_restart},
    {"replay", "Replayed and late records", SCAN_GROUP_BEHAVIOUR, 0, check_replay},
    {"datagrams", "Datagrams", SCAN_GROUP_BEHAVIOUR, SCAN_LATE, check_datagrams},
};
const size_t scan_behaviour_count = sizeof scan_behaviour_checks / sizeof *scan_behaviour_checks;
