#include "dtls_mtu/contact.h"

#include <errno.h>

/* Small enough for every path that DTLS can use, padded all the same. */
enum { SMALL_V4 = 256, SMALL_V6 = 320, ID_FIRST = 1 << 24, TRIES = 7, PAD_TRIES = 3 };

static const sd_time first_wait = 250 * SD_MS, longest_wait = SD_SEC;

/* A report that quotes nothing of ours may be forged: it explains a silence, no more. */
static bool on_report(struct contact *k, const struct heard *h)
{
    const struct sd_report *r = &h->report;
    k->from = r->from;
    k->error = r->error;
    if (!h->known && !r->here)
        return false;
    k->end = r->error == ECONNREFUSED ? CONTACT_REFUSED : CONTACT_UNREACHED;
    return true;
}

static void on_answer(struct contact *k, const struct heard *h)
{
    static const enum contact_end ends[] = {[HELLO_COOKIE] = CONTACT_OK,
                                            [HELLO_NO_COOKIE] = CONTACT_NO_COOKIE,
                                            [HELLO_ALERT] = CONTACT_ALERT,
                                            [HELLO_FOREIGN] = CONTACT_FOREIGN};
    k->end = ends[h->answer];
    k->alert = h->alert;
    k->answer = h->size;
    k->echoes = h->echoed;
}

static bool usable(struct contact *k, const struct heard *h, uint32_t id)
{
    if (h->kind == HEARD_REPORT)
        return on_report(k, h);
    if (h->kind == HEARD_ANSWER && h->known && h->id != id)
        return false; /* late, and about another padding */
    if (h->kind == HEARD_ANSWER && h->answer == HELLO_FOREIGN) {
        k->foreign = h->size > 0 ? h->size : k->foreign;
        return false; /* anybody may send that: it counts when nothing better comes */
    }
    if (h->kind == HEARD_STOP)
        k->end = CONTACT_STOPPED;
    else
        on_answer(k, h);
    return true;
}

/* One hello, and what comes of it until `wait` is over. */
static bool ask(struct contact *k, struct path *p, unsigned packet, sd_time wait)
{
    struct heard h;
    sd_time sent = sd_clock_now();
    uint32_t id = ID_FIRST + k->probes++;
    int rc = path_send(p, id, packet, 0);
    if (rc && rc != -ECONNREFUSED && rc != -EAGAIN && rc != -ENOBUFS) {
        k->end = CONTACT_UNREACHED;
        k->error = -rc;
        return true;
    }
    do {
        path_hear(p, &h, sent + wait);
        if (h.kind == HEARD_NOTHING && k->foreign && k->end == CONTACT_SILENT)
            k->end = CONTACT_FOREIGN;
        if (h.kind == HEARD_NOTHING)
            return k->end == CONTACT_FOREIGN;
    } while (!usable(k, &h, id));
    k->rtt = h.at - sent;
    return true;
}

/* Padded and plain in turns: some server may answer only one. */
static enum hello_pad turn(unsigned n)
{
    static const enum hello_pad order[] = {HELLO_EXT, HELLO_PLAIN, HELLO_JUNK};
    return order[n % 3];
}

static bool reach(struct contact *k, struct path *p, sd_time timeout)
{
    sd_time wait = first_wait, end = sd_clock_now() + timeout;
    for (unsigned i = 0; i < TRIES && sd_clock_now() < end; i++) {
        p->pad = turn(i);
        if (ask(k, p, p->pad == HELLO_PLAIN ? 0 : k->small, wait))
            return true;
        k->lost++;
        wait = 2 * wait < longest_wait ? 2 * wait : longest_wait;
    }
    return false;
}

/* The plain hello was answered: is a padded one, too? The round trip is taken here, as
 * the first one may have waited for ARP or neighbour discovery. */
static bool choose_pad(struct contact *k, struct path *p)
{
    static const enum hello_pad order[] = {HELLO_EXT, HELLO_JUNK};
    sd_time wait = 4 * k->rtt < first_wait ? first_wait : 4 * k->rtt;
    for (unsigned i = 0; i < 2 * PAD_TRIES; i++) {
        p->pad = order[i % 2];
        if (ask(k, p, k->small, wait < longest_wait ? wait : longest_wait))
            return true;
    }
    return false;
}

void contact_run(struct contact *k, struct path *p, sd_time timeout)
{
    *k = (struct contact){.end = CONTACT_SILENT, .small = p->ipv6 ? SMALL_V6 : SMALL_V4};
    if (!reach(k, p, timeout) || k->end != CONTACT_OK)
        return;
    if (!k->echoes)
        p->each = true; /* the socket tells which probe an answer is for */
    if (!choose_pad(k, p))
        k->end = CONTACT_NO_PADDED;
}
