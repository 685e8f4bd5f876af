/* SPDX-License-Identifier: MIT */
/* What the accepted suites, groups and signature algorithms mean. */
#include <string.h>

#include "common/words.h"
#include "dtls_scan/checks/check.h"
#include "wire/names.h"

static json_t *names_json(enum sd_registry registry, const uint16_t *codes, unsigned count)
{
    char none[SD_NAME_TEXT];
    json_t *list = json_array();
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(list, json_string(sd_name(registry, codes[i], none)));
    return list;
}

/* "TLS_" says nothing. */
static void add_names(struct tool_words *w, enum sd_registry registry, const uint16_t *codes,
                      unsigned count)
{
    char none[SD_NAME_TEXT];
    for (unsigned i = 0; i < count; i++) {
        const char *name = sd_name(registry, codes[i], none);
        tool_words_add(w, "%s%s", i ? ", " : "", strncmp(name, "TLS_", 4) ? name : name + 4);
    }
}

static const char *order_text(const struct scan_suite_fact *f)
{
    return f->server_order == SCAN_YES  ? ", the server's order counts"
           : f->server_order == SCAN_NO ? ", the client's order counts"
                                        : "";
}

static void check_suites_of(struct scan *s, enum scan_version v, struct scan_outcome *o)
{
    char text[SCAN_SENTENCE];
    struct tool_words w = tool_words_in(text, sizeof text);
    if (scan_version(s, v)->accepted != SCAN_YES) {
        scan_not_run(o, "the server does not accept this version");
        return;
    }
    const struct scan_suite_fact *f = scan_suites(s, v);
    add_names(&w, SD_NAME_SUITE, f->suite, f->count);
    if (!f->count)
        scan_not_known(o, "no suite is known");
    else
        scan_found(o, f->complete ? SCAN_INFO : SCAN_NOT_KNOWN,
                   names_json(SD_NAME_SUITE, f->suite, f->count), "%s%u%s: %s",
                   f->complete ? "" : "at least ", f->count, order_text(f), text);
}

static void check_suites10(struct scan *s, struct scan_outcome *o)
{
    check_suites_of(s, SCAN_V10, o);
}

static void check_suites12(struct scan *s, struct scan_outcome *o)
{
    check_suites_of(s, SCAN_V12, o);
}

static void check_suites13(struct scan *s, struct scan_outcome *o)
{
    check_suites_of(s, SCAN_V13, o);
}

static void check_suite_order(struct scan *s, struct scan_outcome *o)
{
    const struct scan_suite_fact *f = scan_legacy_suites(s);
    if (f->server_order == SCAN_UNKNOWN)
        scan_not_run(o, "fewer than two suites are accepted");
    else if (f->server_order == SCAN_YES)
        scan_found(o, SCAN_OK, json_string("server"), "the server chooses by its own order");
    else
        scan_found(o, SCAN_INFO, json_string("client"), "the server follows the client's order");
}

/* Collects the accepted suites, of 1.0 and 1.2, for which `is` holds. */
static unsigned collect(struct scan *s, bool (*is)(uint16_t), uint16_t out[static SCAN_SUITES_KEPT],
                        bool *complete)
{
    unsigned n = 0;
    *complete = s->asker.has_control;
    for (int v = SCAN_V10; v <= SCAN_V12; v++) {
        const struct scan_suite_fact *f = scan_suites(s, (enum scan_version)v);
        *complete &= scan_version(s, (enum scan_version)v)->accepted == SCAN_NO || f->complete;
        for (unsigned i = 0; i < f->count && n < SCAN_SUITES_KEPT; i++) {
            bool again = false;
            for (unsigned k = 0; k < n; k++)
                again |= out[k] == f->suite[i];
            if (!again && is(f->suite[i]))
                out[n++] = f->suite[i];
        }
    }
    return n;
}

static void check_kind(struct scan *s, struct scan_outcome *o, bool (*is)(uint16_t),
                       enum scan_level level, const char *what)
{
    char text[SCAN_SENTENCE];
    uint16_t list[SCAN_SUITES_KEPT];
    bool complete;
    struct tool_words w = tool_words_in(text, sizeof text);
    unsigned n = collect(s, is, list, &complete);
    add_names(&w, SD_NAME_SUITE, list, n);
    if (n)
        scan_found(o, level, names_json(SD_NAME_SUITE, list, n), "accepts %u %s suite%s: %s", n,
                   what, n == 1 ? "" : "s", text);
    else if (complete)
        scan_found(o, SCAN_OK, json_array(), "no %s suite is accepted", what);
    else
        scan_not_known(o, "not all suites were asked for");
}

static bool is_null(uint16_t suite)
{
    return scan_suite_is(suite, "NULL");
}

static bool is_anon(uint16_t suite)
{
    return scan_suite_is(suite, "anon");
}

static bool is_export(uint16_t suite)
{
    return scan_suite_is(suite, "EXPORT");
}

static bool is_broken(uint16_t suite)
{
    return !is_export(suite) && (scan_suite_is(suite, "RC4") || scan_suite_is(suite, "RC2") ||
                                 scan_suite_is(suite, "DES") || scan_suite_is(suite, "DES40"));
}

static bool is_64_bit(uint16_t suite)
{
    return scan_suite_is(suite, "3DES") || scan_suite_is(suite, "IDEA");
}

static bool is_cbc(uint16_t suite)
{
    return scan_suite_is(suite, "CBC");
}

static bool is_static(uint16_t suite)
{
    return !scan_suite_exchange(suite, "ECDHE") && !scan_suite_exchange(suite, "DHE") &&
           !scan_suite_is(suite, "anon");
}

static void check_null(struct scan *s, struct scan_outcome *o)
{
    check_kind(s, o, is_null, SCAN_CRITICAL, "unencrypted (NULL)");
}

static void check_anon(struct scan *s, struct scan_outcome *o)
{
    check_kind(s, o, is_anon, SCAN_CRITICAL, "anonymous");
}

static void check_export(struct scan *s, struct scan_outcome *o)
{
    check_kind(s, o, is_export, SCAN_CRITICAL, "export");
}

static void check_broken(struct scan *s, struct scan_outcome *o)
{
    check_kind(s, o, is_broken, SCAN_HIGH, "broken (RC4, DES)");
}

static void check_64_bit(struct scan *s, struct scan_outcome *o)
{
    check_kind(s, o, is_64_bit, SCAN_MEDIUM, "64-bit block (SWEET32)");
}

static void check_cbc(struct scan *s, struct scan_outcome *o)
{
    check_kind(s, o, is_cbc, SCAN_LOW, "CBC");
}

static void check_static(struct scan *s, struct scan_outcome *o)
{
    check_kind(s, o, is_static, SCAN_LOW, "non-forward-secret");
}

static void put_choices(struct scan_outcome *o, const struct scan_choice_fact *f,
                        enum sd_registry registry, const char *none)
{
    char text[SCAN_SENTENCE];
    struct tool_words w = tool_words_in(text, sizeof text);
    add_names(&w, registry, f->code, f->count);
    if (!f->count && !f->complete)
        scan_not_run(o, "%s", none);
    else
        scan_found(o, f->complete ? SCAN_INFO : SCAN_NOT_KNOWN,
                   names_json(registry, f->code, f->count), "%s%s", f->count ? text : "none",
                   f->complete ? "" : "; perhaps more");
}

static void check_groups(struct scan *s, struct scan_outcome *o)
{
    put_choices(o, scan_groups(s), SD_NAME_GROUP, "no ECDHE suite is accepted");
}

static void check_groups13(struct scan *s, struct scan_outcome *o)
{
    put_choices(o, scan_groups13(s), SD_NAME_GROUP, "the server does not accept DTLS 1.3");
}

static void check_schemes(struct scan *s, struct scan_outcome *o)
{
    put_choices(o, scan_schemes(s), SD_NAME_SCHEME, "no suite with a signed key exchange");
}

static bool is_post_quantum(uint16_t group)
{
    return (group >= 0x0200 && group <= 0x0202) || (group >= 4587 && group <= 4589);
}

static void check_post_quantum(struct scan *s, struct scan_outcome *o)
{
    char none[SD_NAME_TEXT];
    const struct scan_choice_fact *f = scan_groups13(s);
    if (scan_version(s, SCAN_V13)->accepted != SCAN_YES) {
        scan_not_run(o, "the server does not accept DTLS 1.3");
        return;
    }
    for (unsigned i = 0; i < f->count; i++) {
        if (!is_post_quantum(f->code[i]))
            continue;
        scan_found(o, SCAN_OK, json_true(), "accepts %s", sd_name(SD_NAME_GROUP, f->code[i], none));
        return;
    }
    if (f->complete)
        scan_found(o, SCAN_INFO, json_false(), "no post-quantum group is accepted");
    else
        scan_not_known(o, "not all groups were asked for");
}

#define ROW(id, title, run)                                                                        \
    {                                                                                              \
        id, title, SCAN_GROUP_CRYPTO, 0, run                                                       \
    }

const struct scan_check scan_suite_checks[] = {
    ROW("suites-1.0", "Suites of DTLS 1.0", check_suites10),
    ROW("suites-1.2", "Suites of DTLS 1.2", check_suites12),
    ROW("suites-1.3", "Suites of DTLS 1.3", check_suites13),
    ROW("suite-order", "Order of suites", check_suite_order),
    ROW("null-suites", "No encryption", check_null),
    ROW("anonymous-suites", "No authentication", check_anon),
    ROW("export-suites", "Export suites", check_export),
    ROW("broken-suites", "RC4 and DES", check_broken),
    ROW("block64-suites", "64-bit block ciphers", check_64_bit),
    ROW("cbc-suites", "CBC suites", check_cbc),
    ROW("static-suites", "No forward secrecy", check_static),
    ROW("groups", "Groups", check_groups),
    ROW("groups-1.3", "Groups of DTLS 1.3", check_groups13),
    ROW("post-quantum", "Post-quantum groups", check_post_quantum),
    ROW("signature-algorithms", "Signature algorithms", check_schemes),
};
const size_t scan_suite_check_count = sizeof scan_suite_checks / sizeof *scan_suite_checks;
