/* SPDX-License-Identifier: MIT */
/* Which library the server resembles: by the order of the extensions in its ServerHello, which a
 * program that uses the library cannot change. Measured with OpenSSL 1.1.1 to 4.0, GnuTLS 3.7 and
 * 3.8, wolfSSL 5.5 and 5.9, Mbed TLS 2.28 and 3.6. */
#include "common/words.h"
#include "dtls_scan/checks/check.h"
#include "wire/iana.h"
#include "wire/names.h"

enum { MARKS = 4, MARKS_NEEDED = 3 };

static const struct {
    const char *name;
    uint16_t order[MARKS];
} libraries[] = {
    {"OpenSSL",
     {SD_EXT_RENEGOTIATION_INFO, SD_EXT_EC_POINT_FORMATS, SD_EXT_SESSION_TICKET,
      SD_EXT_EXTENDED_MASTER_SECRET}},
    {"GnuTLS",
     {SD_EXT_EC_POINT_FORMATS, SD_EXT_EXTENDED_MASTER_SECRET, SD_EXT_SESSION_TICKET,
      SD_EXT_RENEGOTIATION_INFO}},
    {"wolfSSL",
     {SD_EXT_EC_POINT_FORMATS, SD_EXT_SESSION_TICKET, SD_EXT_RENEGOTIATION_INFO,
      SD_EXT_EXTENDED_MASTER_SECRET}},
    {"Mbed TLS",
     {SD_EXT_RENEGOTIATION_INFO, SD_EXT_EXTENDED_MASTER_SECRET, SD_EXT_SESSION_TICKET,
      SD_EXT_EC_POINT_FORMATS}},
};

static unsigned place_in(const uint16_t order[static MARKS], uint16_t type)
{
    unsigned i = 0;
    while (i < MARKS && order[i] != type)
        i++;
    return i;
}

/* The marks that the server sent come in this order. */
static bool in_this_order(const struct scan_offer_fact *f, const uint16_t order[static MARKS])
{
    unsigned least = 0, marks = 0;
    for (unsigned i = 0; i < f->types; i++) {
        unsigned place = place_in(order, f->type[i]);
        if (place == MARKS)
            continue;
        if (place < least)
            return false;
        least = place;
        marks++;
    }
    return marks >= MARKS_NEEDED;
}

static void list_marks(struct tool_words *w, const struct scan_offer_fact *f)
{
    char none[SD_NAME_TEXT];
    for (unsigned i = 0; i < f->types; i++)
        if (place_in(libraries[0].order, f->type[i]) < MARKS)
            tool_words_add(w, "%s%s", w->len ? ", " : "",
                           sd_name(SD_NAME_EXTENSION, f->type[i], none));
}

static void check_stack(struct scan *s, struct scan_outcome *o)
{
    char text[256];
    struct tool_words w = tool_words_in(text, sizeof text);
    const struct scan_offer_fact *f = scan_offer(s);
    if (f->reply != SCAN_REPLY_HELLO) {
        scan_not_run(o, "no ServerHello of DTLS 1.2 or 1.0 shows its extensions");
        return;
    }
    list_marks(&w, f);
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        if (!in_this_order(f, libraries[i].order))
            continue;
        scan_found(o, SCAN_INFO, json_string(libraries[i].name),
                   "probably %s: its extensions come in the order %s", libraries[i].name, text);
        return;
    }
    scan_not_known(o, "no library of ours orders its extensions so: %s", w.len ? text : "none");
}

const struct scan_check scan_stack_checks[] = {
    {"stack", "Library", SCAN_GROUP_PROTOCOL, SCAN_QUICK, check_stack},
};
const size_t scan_stack_count = sizeof scan_stack_checks / sizeof *scan_stack_checks;
