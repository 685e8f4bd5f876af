/* SPDX-License-Identifier: MIT */
#include "dtls_scan/checks/life.h"

#include <stdlib.h>
#include <string.h>

#include "dtls_scan/checks/association.h"

/* --- one question --- */

bool scan_life_pings(const struct scan_life *l)
{
    return (l->repeats && !l->whole) || l->echoes;
}

static void ask_for_life(struct scan_association *a, uint64_t seq, enum puppet_spoil spoil)
{
    const struct scan_life *l = &a->scan->facts.life;
    if (l->echoes)
        scan_say_token(a, seq, false, spoil);
    else
        scan_repeat_finished(a, seq, false, spoil);
}

bool scan_ping(struct scan_association *a, uint64_t seq, enum puppet_spoil spoil, unsigned tries)
{
    const unsigned *answers = a->scan->facts.life.echoes ? &a->data : &a->finished;
    for (unsigned i = 0; i < tries && !a->scan->line.stop && a->puppet.stage != PUPPET_ENDED; i++) {
        unsigned before = *answers;
        ask_for_life(a, seq, spoil);
        scan_associate_hear(a, sd_clock_now() + scan_answer_time(a->scan), answers, before);
        if (*answers > before)
            return true;
    }
    return false;
}

unsigned scan_ping_burst(struct scan_association *a, enum puppet_spoil spoil, unsigned count)
{
    const unsigned *answers = a->scan->facts.life.echoes ? &a->data : &a->finished;
    unsigned before = *answers;
    for (unsigned i = 0; i < count; i++)
        ask_for_life(a, PUPPET_NEXT, spoil);
    scan_associate_hear(a, sd_clock_now() + scan_answer_time(a->scan), answers, before + count - 1);
    return *answers - before;
}

/* The only answer that some servers give is that to close_notify. Any other alert is a last word.
 */
static bool answers_close(struct scan_association *a)
{
    const struct puppet *p = &a->puppet;
    unsigned before = p->alerts;
    a->left = true;
    puppet_warn(&a->puppet, SD_ALERT_WARNING, SD_ALERT_CLOSE_NOTIFY);
    scan_associate_hear(a, sd_clock_now() + 2 * scan_answer_time(a->scan), &p->alerts, before);
    return p->alerts > before && p->alert_sealed && p->alert.description == SD_ALERT_CLOSE_NOTIFY;
}

bool scan_alive(struct scan_association *a)
{
    if (a->puppet.stage != PUPPET_CONNECTED)
        return false;
    if (scan_life_pings(&a->scan->facts.life))
        return scan_ping(a, PUPPET_NEXT, PUPPET_SOUND, scan_line_tries(&a->scan->line));
    return answers_close(a);
}

/* --- the first association --- */

static void try_finished(struct scan_association *a, struct scan_life *l)
{
    unsigned tries = scan_line_tries(&a->scan->line);
    for (int whole = 0; whole < 2 && !l->repeats; whole++)
        for (unsigned i = 0; i < tries && !l->repeats; i++) {
            unsigned before = a->finished;
            scan_repeat_finished(a, PUPPET_NEXT, whole, PUPPET_SOUND);
            scan_associate_hear(a, sd_clock_now() + scan_answer_time(a->scan), &a->finished,
                                before);
            l->repeats = a->finished > before;
            l->whole = whole;
        }
}

static void try_echo(struct scan_association *a, struct scan_life *l)
{
    enum { ECHO_TRIES = 3 };
    for (unsigned i = 0; i < ECHO_TRIES && !l->echoes; i++) {
        unsigned before = a->data;
        scan_say_token(a, PUPPET_NEXT, false, PUPPET_SOUND);
        scan_associate_hear(a, sd_clock_now() + scan_answer_time(a->scan), &a->data, before);
        l->echoes = a->echoed;
        if (a->data > before && !a->echoed)
            return; /* it answers, but does not echo */
    }
}

/* A lost hello of this one is no news: the next associations ask again. */
static void learn_from(struct scan_association *a, struct scan_life *l)
{
    const struct puppet *p = &a->puppet;
    l->connected = p->stage == PUPPET_CONNECTED;
    l->end = p->end;
    l->alert = p->alert.description;
    l->certificate_wanted = p->certificate_wanted;
    l->version = p->version;
    l->suite = p->suite;
    l->extended_master = p->extended_master;
    l->encrypt_then_mac = p->encrypt_then_mac;
    l->secure_renegotiation = p->secure_renegotiation;
    l->heartbeat = p->heartbeat;
    l->finished_sound = p->finished_sound;
    l->session = p->session;
    if (!l->connected)
        return;
    try_finished(a, l);
    try_echo(a, l);
    l->closes = answers_close(a);
}

const struct scan_life *scan_life(struct scan *s)
{
    struct scan_life *l = &s->facts.life;
    const struct scan_wish first = {.ext = SCAN_EXT_TICKET | SCAN_EXT_HEARTBEAT | SCAN_EXT_ETM};
    if (l->asked || s->line.stop)
        return l;
    struct scan_association *a = scan_associate(s, &first);
    l->asked = a || !s->line.stop;
    l->no_suite = !a;
    if (a)
        learn_from(a, l);
    scan_dissociate(a);
    return l;
}

const char *scan_life_why(struct scan *s)
{
    const struct scan_life *l = scan_life(s);
    if (s->facts.version[SCAN_V12].accepted != SCAN_YES &&
        s->facts.version[SCAN_V10].accepted != SCAN_YES)
        return "the server accepts neither DTLS 1.2 nor 1.0";
    if (!l->asked)
        return "the scan ended before";
    if (l->end == PUPPET_END_ALERT && l->certificate_wanted)
        return "the server wants a client certificate (see --certificate)";
    if (l->end == PUPPET_END_ALERT && !l->version)
        return "the server accepts no suite without a pre-shared key (see --psk)";
    if (l->end == PUPPET_END_ALERT)
        return "the server ended the handshake with an alert";
    if (l->end == PUPPET_END_TIMEOUT)
        return "the server did not finish the handshake";
    return "this program cannot finish a handshake with the server";
}
