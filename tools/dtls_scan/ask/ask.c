/* SPDX-License-Identifier: MIT */
#include "dtls_scan/ask/ask.h"

#include <string.h>

/* For the rest of a flight: long enough for two retransmissions by the usual timer (1 s, 2 s). */
static const sd_time flight_wait = 3500 * SD_MS;
/* After an ICMP error, which may be forged or old, an answer still has this long. */
static const sd_time refused_wait = 100 * SD_MS;
enum { COOKIE_TURNS = 3, LISTEN_MOST = 4096 };

/* A question under way. */
struct asking {
    struct scan_asker *a;
    struct scan_port *port;
    struct scan_hello *hello;
    const struct scan_delivery *how;
    enum scan_until until;
    uint64_t *seq;
    uint16_t *message_seq;
    sd_time sent;
    bool refused, refused_cookie; /* refused_cookie: a HelloVerifyRequest came again */
};

/* What the answer is so far; UNKNOWN = nothing that settles the question. */
static enum scan_reply settled(const struct asking *q)
{
    const struct scan_answer *n = &q->a->answer;
    struct sd_server_hello sh;
    if (scan_answer_hello(n, false, &sh))
        return SCAN_REPLY_HELLO;
    if (scan_answer_hello(n, true, &sh))
        return SCAN_REPLY_RETRY;
    if (n->alerted && n->alert.level == SD_ALERT_FATAL)
        return SCAN_REPLY_ALERT;
    struct sd_hello_verify hv;
    if (q->until == SCAN_UNTIL_COOKIE && scan_answer_verify(n, &hv))
        return SCAN_REPLY_VERIFY;
    return SCAN_REPLY_UNKNOWN;
}

/* A cookie that we have not sent yet goes into the hello. */
static bool take_cookie(struct asking *q)
{
    struct sd_hello_verify hv;
    struct scan_hello *h = q->hello;
    if (q->until == SCAN_UNTIL_COOKIE || !scan_answer_verify(&q->a->answer, &hv))
        return false;
    if (*q->message_seq && hv.cookie.len == h->cookie_len &&
        (!h->cookie_len || !memcmp(hv.cookie.p, h->cookie, h->cookie_len))) {
        q->refused_cookie = true;
        return false;
    }
    h->cookie_len = (unsigned)hv.cookie.len;
    if (hv.cookie.len)
        memcpy(h->cookie, hv.cookie.p, hv.cookie.len);
    return true;
}

/* True when the question is settled, or a new cookie came, before `until`. */
static bool listen_for_answer(struct asking *q, sd_time until, enum scan_reply *reply, bool *cookie)
{
    struct scan_asker *a = q->a;
    size_t len;
    for (unsigned i = 0; i < LISTEN_MOST; i++) {
        enum scan_heard heard = scan_port_hear(q->port, a->datagram, &len, until);
        if (heard == SCAN_HEARD_REFUSED) {
            q->refused = true;
            until = sd_clock_now() + refused_wait;
        }
        if (heard == SCAN_HEARD_NOTHING || heard == SCAN_HEARD_STOP)
            return false;
        if (heard == SCAN_HEARD_DATAGRAM)
            scan_answer_take(&a->answer, a->datagram, len);
        *reply = settled(q);
        *cookie = *reply == SCAN_REPLY_UNKNOWN && take_cookie(q);
        if (*reply != SCAN_REPLY_UNKNOWN || *cookie)
            return true;
    }
    return false;
}

static void note_answer_time(struct asking *q, unsigned attempt)
{
    struct scan_line *l = q->a->line;
    q->a->answered = sd_clock_now() - q->sent;
    l->asked++;
    l->repeated += attempt > 0;
    l->late = attempt > 0 ? l->late + 1 : 0;
    if (!attempt && (!l->rtt || q->a->answered < l->rtt))
        l->rtt = q->a->answered;
}

/* Sends the hello until something comes. */
static bool send_until_answered(struct asking *q, enum scan_reply *reply, bool *cookie)
{
    unsigned tries = scan_line_tries(q->a->line);
    for (unsigned i = 0; i < tries; i++) {
        if (!scan_deliver(q->port, q->how, q->hello, *q->message_seq, q->seq))
            return false;
        q->sent = sd_clock_now();
        if (listen_for_answer(q, q->sent + scan_line_wait(q->a->line, i), reply, cookie)) {
            note_answer_time(q, i);
            return true;
        }
    }
    return false;
}

static enum scan_reply unanswered(const struct asking *q)
{
    const struct scan_answer *n = &q->a->answer;
    if (q->a->line->stop)
        return SCAN_REPLY_UNKNOWN;
    if (q->refused_cookie)
        return SCAN_REPLY_VERIFY;
    struct sd_span body;
    if (scan_answer_message(n, SD_HS_CLIENT_HELLO, &body))
        return SCAN_REPLY_ECHO;
    struct sd_hello_verify hv;
    if (n->datagrams && !q->a->cookie && !scan_answer_verify(n, &hv))
        return SCAN_REPLY_FOREIGN;
    return q->refused ? SCAN_REPLY_REFUSED : SCAN_REPLY_SILENCE;
}

static void await_flight(struct asking *q)
{
    sd_time until = sd_clock_now() + flight_wait;
    size_t len;
    for (unsigned i = 0; i < LISTEN_MOST && !scan_answer_flight(&q->a->answer); i++) {
        enum scan_heard heard = scan_port_hear(q->port, q->a->datagram, &len, until);
        if (heard == SCAN_HEARD_NOTHING || heard == SCAN_HEARD_STOP)
            return;
        if (heard == SCAN_HEARD_DATAGRAM)
            scan_answer_take(&q->a->answer, q->a->datagram, len);
    }
}

enum scan_reply scan_ask_on(struct scan_asker *a, struct scan_port *p, struct scan_hello *h,
                            const struct scan_delivery *how, enum scan_until until, uint64_t *seq,
                            uint16_t *message_seq)
{
    static const struct scan_delivery plain;
    struct asking q = {.a = a,
                       .port = p,
                       .hello = h,
                       .how = how ? how : &plain,
                       .until = until,
                       .seq = seq,
                       .message_seq = message_seq};
    enum scan_reply reply = SCAN_REPLY_UNKNOWN;
    scan_answer_clear(&a->answer);
    a->cookie = false;
    for (unsigned turn = 0; turn < COOKIE_TURNS; turn++) {
        bool cookie = false;
        if (!send_until_answered(&q, &reply, &cookie))
            return unanswered(&q);
        if (!cookie)
            break;
        a->cookie = true;
        ++*message_seq;
    }
    if (reply == SCAN_REPLY_UNKNOWN)
        return SCAN_REPLY_VERIFY; /* another cookie each time: none is ever good */
    if (reply == SCAN_REPLY_HELLO && until == SCAN_UNTIL_FLIGHT)
        await_flight(&q);
    ++*message_seq;
    return reply;
}

/* Does the server probably keep an association for us? One that does not gets no alert:
 * gnutls-serv 3.7.9 serves nobody any more after an alert from a stranger (measured). In fragments,
 * the hello may lie there unfinished. */
static bool may_be_open(const struct scan_asker *a, enum scan_reply reply, bool fragments)
{
    struct sd_hello_verify hv;
    bool verify = scan_answer_verify(&a->answer, &hv);
    if (reply == SCAN_REPLY_HELLO || (a->answer.count > verify && reply != SCAN_REPLY_ALERT))
        return true;
    return reply == SCAN_REPLY_SILENCE && fragments;
}

/* What an earlier association still sends to this port would be taken for the answer. */
static void drain_port(struct scan_asker *a, struct scan_port *p)
{
    static const sd_time calm = 30 * SD_MS;
    size_t len;
    for (unsigned i = 0; i < LISTEN_MOST; i++)
        if (scan_port_hear(p, a->datagram, &len, sd_clock_now() + calm + a->line->rtt) ==
            SCAN_HEARD_NOTHING)
            return;
}

/* `from`: 0 = the port that the line is for, or any. */
static bool open_question(struct scan_asker *a, struct scan_port *p, uint16_t from)
{
    if (a->line->stop)
        return false;
    bool open = from ? scan_port_open_at(p, a->line, from) : scan_port_open(p, a->line);
    if (open && a->line->one_port)
        drain_port(a, p);
    return open;
}

static enum scan_reply ask_once_from(struct scan_asker *a, const struct scan_hello *h,
                                     const struct scan_delivery *how, enum scan_until until,
                                     uint16_t from)
{
    struct scan_hello hello = *h;
    struct scan_port p;
    uint64_t seq = how ? how->from : 0;
    uint16_t message_seq = 0;
    if (!open_question(a, &p, from))
        return SCAN_REPLY_UNKNOWN;
    enum scan_reply reply = scan_ask_on(a, &p, &hello, how, until, &seq, &message_seq);
    if (may_be_open(a, reply, how != NULL))
        scan_port_goodbye(&p, hello.version, seq);
    if (!a->line->good_port && (reply == SCAN_REPLY_HELLO || reply == SCAN_REPLY_RETRY))
        a->line->good_port = scan_port_number(&p);
    scan_port_close(&p);
    return reply;
}

enum scan_reply scan_ask_from(struct scan_asker *a, const struct scan_hello *h,
                              enum scan_until until, uint16_t from)
{
    return ask_once_from(a, h, NULL, until, from);
}

/* Does the server answer the hello that it has answered before, from this port of ours? */
static bool control_answered(struct scan_asker *a, uint16_t from)
{
    enum scan_reply reply = ask_once_from(a, &a->control, NULL, SCAN_UNTIL_HELLO, from);
    return reply == SCAN_REPLY_HELLO || reply == SCAN_REPLY_RETRY;
}

static bool is_nothing(enum scan_reply reply)
{
    return reply == SCAN_REPLY_SILENCE || reply == SCAN_REPLY_REFUSED;
}

/* Nothing came: from any port, or only from a new one? True when the question is to be asked again,
 * from the one port that is served. */
static bool found_one_port(struct scan_asker *a)
{
    struct scan_line *l = a->line;
    if (l->one_port || !l->good_port || l->stop)
        return false;
    l->one_port = control_answered(a, l->good_port);
    return l->one_port;
}

enum scan_reply scan_ask_as(struct scan_asker *a, const struct scan_hello *h,
                            const struct scan_delivery *how, enum scan_until until)
{
    enum scan_reply reply = ask_once_from(a, h, how, until, 0);
    if (!is_nothing(reply) || !a->has_control)
        return reply;
    if (control_answered(a, 0))
        return SCAN_REPLY_SILENCE;
    if (found_one_port(a))
        return scan_ask_as(a, h, how, until);
    if (!a->line->stop)
        a->line->stop = SCAN_STOP_MUTE;
    return SCAN_REPLY_UNKNOWN;
}

enum scan_reply scan_ask(struct scan_asker *a, const struct scan_hello *h, enum scan_until until)
{
    return scan_ask_as(a, h, NULL, until);
}
