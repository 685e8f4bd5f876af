/* SPDX-License-Identifier: MIT */
/* Which versions the server accepts, and a hello that it answers. */
#include "dtls_scan/checks/facts.h"
#include "dtls_scan/scan.h"
#include "wire/record.h"

uint16_t scan_version_code(enum scan_version v)
{
    static const uint16_t codes[] = {[SCAN_V09] = SD_DTLS_BAD,
                                     [SCAN_V10] = SD_DTLS_1_0,
                                     [SCAN_V12] = SD_DTLS_1_2,
                                     [SCAN_V13] = SD_DTLS_1_3};
    return codes[v];
}

/* Whether the answer says yes or no to the version; a silence says no, because the server answered
 * a control question after it. */
static enum scan_tri verdict(const struct scan *s, enum scan_reply reply, uint16_t chosen,
                             uint16_t wanted)
{
    switch (reply) {
    case SCAN_REPLY_HELLO:
    case SCAN_REPLY_RETRY:
        return chosen == wanted ? SCAN_YES : SCAN_NO;
    case SCAN_REPLY_ALERT:
        return SCAN_NO;
    case SCAN_REPLY_VERIFY:
    case SCAN_REPLY_SILENCE:
        return s->asker.has_control ? SCAN_NO : SCAN_UNKNOWN;
    case SCAN_REPLY_UNKNOWN:
    case SCAN_REPLY_REFUSED:
    case SCAN_REPLY_FOREIGN:
    case SCAN_REPLY_ECHO:
        break;
    }
    return SCAN_UNKNOWN;
}

void scan_start_hello(const struct scan *s, struct scan_hello *h, enum scan_version v)
{
    unsigned kept = 0;
    scan_hello_init(h, scan_version_code(v));
    if (!s->facts.psk_only || v == SCAN_V13)
        return;
    for (unsigned i = 0; i < h->suite_count; i++)
        if (scan_suite_exchange(h->suites[i], "PSK"))
            h->suites[kept++] = h->suites[i];
    h->suite_count = kept;
}

/* A server without DTLS 1.3 then answers with its best version; to a hello of 1.3 alone some say
 * nothing (GnuTLS 3.7). */
static void offer_older_too(struct scan_hello *h)
{
    static const uint16_t both[] = {SD_DTLS_1_3, SD_DTLS_1_2};
    struct scan_hello older;
    scan_hello_init(&older, SD_DTLS_1_2);
    for (unsigned i = 0; i < older.suite_count; i++)
        h->suites[h->suite_count++] = older.suites[i];
    scan_codes_set(&h->versions, both, 2);
    h->ext |= older.ext;
}

static void ask_version(struct scan *s, enum scan_version v, struct scan_version_fact *f,
                        uint16_t from)
{
    struct scan_asker *a = &s->asker;
    struct scan_hello h;
    struct sd_server_hello sh;
    scan_start_hello(s, &h, v);
    if (v == SCAN_V13)
        offer_older_too(&h);
    f->asked = true;
    f->reply = a->has_control ? scan_ask(a, &h, SCAN_UNTIL_HELLO)
                              : scan_ask_from(a, &h, SCAN_UNTIL_HELLO, from);
    if (scan_answer_hello(&a->answer, f->reply == SCAN_REPLY_RETRY, &sh))
        f->chosen = sd_server_hello_version(&sh);
    f->alert = a->answer.alert.description;
    f->cookie = a->cookie;
    f->accepted = verdict(s, f->reply, f->chosen, scan_version_code(v));
    if (f->accepted != SCAN_YES || a->has_control)
        return;
    a->control = h;
    a->has_control = true;
}

const struct scan_version_fact *scan_version(struct scan *s, enum scan_version v)
{
    struct scan_version_fact *f = &s->facts.version[v];
    if (!f->asked && !s->line.stop)
        ask_version(s, v, f, 0);
    return f;
}

bool scan_legacy_hello(struct scan *s, struct scan_hello *h)
{
    static const enum scan_version order[] = {SCAN_V12, SCAN_V10};
    for (unsigned i = 0; i < 2; i++) {
        if (scan_version(s, order[i])->accepted != SCAN_YES)
            continue;
        scan_start_hello(s, h, order[i]);
        return true;
    }
    return false;
}

/* A silence before there was a control question is asked again when somebody wants to know. */
static void forget_silences(struct scan *s)
{
    for (unsigned v = 0; v < SCAN_VERSIONS; v++)
        if (s->facts.version[v].accepted == SCAN_UNKNOWN)
            s->facts.version[v] = (struct scan_version_fact){0};
}

/* How telling an answer is: a refusal by alert says more than a silence. */
static bool says_more(enum scan_reply a, enum scan_reply b)
{
    static const uint8_t worth[] = {
        [SCAN_REPLY_SILENCE] = 0, [SCAN_REPLY_UNKNOWN] = 0, [SCAN_REPLY_REFUSED] = 1,
        [SCAN_REPLY_FOREIGN] = 2, [SCAN_REPLY_ECHO] = 3,    [SCAN_REPLY_VERIFY] = 4,
        [SCAN_REPLY_ALERT] = 5,   [SCAN_REPLY_RETRY] = 6,   [SCAN_REPLY_HELLO] = 6};
    return worth[a] > worth[b];
}

/* One more try, or false when the answers so far say that it would be in vain. */
static bool try_contact(struct scan *s, unsigned attempt, enum scan_reply *best)
{
    static const enum scan_version order[] = {SCAN_V12, SCAN_V12, SCAN_V12,
                                              SCAN_V13, SCAN_V10, SCAN_V09};
    enum { AGAIN = 1, PSK = 2, TRIES = sizeof order / sizeof *order };
    if (attempt == TRIES || s->asker.has_control || s->line.stop)
        return false;
    struct scan_version_fact *f = &s->facts.version[order[attempt]];
    if (attempt == AGAIN && *best == SCAN_REPLY_ALERT)
        return true;
    s->facts.psk_only = attempt == PSK;
    *f = (struct scan_version_fact){0};
    ask_version(s, order[attempt], f, attempt ? 0 : scan_line_first_port(&s->line));
    if (says_more(f->reply, *best))
        *best = f->reply;
    return !attempt || (*best != SCAN_REPLY_REFUSED && *best != SCAN_REPLY_ECHO);
}

/* The first port may be one of an earlier scan whose association the server has not forgotten. Some
 * servers with PSK choose a suite that they have no certificate for (coap-server-gnutls). */
enum scan_reply scan_contact(struct scan *s)
{
    enum scan_reply best = SCAN_REPLY_SILENCE;
    unsigned attempt = 0;
    while (try_contact(s, attempt, &best))
        attempt++;
    if (s->asker.has_control)
        best = SCAN_REPLY_HELLO;
    forget_silences(s);
    return best;
}
