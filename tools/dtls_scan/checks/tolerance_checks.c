/* SPDX-License-Identifier: MIT */
/* What the server makes of what it cannot know yet: RFC 8446 section 4.1.2 and RFC 8701. */
#include "dtls_scan/checks/check.h"
#include "wire/record.h"

static void ask_tolerated(struct scan *s, struct scan_outcome *o, const struct scan_hello *h,
                          const char *what)
{
    if (!s->asker.has_control) {
        scan_not_run(o, "no hello is known that the server answers");
        return;
    }
    enum scan_reply reply = scan_ask(&s->asker, h, SCAN_UNTIL_HELLO);
    if (reply == SCAN_REPLY_UNKNOWN)
        scan_not_known(o, "the scan was stopped");
    else if (reply == SCAN_REPLY_HELLO || reply == SCAN_REPLY_RETRY)
        scan_found(o, SCAN_OK, json_true(), "%s is tolerated", what);
    else
        scan_found(o, SCAN_MEDIUM, json_false(), "%s is %s", what,
                   reply == SCAN_REPLY_ALERT ? "refused with an alert" : "not answered");
}

static void check_downgrade(struct scan *s, struct scan_outcome *o)
{
    const struct scan_offer_fact *f = scan_offer(s);
    if (scan_version(s, SCAN_V13)->accepted != SCAN_YES || f->reply != SCAN_REPLY_HELLO)
        scan_not_run(o, "only a server of DTLS 1.3 and an older version has to mark a downgrade");
    else
        scan_found(o, f->downgrade_mark ? SCAN_OK : SCAN_MEDIUM, json_boolean(f->downgrade_mark),
                   "a downgrade from DTLS 1.3 is %smarked in the server's random",
                   f->downgrade_mark ? "" : "not ");
}

static void check_unknown_version(struct scan *s, struct scan_outcome *o)
{
    enum { FUTURE = 0xfe00 };
    struct scan_hello h;
    if (!scan_legacy_hello(s, &h)) {
        scan_not_run(o, "the server accepts neither DTLS 1.2 nor 1.0");
        return;
    }
    h.version = FUTURE;
    ask_tolerated(s, o, &h, "a future version in the hello");
}

static void check_grease(struct scan *s, struct scan_outcome *o)
{
    static const uint8_t one[1];
    struct scan_hello h = s->asker.control;
    scan_hello_renew(&h);
    h.suites[h.suite_count++] = 0x0a0a;
    h.groups.code[h.groups.count++] = 0x1a1a;
    h.schemes.code[h.schemes.count++] = 0x2a2a;
    scan_hello_add(&h, 0x3a3a, one, 0);
    scan_hello_add(&h, 0x4a4a, one, sizeof one);
    ask_tolerated(s, o, &h, "GREASE (RFC 8701)");
}

static void check_unknown_extension(struct scan *s, struct scan_outcome *o)
{
    static const uint8_t body[16] = {1, 2, 3};
    struct scan_hello h = s->asker.control;
    scan_hello_renew(&h);
    scan_hello_add(&h, 0xfe0f, body, sizeof body);
    ask_tolerated(s, o, &h, "an unknown extension");
}

#define ROW(id, title, run)                                                                        \
    {                                                                                              \
        id, title, SCAN_GROUP_PROTOCOL, 0, run                                                     \
    }

const struct scan_check scan_tolerance_checks[] = {
    ROW("downgrade-sentinel", "Downgrade protection", check_downgrade),
    ROW("unknown-version", "Unknown version", check_unknown_version),
    ROW("grease", "GREASE", check_grease),
    ROW("unknown-extension", "Unknown extension", check_unknown_extension),
};
const size_t scan_tolerance_count = sizeof scan_tolerance_checks / sizeof *scan_tolerance_checks;
