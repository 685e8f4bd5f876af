/* SPDX-License-Identifier: MIT */
/* Protocol versions. */
#include "common/words.h"
#include "dtls_scan/checks/check.h"

static const struct {
    enum scan_version version;
    const char *id, *name;
    enum scan_level offered, refused;
} versions[] = {
    {SCAN_V09, "0.9", "DTLS 0.9", SCAN_HIGH, SCAN_OK},
    {SCAN_V10, "1.0", "DTLS 1.0", SCAN_LOW, SCAN_OK},
    {SCAN_V12, "1.2", "DTLS 1.2", SCAN_OK, SCAN_INFO},
    {SCAN_V13, "1.3", "DTLS 1.3", SCAN_OK, SCAN_INFO},
};

static void list_words(struct tool_words *w, const char *name)
{
    tool_words_add(w, "%s%s", w->len ? ", " : "", name);
}

static void check_versions(struct scan *s, struct scan_outcome *o)
{
    char yes[64], no[64], open[64];
    struct tool_words offered = tool_words_in(yes, sizeof yes);
    struct tool_words refused = tool_words_in(no, sizeof no);
    struct tool_words unknown = tool_words_in(open, sizeof open);
    json_t *value = json_object();
    enum scan_level level = SCAN_OK;
    for (size_t i = 0; i < SCAN_VERSIONS; i++) {
        enum scan_tri is = scan_version(s, versions[i].version)->accepted;
        list_words(is == SCAN_YES  ? &offered
                   : is == SCAN_NO ? &refused
                                   : &unknown,
                   versions[i].name);
        json_object_set_new(value, versions[i].id,
                            is == SCAN_UNKNOWN ? json_null() : json_boolean(is == SCAN_YES));
        if (is == SCAN_YES && versions[i].offered > level)
            level = versions[i].offered;
    }
    scan_found(o, offered.len ? level : SCAN_NOT_KNOWN, value, "%s%s%s%s%s%s",
               offered.len ? "accepts " : "no version is known to be accepted", yes,
               refused.len ? "; refuses " : "", no, unknown.len ? "; not known: " : "", open);
}

const struct scan_check scan_protocol_checks[] = {
    {"versions", "Versions", SCAN_GROUP_PROTOCOL, SCAN_QUICK, check_versions},
};
const size_t scan_protocol_count = sizeof scan_protocol_checks / sizeof *scan_protocol_checks;
