/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/contact.h"

#include <errno.h>

/* Small enough for every path that DTLS can use, padded all the same. */
enum { SMALL_V4 = 256, SMALL_V6 = 320, ID_FIRST = 1 << 24, TRIES = 7, PAD_TRIES = 3 };

static const sd_time first_wait = 250 * SD_MS, longest_wait = SD_SEC;

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

static bool settles(struct mtu_contact *k, const struct mtu_heard *h, uint32_t id)
{
    if (h->kind == MTU_HEARD_REPORT)
        return note_error(k, h);
    if (h->kind == MTU_HEARD_ANSWER && h->known && h->id != id)
        return false; /* late, and about another padding */
    if (h->kind == MTU_HEARD_ANSWER && h->answer == MTU_HELLO_FOREIGN) {
        k->foreign = h->size > 0 ? h->size : k->foreign;
        return false; /* anybody may send that: it counts only when nothing better comes */
    }
    if (h->kind == MTU_HEARD_STOP)
        k->end = MTU_CONTACT_STOPPED;
    else
        note_answer(k, h);
    return true;
}

/* Sends one hello and waits for its answer. True when the question is settled. */
static bool ask_once(struct mtu_contact *k, struct mtu_path *p, unsigned packet, sd_time wait)
{
    struct mtu_heard h;
    sd_time sent = sd_clock_now();
    uint32_t id = ID_FIRST + k->probes++;
    int rc = mtu_path_send(p, id, packet, 0);
    if (rc && rc != -ECONNREFUSED && rc != -EAGAIN && rc != -ENOBUFS) {
        k->end = MTU_CONTACT_UNREACHED;
        k->error = -rc;
        return true;
    }
    do {
        mtu_path_hear(p, &h, sent + wait);
        if (h.kind == MTU_HEARD_NOTHING && k->foreign && k->end == MTU_CONTACT_SILENT)
            k->end = MTU_CONTACT_FOREIGN;
        if (h.kind == MTU_HEARD_NOTHING)
            return k->end == MTU_CONTACT_FOREIGN;
    } while (!settles(k, &h, id));
    k->rtt = h.at - sent;
    return true;
}

/* Padded and plain hellos in turns: some servers answer only one kind. */
static enum mtu_hello_pad pad_of_try(unsigned n)
{
    static const enum mtu_hello_pad order[] = {MTU_HELLO_EXT, MTU_HELLO_PLAIN, MTU_HELLO_JUNK};
    return order[n % 3];
}

static bool find_answer(struct mtu_contact *k, struct mtu_path *p, sd_time timeout)
{
    sd_time wait = first_wait, end = sd_clock_now() + timeout;
    for (unsigned i = 0; i < TRIES && sd_clock_now() < end; i++) {
        p->pad = pad_of_try(i);
        if (ask_once(k, p, p->pad == MTU_HELLO_PLAIN ? 0 : k->small, wait))
            return true;
        k->lost++;
        wait = 2 * wait < longest_wait ? 2 * wait : longest_wait;
    }
    return false;
}

/* A hello was answered: which padding is answered, too? The round trip is measured here, as
 * the first one may have waited for ARP or neighbour discovery. */
static bool find_padding(struct mtu_contact *k, struct mtu_path *p)
{
    static const enum mtu_hello_pad order[] = {MTU_HELLO_EXT, MTU_HELLO_JUNK};
    sd_time wait = 4 * k->rtt < first_wait ? first_wait : 4 * k->rtt;
    for (unsigned i = 0; i < 2 * PAD_TRIES; i++) {
        p->pad = order[i % 2];
        if (ask_once(k, p, k->small, wait < longest_wait ? wait : longest_wait))
            return true;
    }
    return false;
}

void mtu_contact_run(struct mtu_contact *k, struct mtu_path *p, sd_time timeout)
{
    *k = (struct mtu_contact){.end = MTU_CONTACT_SILENT, .small = p->ipv6 ? SMALL_V6 : SMALL_V4};
    if (!find_answer(k, p, timeout) || k->end != MTU_CONTACT_OK)
        return;
    if (!k->echoes)
        p->each = true; /* the socket shows which probe an answer is for */
    if (!find_padding(k, p))
        k->end = MTU_CONTACT_NO_PADDED;
}
