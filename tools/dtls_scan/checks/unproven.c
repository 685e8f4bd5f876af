/* SPDX-License-Identifier: MIT */
/* What an address gets that has proven nothing: one hello without a cookie, and then silence on our
 * side, until a server that keeps state would have repeated itself. */
#include "dtls_scan/checks/facts.h"
#include "dtls_scan/options.h"
#include "dtls_scan/scan.h"
#include "wire/extension.h"

/* The usual timers repeat after 1 s and 2 s more. */
static const sd_time unproven_wait = 3300 * SD_MS, quick_wait = 1400 * SD_MS, burst = 400 * SD_MS;
/* Not 0, to see who repeats it. */
enum { FIRST_RECORD = 7, HELLOS = 4, DATAGRAMS_MOST = 2000 };

static void note_cookie(const struct scan_answer *a, struct scan_unproven_fact *f)
{
    struct sd_hello_verify hv;
    struct sd_server_hello sh;
    struct sd_span body, cookie = {0};
    f->reply = scan_answer_hello(a, false, &sh) ? SCAN_REPLY_HELLO : SCAN_REPLY_ALERT;
    if (scan_answer_verify(a, &hv)) {
        f->reply = SCAN_REPLY_VERIFY;
        cookie = hv.cookie;
    } else if (scan_answer_hello(a, true, &sh)) {
        f->reply = SCAN_REPLY_RETRY;
        if (sd_ext_find(sh.extensions, SD_EXT_COOKIE, &body))
            sd_ext_opaque(body, 2, &cookie);
    }
    f->record_version = a->record_version;
    f->record_seq = a->record_seq;
    f->cookie = cookie.len;
    f->cookie_len = (unsigned)cookie.len;
}

/* Everything that comes until then; what comes after the first burst is a repeat. */
static void collect_until(struct scan *s, struct scan_port *p, struct scan_unproven_fact *f,
                          sd_time until, bool late)
{
    sd_time first = 0;
    size_t len;
    while (f->datagrams < DATAGRAMS_MOST) {
        enum scan_heard heard = scan_port_hear(p, s->asker.datagram, &len, until);
        if (heard == SCAN_HEARD_NOTHING || heard == SCAN_HEARD_STOP)
            return;
        if (heard != SCAN_HEARD_DATAGRAM)
            continue;
        if (!first)
            first = sd_clock_now();
        f->repeats += late || sd_clock_now() > first + burst;
        f->datagrams++;
        f->answer_bytes += len;
        scan_answer_take(&s->asker.answer, s->asker.datagram, len);
    }
}

/* A server that serves one port of ours cannot be asked from two. */
static bool waits_together(const struct scan *s)
{
    return !s->cfg->quick && !s->cfg->only[0] && !s->line.one_port;
}

/* After a HelloVerifyRequest nothing of ours is open: the other long wait of a scan, with an
 * association, goes on meanwhile. */
static void collect_answers(struct scan *s, struct scan_port *p, struct scan_unproven_fact *f)
{
    sd_time begun = sd_clock_now(), until = begun + (s->cfg->quick ? quick_wait : unproven_wait);
    struct sd_hello_verify hv;
    bool whole = waits_together(s);
    collect_until(s, p, f, whole ? begun + burst : until, false);
    if (whole && scan_answer_verify(&s->asker.answer, &hv))
        scan_mute(s);
    if (whole)
        collect_until(s, p, f, until, f->datagrams);
}

static void ask_unproven(struct scan *s, struct scan_unproven_fact *f)
{
    static const struct scan_delivery plain;
    struct scan_hello h = s->asker.control;
    struct scan_port p;
    uint64_t seq = FIRST_RECORD, before = s->line.sent_bytes;
    scan_hello_renew(&h);
    scan_answer_clear(&s->asker.answer);
    if (!scan_port_open(&p, &s->line))
        return;
    if (scan_deliver(&p, &plain, &h, 0, &seq)) {
        f->asked_bytes = (size_t)(s->line.sent_bytes - before);
        collect_answers(s, &p, f);
    }
    if (f->datagrams)
        note_cookie(&s->asker.answer, f);
    if (f->reply == SCAN_REPLY_HELLO)
        scan_port_goodbye(&p, h.version, seq);
    scan_port_close(&p);
}

const struct scan_unproven_fact *scan_unproven(struct scan *s)
{
    struct scan_unproven_fact *f = &s->facts.unproven;
    for (unsigned i = 0; i < HELLOS && !f->datagrams; i++) {
        if (f->asked && i == 0)
            break;
        if (s->line.stop || !s->asker.has_control)
            break;
        f->asked = true;
        ask_unproven(s, f);
    }
    return f;
}
