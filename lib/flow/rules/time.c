/* SPDX-License-Identifier: MIT */
/* Section H of the catalogue: loss and time; and what is left when nothing else fits. */
#include <string.h>

#include "flow/rules/reasons.h"
#include "flow/rules/rule.h"
#include "wire/names.h"
#include "wire/record.h"

#define SLOW (1 * SD_NS_SECOND) /* longer than key operations take */
/* Of those that stacks have for a flight of several messages. */
#define SHORTEST_TIMER (200 * SD_NS_MS)
#define MUTE_FOR (2 * SD_NS_SECOND)     /* one side is silent while the other one sends data */
#define NAT_TIMEOUT (30 * SD_NS_SECOND) /* the shortest usual one for UDP */

/* Time that went by waiting for a retransmission timer. */
static int64_t waited(const struct sd_view *v)
{
    int64_t sum = 0, until = 0;
    for (size_t i = 0; i < v->burst_count; i++) {
        const struct sd_burst *b = &v->bursts[i];
        if (b->cause == SD_CAUSE_TIMER && i && b->start > until) {
            int64_t since = v->bursts[i - 1].stop > until ? v->bursts[i - 1].stop : until;
            sum += b->start > since ? b->start - since : 0; /* overtaken, it cost nothing */
            until = b->start;
        }
    }
    return sum;
}

static unsigned timer_bursts(const struct sd_view *v)
{
    unsigned n = 0;
    for (size_t i = 0; i < v->burst_count; i++)
        n += v->bursts[i].cause == SD_CAUSE_TIMER;
    return n;
}

/* Records that are missing in front of the first one of the capture were rather sent before it
 * began, and some stacks count from 1: they show nothing. */
static unsigned records_lost(const struct sd_view *v)
{
    unsigned n = v->lost[SD_CLIENT] + v->lost[SD_SERVER];
    bool cut = sd_hellos_unseen(v->x) > 0;
    for (size_t i = 0; i < v->gap_count; i++)
        if (v->gaps[i].leading && (cut || v->gaps[i].side == SD_CLIENT))
            n -= (unsigned)(v->gaps[i].to - v->gaps[i].from);
    return n;
}

/* What is cut off datagrams may be records: whether some are missing is not known. */
static bool is_snapped(const struct sd_exchange *x)
{
    return x->side[SD_CLIENT].snapped || x->side[SD_SERVER].snapped;
}

/* Copies of a flight, and the copies of what answers it. */
struct echo {
    const struct sd_burst *first, *again; /* again: before any answer */
    unsigned copies, answers;
    int64_t answered, answered_again;
};

static struct echo echo_of(const struct sd_view *v, size_t at)
{
    struct echo e = {.first = &v->bursts[at], .copies = 1};
    uint8_t answer = 0; /* the flight that answers this one */
    for (size_t i = at + 1; i < v->burst_count; i++) {
        const struct sd_burst *b = &v->bursts[i];
        if (b->side == e.first->side && b->flight == e.first->flight) {
            e.copies++;
            e.again = e.again || e.answers ? e.again : b;
        }
        if (b->side == e.first->side || b->flight <= e.first->flight)
            continue;
        answer = answer ? answer : b->flight;
        e.answers += b->flight == answer;
        if (!e.answered)
            e.answered = b->start;
        else if (!e.answered_again && b->flight == answer)
            e.answered_again = b->start;
    }
    return e;
}

static int64_t first_reply(const struct sd_view *v, uint8_t to, uint8_t reply)
{
    const struct sd_burst *a = sd_view_burst(v, SD_SERVER, to);
    const struct sd_burst *b = sd_view_burst(v, SD_CLIENT, reply);
    return a && b && b->start > a->start ? b->start - a->start : 0;
}

/* Captured near the server: the client took as long for its cookie as it took for its flight 5,
 * which nothing delayed. Meanwhile its hellos went on. */
static const struct sd_burst *hello_repeated_from_afar(const struct sd_view *v, int64_t *rtt,
                                                       int64_t *timer)
{
    const struct sd_burst *first = sd_view_burst(v, SD_CLIENT, 1), *again = NULL;
    const struct sd_burst *request = sd_view_burst(v, SD_SERVER, 2);
    int64_t one = first_reply(v, 2, 3), two = first_reply(v, 4, 5);
    for (size_t i = 0; first && i < v->burst_count && !again; i++)
        if (v->bursts[i].side == SD_CLIENT && v->bursts[i].flight == 1 && &v->bursts[i] != first)
            again = &v->bursts[i];
    int64_t apart = one > two ? one - two : two - one;
    if (!one || !two || apart > two / 4 || !again || again->start < request->start)
        return NULL;
    *rtt = one;
    *timer = again->start - first->start;
    return *timer < *rtt ? again : NULL;
}

/* The answer to the first copy came when the second was already out: nothing was lost, the
 * timer is shorter than the way. Either each copy has an answer of its own, or the times fit.
 * Answers that come together are those of a peer that was busy. */
static const struct sd_burst *spurious(const struct sd_view *v, int64_t *rtt, int64_t *timer)
{
    if (records_lost(v) || is_snapped(v->x))
        return NULL; /* something was, or may have been, and it may be the answer */
    const struct sd_burst *afar = hello_repeated_from_afar(v, rtt, timer);
    if (afar)
        return afar;
    for (size_t i = 0; i < v->burst_count; i++) {
        if (v->bursts[i].cause != SD_CAUSE_FIRST)
            continue;
        struct echo e = echo_of(v, i);
        if (!e.again || e.answers < 2)
            continue;
        *timer = e.again->start - e.first->start;
        *rtt = e.answered - e.first->start;
        if (e.answered_again - e.answered < *timer / 2)
            continue;
        if (*rtt > *timer && (e.answers >= e.copies || *rtt / 3 < *timer))
            return e.again;
    }
    return NULL;
}

static void prove_gap(struct sd_finding *f, const struct sd_exchange *x, uint32_t number)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].number == number) {
            sd_prove(f, &x->log[i]);
            return;
        }
}

/* Captured after the loss: of a flight only the second copy is seen, late and after a gap. */
static bool say_first_copy_lost(const struct sd_view *v, struct sd_finding *f)
{
    for (size_t i = 1; i < v->burst_count; i++) {
        const struct sd_burst *b = &v->bursts[i];
        int64_t late = b->start - v->bursts[i - 1].stop;
        if (!b->gap || b->side == v->bursts[i - 1].side || late < SHORTEST_TIMER)
            continue;
        sd_prove_frame(f, v->bursts[i - 1].number, v->bursts[i - 1].start);
        sd_prove_frame(f, b->number, b->start);
        f->confidence = SD_MEDIUM;
        sd_confuse(f, "slow-peer");
        sd_say(f,
               "The %s's flight %u came %.0f ms after the flight that it answers, and %u record%s "
               "in front of it %s missing: its first copy was lost.",
               b->side == SD_SERVER ? "server" : "client", b->flight, sd_millis(late), b->gap,
               sd_plural(b->gap), b->gap == 1 ? "is" : "are");
        return true;
    }
    return false;
}

bool sd_rule_loss_recovered(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    int64_t rtt, timer;
    unsigned again = timer_bursts(v), lost = records_lost(v);
    if (c->outcome == SD_OK && !again && lost)
        return say_first_copy_lost(v, f);
    /* Without a gap nothing shows loss: the peer may not have been ready. */
    if (c->outcome != SD_OK || !again || !lost || spurious(v, &rtt, &timer))
        return false;
    const struct sd_burst *b = NULL;
    for (size_t i = 0; i < v->burst_count && !b; i++)
        b = v->bursts[i].cause == SD_CAUSE_TIMER ? &v->bursts[i] : NULL;
    for (size_t i = 0; i < v->gap_count; i++)
        prove_gap(f, c->x, v->gaps[i].before);
    f->confidence = SD_HIGH;
    sd_say(f,
           "The %s had to send flight %u again (%u retransmission%s in total, %u record%s missing "
           "in this capture). The retransmissions cost %.0f ms.",
           b->side == SD_SERVER ? "server" : "client", b->flight, again, sd_plural(again), lost,
           sd_plural(lost), sd_millis(waited(v)));
    return true;
}

static const struct sd_burst *crossed(const struct sd_view *v)
{
    for (size_t i = 0; i < v->burst_count; i++)
        if (v->bursts[i].cause == SD_CAUSE_CROSSED)
            return &v->bursts[i];
    return NULL;
}

bool sd_timer_below_round_trip(const struct sd_view *v)
{
    int64_t rtt, timer;
    return spurious(v, &rtt, &timer) != NULL;
}

bool sd_rule_spurious_rto(const struct sd_case *c, struct sd_finding *f)
{
    int64_t rtt, timer;
    const struct sd_burst *b = spurious(c->view, &rtt, &timer);
    if (!b && (b = crossed(c->view)) != NULL) {
        sd_prove_frame(f, b->number, b->start);
        f->confidence = SD_MEDIUM;
        sd_say(f,
               "The %s repeated flight %u while the answer was already on its way. The "
               "retransmission timer is about as long as the round trip.",
               b->side == SD_SERVER ? "server" : "client", b->flight);
        return true;
    }
    if (!b)
        return false;
    sd_prove_frame(f, b->number, b->start);
    f->confidence = SD_MEDIUM;
    sd_confuse(f, "loss-recovered");
    sd_say(f,
           "The %s repeated flight %u after %.0f ms although nothing was lost. The answer takes "
           "%.0f ms.",
           b->side == SD_SERVER ? "server" : "client", b->flight, sd_millis(timer), sd_millis(rtt));
    return true;
}

static unsigned count_flagged(const struct sd_exchange *x, uint16_t flag, struct sd_finding *f)
{
    unsigned n = 0;
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].flags & flag) {
            sd_prove(f, &x->log[i]);
            n++;
        }
    return n;
}

bool sd_rule_net_duplication(const struct sd_case *c, struct sd_finding *f)
{
    unsigned n = count_flagged(c->x, SD_EVF_DUPLICATE, f);
    if (!n)
        return false;
    f->confidence = SD_HIGH;
    sd_say(f,
           "%u record%s arrived twice with the same record number. The network (or the capture) "
           "copied the packets.",
           n, sd_plural(n));
    return true;
}

/* The nonce of these is made from the record number (RFC 5288 section 3, RFC 6655, RFC 7905). */
static bool makes_nonce_of_number(const struct sd_exchange *x)
{
    char buf[SD_NAME_TEXT];
    const char *name = sd_name(SD_NAME_SUITE, x->suite, buf);
    return x->version == SD_DTLS_1_3 ||
           (x->negotiated &&
            (strstr(name, "_GCM") || strstr(name, "_CCM") || strstr(name, "_CHACHA20_")));
}

/* Its Finished has a number of epoch 0, and the next record one of a new count. */
static bool say_set_back(const struct sd_exchange *x, struct sd_finding *f)
{
    enum sd_side s = x->side[SD_CLIENT].set_back ? SD_CLIENT : SD_SERVER;
    const struct sd_event *fin = NULL, *next = NULL;
    for (size_t i = 0; x->side[s].set_back && i < x->count; i++) {
        const struct sd_event *e = &x->log[i];
        if (e->epoch != 1 || sd_event_side(e) != s)
            continue;
        fin = fin ? fin : e;
        next = next || e->seq >= fin->seq ? next : e;
    }
    if (!next)
        return false;
    sd_prove(f, fin);
    sd_prove(f, next);
    f->confidence = SD_HIGH;
    sd_say(f,
           "The %s's Finished has record number %llu, which goes on from epoch 0, and its next "
           "record has number %llu. The %s will use number %llu twice.",
           s == SD_SERVER ? "server" : "client", (unsigned long long)fin->seq,
           (unsigned long long)next->seq, s == SD_SERVER ? "server" : "client",
           (unsigned long long)fin->seq);
    return true;
}

bool sd_rule_record_number_reused(const struct sd_case *c, struct sd_finding *f)
{
    unsigned n = count_flagged(c->x, SD_EVF_REUSED, f);
    f->beside = true;
    f->severity = n && makes_nonce_of_number(c->x) ? SD_FATAL : SD_WARNING;
    if (!n)
        return say_set_back(c->x, f);
    f->confidence = SD_HIGH;
    sd_say(f,
           "%u protected record%s %s the epoch and number of another record. A receiver drops the "
           "second one as a replay%s.",
           n, sd_plural(n), n == 1 ? "has" : "have",
           f->severity == SD_FATAL ? ", and the cipher uses one nonce twice" : "");
    return true;
}

bool sd_rule_renegotiation(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    unsigned first = 0;
    if (x->version == SD_DTLS_1_3 || x->mid_session)
        return false;
    for (size_t i = 0; i < x->count; i++) {
        const struct sd_event *e = &x->log[i];
        if (e->epoch < 2 || e->flags & SD_EVF_UNIFIED)
            continue;
        first = first ? first : e->epoch;
        sd_prove(f, e);
    }
    if (!first)
        return false;
    unsigned up = x->side[SD_CLIENT].epoch, down = x->side[SD_SERVER].epoch;
    f->confidence = SD_HIGH;
    sd_say(f,
           "Inside the session the two sides made another handshake and changed their keys: the "
           "epoch is now %u.",
           up > down ? up : down);
    return true;
}

bool sd_rule_reorder(const struct sd_case *c, struct sd_finding *f)
{
    unsigned n = count_flagged(c->x, SD_EVF_REORDERED, f);
    if (!n)
        return false;
    uint64_t distance = 0;
    for (size_t i = 0; i < c->x->count; i++) {
        const struct sd_event *e = &c->x->log[i];
        if (!(e->flags & SD_EVF_REORDERED))
            continue;
        for (size_t j = 0; j < i; j++) {
            const struct sd_event *o = &c->x->log[j];
            if (sd_event_side(o) == sd_event_side(e) && o->epoch == e->epoch && o->seq > e->seq &&
                o->seq - e->seq > distance)
                distance = o->seq - e->seq;
        }
    }
    f->confidence = SD_HIGH;
    sd_say(f, "%u record%s arrived after later records, up to %llu record number%s late.", n,
           sd_plural(n), (unsigned long long)distance, sd_plural(distance));
    return true;
}

/* A flight that had to wait for its answer. */
struct wait {
    const struct sd_burst *answer;
    uint8_t asked;
    unsigned copies;              /* of the flight that was asked with, before the answer */
    int64_t since_all, since_one; /* ns since the first and since the newest copy; no round trip */
};

static struct wait wait_for(const struct sd_view *v, uint8_t flight, uint8_t asked)
{
    enum sd_side side = flight % 2 ? SD_CLIENT : SD_SERVER;
    int64_t rtt = side == SD_SERVER ? v->rtt_server : v->rtt_client;
    struct wait w = {.answer = sd_view_burst(v, side, flight), .asked = asked};
    for (size_t i = 0; w.answer && i < v->burst_count; i++) {
        const struct sd_burst *b = &v->bursts[i];
        if (b->side == side || b->flight != asked || b->start > w.answer->start)
            continue;
        w.since_one = w.answer->start - b->stop - rtt;
        w.since_all = w.copies ? w.since_all : w.since_one;
        w.copies += !w.copies || b->cause != SD_CAUSE_FIRST; /* else it is a later piece */
    }
    return w;
}

/* As far as the round trip is known. */
static struct wait longest_wait(const struct sd_view *v)
{
    static const uint8_t pairs[][2] = {{2, 1}, {4, 1}, {4, 3}, {5, 4}, {6, 5}};
    struct wait worst = {0};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct wait w = wait_for(v, pairs[i][0], pairs[i][1]);
        bool cookie = pairs[i][1] == 1 && pairs[i][0] == 4 && sd_view_burst(v, SD_SERVER, 2);
        bool known = (pairs[i][0] % 2 ? v->rtt_client : v->rtt_server) > 0;
        if (known && !cookie && w.since_one > worst.since_one)
            worst = w;
    }
    return worst;
}

/* Of the hellos that were sent more than once, the one that waited longest. */
static struct wait unanswered_hello(const struct sd_view *v)
{
    struct wait plain = wait_for(v, sd_view_burst(v, SD_SERVER, 2) ? 2 : 4, 1);
    struct wait second = wait_for(v, 4, 3);
    struct wait worst = second.since_all > plain.since_all ? second : plain;
    return worst.copies > 1 ? worst : (struct wait){0};
}

/* Each copy of a hello but the newest went unanswered: it was lost, or nobody listened yet. */
static bool say_unanswered(const struct sd_view *v, struct sd_finding *f)
{
    int64_t rtt, timer;
    struct wait w = unanswered_hello(v);
    if (w.since_all <= SLOW || v->x->icmp_number || spurious(v, &rtt, &timer) || crossed(v))
        return false;
    sd_prove_bursts(f, v, SD_CLIENT, w.asked, 6);
    sd_prove_frame(f, w.answer->number, w.answer->start);
    f->severity = SD_INFO;
    f->confidence = SD_LOW;
    sd_confuse(f, "loss-recovered");
    sd_say(f,
           "The server answered the ClientHello %.2f s after its first copy and %.0f ms after the "
           "newest of %u. The earlier copies or their answers were lost, or the server was not "
           "ready. No record number is missing.",
           sd_seconds(w.since_all), sd_millis(w.since_one > 0 ? w.since_one : 0), w.copies);
    return true;
}

/* From the end of some burst to the beginning of another: nobody waited for longer. */
static int64_t longest_span(const struct sd_view *v)
{
    int64_t from = INT64_MAX, to = 0;
    for (size_t i = 0; i < v->burst_count; i++) {
        from = v->bursts[i].stop < from ? v->bursts[i].stop : from;
        to = v->bursts[i].start > to ? v->bursts[i].start : to;
    }
    return to - from;
}

bool sd_rule_slow_peer(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    if (c->outcome != SD_OK || c->x->mid_session || longest_span(v) <= SLOW || records_lost(v) ||
        (is_snapped(c->x) && timer_bursts(v)))
        return false;
    struct wait w = longest_wait(v);
    if (w.since_one <= SLOW)
        return say_unanswered(v, f);
    bool is_client = w.answer->side == SD_CLIENT;
    sd_prove_frame(f, w.answer->number, w.answer->start);
    f->confidence = SD_MEDIUM;
    if (w.copies > 1) {
        sd_confuse(f, "loss-recovered");
        sd_say(
            f,
            "The %s answered %.2f s after the newest of %u copies of flight %u, and %.2f s after "
            "the first (round trip not counted). It was not ready, or was busy.",
            is_client ? "client" : "server", sd_seconds(w.since_one), w.copies, w.asked,
            sd_seconds(w.since_all));
    } else {
        sd_say(f,
               "The %s took %.2f s to send its flight (round trip not counted). Probably the key "
               "operations are slow, or a callback of the application waits.",
               is_client ? "client" : "server", sd_seconds(w.since_one));
    }
    return true;
}

bool sd_rule_final_flight_timer(const struct sd_case *c, struct sd_finding *f)
{
    unsigned n = sd_view_caused(c->view, SD_SERVER, 6, SD_CAUSE_TIMER);
    if (!n || sd_view_bursts(c->view, SD_CLIENT, 5) > 1)
        return false;
    sd_prove_bursts(f, c->view, SD_SERVER, 6, 6);
    f->confidence = SD_MEDIUM;
    sd_say(f,
           "The server repeated its last flight %u time%s although the client did not repeat its "
           "own.",
           n, sd_plural(n));
    return true;
}

bool sd_rule_one_way_appdata(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    uint32_t up = x->side[SD_CLIENT].appdata, down = x->side[SD_SERVER].appdata;
    if (!x->established || (up && down) || up + down < 4)
        return false;
    const struct sd_direction *talks = &x->side[up ? SD_CLIENT : SD_SERVER];
    const struct sd_direction *mute = &x->side[up ? SD_SERVER : SD_CLIENT];
    if (talks->last - mute->last < MUTE_FOR)
        return false;
    sd_prove_frame(f, x->log[x->count - 1].number, x->log[x->count - 1].time);
    f->severity = SD_INFO;
    f->confidence = SD_MEDIUM;
    sd_say(f, "Only the %s sends application data (%u records). The %s sent nothing for %.1f s.",
           up ? "client" : "server", up + down, up ? "server" : "client",
           sd_seconds(talks->last - mute->last));
    return true;
}

bool sd_rule_replay_window(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    uint32_t up = x->side[SD_CLIENT].sealed.late, down = x->side[SD_SERVER].sealed.late;
    if (!up && !down)
        return false;
    for (int side = SD_CLIENT; side < SD_SIDES; side++)
        if (sd_rare(x)->first_late[side].number)
            sd_prove_frame(f, sd_rare(x)->first_late[side].number,
                           sd_rare(x)->first_late[side].time);
    f->confidence = SD_MEDIUM;
    sd_say(f,
           "%u record%s from the %s arrived more than 64 record numbers late. A receiver with the "
           "usual replay window drops them.",
           up ? up : down, sd_plural(up ? up : down), up ? "client" : "server");
    return true;
}

bool sd_rule_keepalive_idle(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_rare *moved = sd_rare(x);
    /* Silence is only worth a word when something went wrong after it. */
    if (!x->established || !moved->moved_number ||
        moved->moved_time - moved->last_before_move < NAT_TIMEOUT)
        return false;
    sd_prove_frame(f, moved->moved_number, moved->moved_time);
    f->confidence = SD_MEDIUM;
    sd_say(f,
           "After %.0f s without a packet the client came back from another address. The NAT had "
           "probably dropped the old mapping.",
           sd_seconds(moved->moved_time - moved->last_before_move));
    return true;
}

bool sd_rule_close(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    bool client = x->side[SD_CLIENT].closing, server = x->side[SD_SERVER].closing;
    if (!x->established || (!client && !server))
        return false;
    for (size_t i = x->count; i-- > 0 && f->packet_count < 2;)
        if (x->log[i].kind == SD_EV_ALERT ||
            (x->log[i].kind == SD_EV_PROTECTED && x->log[i].content == SD_CT_ALERT))
            sd_prove(f, &x->log[i]);
    f->confidence = x->opened ? SD_HIGH : SD_MEDIUM;
    sd_say(f, "Closed by %s%s.",
           client && server ? "both sides"
           : client         ? "the client"
                            : "the server",
           x->opened          ? " with close_notify"
           : client && server ? ": the last records are encrypted alerts, probably close_notify"
                              : ": its last record is an encrypted alert, probably close_notify");
    return true;
}

/* --- last resorts: the handshake failed, and no other rule found a reason --- */

bool sd_rule_unexplained_silence(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    char name[SD_NAME_TEXT];
    if (!v->burst_count || sd_view_ending_alert(v) || sd_client_only_asks(c))
        return false;
    const struct sd_part *p = v->part_count ? &v->parts[v->part_count - 1] : NULL;
    for (size_t i = 0; i < v->burst_count; i++)
        sd_prove_frame(f, v->bursts[i].number, v->bursts[i].start);
    f->confidence = SD_LOW;
    sd_say(f,
           "The handshake stops after the %s's %s and is not complete %.1f s after its start (%u "
           "retransmission%s).",
           p && p->side == SD_SERVER ? "server" : "client",
           p ? sd_name(SD_NAME_HANDSHAKE, p->type, name) : "hello",
           sd_seconds(v->now - c->x->start), timer_bursts(v), sd_plural(timer_bursts(v)));
    return true;
}
