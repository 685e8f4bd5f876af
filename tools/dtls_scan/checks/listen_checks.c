/* SPDX-License-Identifier: MIT */
/* What the server does before it knows that the client's address is real. */
#include "common/words.h"
#include "dtls_scan/checks/binding.h"
#include "dtls_scan/checks/check.h"

/* More than three times what was sent is what RFC 9000 section 8.1 forbids, too. */
enum { AMPLIFIES_MUCH = 300 };

static const struct scan_unproven_fact *answered_unproven(struct scan *s, struct scan_outcome *o)
{
    const struct scan_unproven_fact *f = scan_unproven(s);
    if (!f->datagrams)
        scan_not_known(o, "no answer to a hello without a cookie");
    return f->datagrams ? f : NULL;
}

static void check_cookie(struct scan *s, struct scan_outcome *o)
{
    const struct scan_unproven_fact *f = answered_unproven(s, o);
    if (!f)
        return;
    if (f->cookie)
        scan_found(o, SCAN_OK, json_integer(f->cookie_len),
                   "the server asks for a cookie of %u bytes before it does anything else",
                   f->cookie_len);
    else if (f->reply == SCAN_REPLY_ALERT)
        scan_not_known(o, "the server answers with an alert");
    else
        scan_found(o, SCAN_HIGH, json_integer(0),
                   "the server asks for no cookie: a forged address gets its whole flight");
}

static void check_amplification(struct scan *s, struct scan_outcome *o)
{
    const struct scan_unproven_fact *f = answered_unproven(s, o);
    if (!f)
        return;
    unsigned percent = (unsigned)(100 * f->answer_bytes / f->asked_bytes);
    enum scan_level level = percent <= 100              ? SCAN_OK
                            : percent <= AMPLIFIES_MUCH ? SCAN_LOW
                                                        : SCAN_HIGH;
    scan_found(o, level, json_real(percent / 100.0),
               "%u.%02u bytes to an unproven address per byte received (%zu for %zu, in %u "
               "datagram%s)",
               percent / 100, percent % 100, f->answer_bytes, f->asked_bytes, f->datagrams,
               f->datagrams == 1 ? "" : "s");
}

static void check_state(struct scan *s, struct scan_outcome *o)
{
    const struct scan_unproven_fact *f = answered_unproven(s, o);
    if (!f)
        return;
    if (f->repeats)
        scan_found(o, SCAN_MEDIUM, json_true(),
                   "the server keeps state before the cookie: it repeats its answer by a timer");
    else if (f->cookie)
        scan_found(o, SCAN_OK, json_false(), "no state before the cookie shows");
    else
        scan_found(o, SCAN_MEDIUM, json_true(),
                   "each forged hello opens an association, because there is no cookie");
}

static void list_binding(struct tool_words *w, const char *name)
{
    tool_words_add(w, "%s%s", w->len ? ", " : "", name);
}

static bool has_legacy_cookie(struct scan *s, struct scan_outcome *o)
{
    const struct scan_unproven_fact *f = answered_unproven(s, o);
    if (!f)
        return false;
    if (f->reply == SCAN_REPLY_VERIFY)
        return true;
    scan_not_run(o, "the server sends no HelloVerifyRequest");
    return false;
}

/* RFC 6347 section 4.2.1: the cookie depends on the client's address, and the hello has to be the
 * same but for the cookie. */
static void check_binding(struct scan *s, struct scan_outcome *o)
{
    char in[160], out[160], open[160];
    struct tool_words bound = tool_words_in(in, sizeof in);
    struct tool_words loose = tool_words_in(out, sizeof out);
    struct tool_words unknown = tool_words_in(open, sizeof open);
    enum scan_level level = SCAN_OK;
    if (!has_legacy_cookie(s, o))
        return;
    json_t *value = json_object();
    for (int b = 0; b < SCAN_BOUND_COUNT; b++) {
        const char *name = scan_binding_name((enum scan_binding)b);
        enum scan_tri is = scan_binding_ask(s, (enum scan_binding)b);
        list_binding(is == SCAN_YES ? &bound : is == SCAN_NO ? &loose : &unknown, name);
        json_object_set_new(value, name,
                            is == SCAN_UNKNOWN ? json_null() : json_boolean(is == SCAN_YES));
        if (is == SCAN_NO && (b == SCAN_BOUND_ADDRESS || b == SCAN_BOUND_PORT))
            level = b == SCAN_BOUND_ADDRESS ? SCAN_HIGH : level > SCAN_LOW ? level : SCAN_LOW;
    }
    scan_found(o, s->line.stop ? SCAN_NOT_KNOWN : level, value, "bound to %s%s%s%s%s",
               bound.len ? in : "nothing", loose.len ? "; not to " : "", out,
               unknown.len ? "; not known: " : "", open);
}

/* Waits, so that the answer means something; longer would cost every scan that time. */
static void check_lifetime(struct scan *s, struct scan_outcome *o)
{
    static const sd_time age = 3 * SD_SEC;
    struct scan_kept_cookie k = {0};
    size_t len;
    if (!has_legacy_cookie(s, o))
        return;
    scan_cookie_keep(s, &k);
    if (!k.there) {
        scan_not_known(o, "no cookie came");
        return;
    }
    scan_port_hear(&k.port, s->asker.datagram, &len, k.since + age);
    double seconds = (double)(sd_clock_now() - k.since) / (double)SD_SEC;
    enum scan_tri good = scan_cookie_use(s, &k);
    if (good == SCAN_UNKNOWN)
        scan_not_known(o, "the scan was stopped");
    else
        scan_found(o, good == SCAN_YES ? SCAN_OK : SCAN_MEDIUM,
                   json_pack("{s:f, s:b}", "age_s", seconds, "accepted", good == SCAN_YES),
                   "a cookie of %.0f s ago is %s", seconds,
                   good == SCAN_YES ? "accepted" : "refused: slow clients cannot connect");
}

static void check_one_address(struct scan *s, struct scan_outcome *o)
{
    if (!s->asker.has_control)
        scan_not_run(o, "no hello is known that the server answers");
    else if (s->line.one_port)
        scan_found(o, SCAN_LOW, json_true(),
                   "the server serves only the first address and port that showed a cookie");
    else
        scan_found(o, SCAN_OK, json_false(), "the server serves several ports of one client");
}

#define ROW(id, title, flags, run)                                                                 \
    {                                                                                              \
        id, title, SCAN_GROUP_LISTEN, flags, run                                                   \
    }

const struct scan_check scan_listen_checks[] = {
    ROW("cookie", "Cookie", SCAN_QUICK, check_cookie),
    ROW("amplification", "Amplification", SCAN_QUICK, check_amplification),
    ROW("state-before-cookie", "State before the cookie", SCAN_QUICK, check_state),
    ROW("one-address", "Other addresses", SCAN_QUICK, check_one_address),
    ROW("cookie-binding", "Cookie depends on", 0, check_binding),
    ROW("cookie-lifetime", "Cookie lifetime", 0, check_lifetime),
};
const size_t scan_listen_count = sizeof scan_listen_checks / sizeof *scan_listen_checks;
