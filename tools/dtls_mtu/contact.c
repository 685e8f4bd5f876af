/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/contact.h"

#include <errno.h>

/* Small enough for every path that DTLS can use, padded all the same. */
enum { SMALL_V4 = 256, SMALL_V6 = 320 };
enum { TRIES = 7, PAD_TRIES = 3, PLAIN_TRIES = 3, SENT_MAX = 32 };
enum { ID_FIRST = 1 << 24, ID_ELSEWHERE = ID_FIRST + SENT_MAX };

static const sd_time first_wait = 250 * SD_MS, longest_wait = SD_SEC;

/* The first probes and what is known of each: an answer may come seconds later. */
struct inquiry {
    struct mtu_contact *k;
    struct mtu_path *p;
    struct {
        enum mtu_hello_pad pad;
        sd_time at;
    } sent[SENT_MAX];
    unsigned first; /* answers to earlier probes settle nothing */
    bool plain;     /* answers to plain hellos settle something */
};

/* A report that quotes no probe may be forged: it explains a silence, no more. */
static bool note_error(struct mtu_contact *k, const struct mtu_heard *h)
{
    const struct sd_report *r = &h->report;
    k->from = r->from;
    k->error = r->error;
    if (!h->known && !r->here)
        return false;
    k->end = r->error == ECONNREFUSED ? MTU_CONTACT_REFUSED : MTU_CONTACT_UNREACHED;
    return true;
}

static void note_answer(struct mtu_contact *k, const struct mtu_heard *h)
{
    static const enum mtu_contact_end ends[] = {[MTU_HELLO_COOKIE] = MTU_CONTACT_OK,
                                                [MTU_HELLO_NO_COOKIE] = MTU_CONTACT_NO_COOKIE,
                                                [MTU_HELLO_ALERT] = MTU_CONTACT_ALERT,
                                                [MTU_HELLO_FOREIGN] = MTU_CONTACT_FOREIGN};
    k->end = ends[h->answer];
    k->alert = h->alert;
    k->answer = h->size;
    k->echoes = h->echoed;
}

/* An answer that repeats no number may be for any of the probes: the time since the first one is
 * the longest that the round trip can be. */
static bool take_contact_answer(struct inquiry *q, const struct mtu_heard *h)
{
    unsigned n = h->known ? h->id - ID_FIRST : q->first;
    if (n < q->first || n >= q->k->probes)
        return false;
    if (h->known && q->sent[n].pad == MTU_HELLO_PLAIN && !q->plain)
        return false;
    note_answer(q->k, h);
    q->k->rtt = h->at - q->sent[n].at;
    q->p->pad = q->sent[n].pad;
    return true;
}

static bool settles(struct inquiry *q, const struct mtu_heard *h)
{
    struct mtu_contact *k = q->k;
    if (h->kind == MTU_HEARD_REPORT)
        return note_error(k, h);
    if (h->kind == MTU_HEARD_ANSWER && h->answer == MTU_HELLO_FOREIGN) {
        k->foreign = h->size > 0 ? h->size : k->foreign;
        k->echo |= h->echoed;
        return false; /* anybody may send that: it counts only when nothing better comes */
    }
    if (h->kind == MTU_HEARD_ANSWER)
        return take_contact_answer(q, h);
    k->end = MTU_CONTACT_STOPPED;
    return true;
}

/* True when the question is settled before `until`. */
static bool listen_until(struct inquiry *q, sd_time until)
{
    struct mtu_contact *k = q->k;
    struct mtu_heard h;
    do {
        mtu_path_hear(q->p, &h, until);
        if (h.kind == MTU_HEARD_NOTHING && k->foreign && k->end == MTU_CONTACT_SILENT)
            k->end = MTU_CONTACT_FOREIGN;
        if (h.kind == MTU_HEARD_NOTHING)
            return k->end == MTU_CONTACT_FOREIGN;
    } while (!settles(q, &h));
    return true;
}

/* Sends one hello and listens for `wait`. */
static bool ask_once(struct inquiry *q, enum mtu_hello_pad pad, sd_time wait)
{
    struct mtu_contact *k = q->k;
    sd_time now = sd_clock_now();
    unsigned n = k->probes++;
    q->p->pad = q->sent[n].pad = pad;
    q->sent[n].at = now;
    int rc = mtu_path_send(q->p, ID_FIRST + n, pad == MTU_HELLO_PLAIN ? 0 : k->small, 0);
    if (rc && rc != -ECONNREFUSED && rc != -EAGAIN && rc != -ENOBUFS) {
        k->end = MTU_CONTACT_UNREACHED;
        k->error = -rc;
        return true;
    }
    return listen_until(q, now + wait);
}

/* Padded and plain hellos in turns: some servers answer only one kind. */
static enum mtu_hello_pad pad_of_try(unsigned n)
{
    static const enum mtu_hello_pad order[] = {MTU_HELLO_EXT, MTU_HELLO_PLAIN, MTU_HELLO_JUNK};
    return order[n % 3];
}

static bool find_answer(struct inquiry *q, sd_time timeout)
{
    sd_time wait = first_wait, end = sd_clock_now() + timeout;
    q->plain = true;
    for (unsigned i = 0; i < TRIES && sd_clock_now() < end; i++) {
        if (ask_once(q, pad_of_try(i), wait))
            return true;
        wait = 2 * wait < longest_wait ? 2 * wait : longest_wait;
    }
    return listen_until(q, end);
}

static sd_time late_answer(const struct mtu_contact *k)
{
    return 2 * k->rtt < first_wait ? first_wait : 2 * k->rtt;
}

static bool ask_several(struct inquiry *q, const enum mtu_hello_pad *pads, unsigned count,
                        unsigned times)
{
    sd_time wait = late_answer(q->k), answer = wait;
    if (wait > longest_wait)
        wait = longest_wait;
    for (unsigned i = 0; i < times; i++)
        if (ask_once(q, pads[i % count], wait))
            return true;
    return answer > wait && listen_until(q, sd_clock_now() + answer - wait);
}

/* A hello was answered: which padding is answered, too? The round trip is measured here, as
 * the first one may have waited for ARP or neighbour discovery. */
static bool find_padding(struct inquiry *q)
{
    static const enum mtu_hello_pad pads[] = {MTU_HELLO_EXT, MTU_HELLO_JUNK};
    q->plain = false;
    return ask_several(q, pads, 2, 2 * PAD_TRIES);
}

/* No padded hello was answered. Before the padding gets the blame: is a plain hello from another
 * port answered? */
static void blame_padding_or_port(struct inquiry *q)
{
    static const enum mtu_hello_pad plain[] = {MTU_HELLO_PLAIN};
    struct mtu_contact *k = q->k;
    q->plain = q->p->each = true;
    q->first = k->probes;
    if (!ask_several(q, plain, 1, PLAIN_TRIES))
        k->end = MTU_CONTACT_ONE_CLIENT;
    else if (k->end == MTU_CONTACT_OK)
        k->end = MTU_CONTACT_NO_PADDED;
}

void mtu_contact_run(struct mtu_contact *k, struct mtu_path *p, sd_time timeout)
{
    struct inquiry q = {.k = k, .p = p};
    *k = (struct mtu_contact){.end = MTU_CONTACT_SILENT, .small = p->ipv6 ? SMALL_V6 : SMALL_V4};
    if (!find_answer(&q, timeout) || k->end != MTU_CONTACT_OK)
        return;
    p->each = !k->echoes; /* the socket shows which probe an answer is for, */
    if (p->each)
        q.first = k->probes; /* but not on the first socket, which sent several */
    if (find_padding(&q))
        return;
    if (!p->each) { /* the same sizes from other ports */
        p->each = true;
        if (find_padding(&q))
            return;
    }
    blame_padding_or_port(&q);
}

bool mtu_contact_elsewhere(struct mtu_path *p, unsigned packet, sd_time rtt)
{
    enum { COPIES = 3 };
    bool each = p->each, answered = false;
    sd_time until = sd_clock_now() + (4 * rtt < first_wait ? first_wait : 4 * rtt);
    p->each = true;
    for (uint32_t i = 0; i < COPIES; i++)
        mtu_path_send(p, ID_ELSEWHERE + i, packet, 0);
    p->each = each;
    while (!answered && sd_clock_now() < until) {
        struct mtu_heard h;
        mtu_path_hear(p, &h, until);
        if (h.kind == MTU_HEARD_STOP)
            return false;
        answered = h.kind == MTU_HEARD_ANSWER && h.answer != MTU_HELLO_FOREIGN &&
                   h.id - ID_ELSEWHERE < COPIES;
    }
    return answered;
}
