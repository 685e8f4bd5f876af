/* SPDX-License-Identifier: MIT */
#include "dtls_scan/report/baseline.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "common/output.h"

static const char *member(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static bool is_old_report(const json_t *o)
{
    return !strcmp(member(o, "type"), "scan") && json_is_array(json_object_get(o, "results"));
}

/* False at the end of the file. */
static bool more_follows(FILE *from)
{
    int c;
    while ((c = fgetc(from)) != EOF && isspace(c))
        ;
    return c != EOF && ungetc(c, from) != EOF;
}

static bool read_old_reports(FILE *from, json_t *reports, char why[static TOOL_WHY],
                             const char *path)
{
    json_error_t e;
    while (more_follows(from)) {
        json_t *o = json_loadf(from, JSON_DISABLE_EOF_CHECK, &e);
        if (!o)
            return tool_wrong(why, "%s: no report of dtls_scan --json: %s", path, e.text);
        if (is_old_report(o))
            json_array_append(reports, o);
        json_decref(o);
    }
    return json_array_size(reports) || tool_wrong(why, "%s: no report of dtls_scan --json", path);
}

json_t *scan_baseline_load(const char *path, char why[static TOOL_WHY])
{
    FILE *from = fopen(path, "re");
    json_t *reports = json_array();
    bool ok = false;
    if (!from)
        tool_wrong(why, "cannot open %s: %s", path, strerror(errno));
    else
        ok = read_old_reports(from, reports, why, path);
    if (from)
        fclose(from);
    if (ok)
        return reports;
    json_decref(reports);
    return NULL;
}

const json_t *scan_baseline_of(const json_t *reports, const struct scan_report *r)
{
    for (size_t i = json_array_size(reports); i--;) {
        const json_t *o = json_array_get(reports, i);
        if (!strcmp(member(o, "host"), r->host) && !strcmp(member(o, "port"), r->port))
            return o;
    }
    return NULL;
}

static const json_t *old_result(const json_t *old, const char *id)
{
    const json_t *results = json_object_get(old, "results");
    for (size_t i = 0; i < json_array_size(results); i++)
        if (!strcmp(member(json_array_get(results, i), "id"), id))
            return json_array_get(results, i);
    return NULL;
}

static bool level_is_settled(enum scan_level level)
{
    return level != SCAN_NOT_RUN && level != SCAN_NOT_KNOWN;
}

static bool has_changed(const json_t *old, const struct scan_outcome *now)
{
    enum scan_level level;
    json_t *was = json_object_get(old, "value");
    if (!scan_level_parse(member(old, "level"), &level) || !level_is_settled(level) ||
        !level_is_settled(now->level))
        return false;
    return level != now->level || !json_equal(was, now->value ? now->value : json_null());
}

static json_t *change_json(const json_t *old, const struct scan_result *now)
{
    json_t *was = json_object_get(old, "value");
    json_t *o = json_pack("{s:s, s:s, s:s}", "id", now->check->id, "level",
                          scan_level_name(now->outcome.level), "old_level", member(old, "level"));
    tool_field(o, "text", now->outcome.text);
    tool_field(o, "old_text", member(old, "text"));
    json_object_set(o, "value", now->outcome.value ? now->outcome.value : json_null());
    json_object_set(o, "old_value", was ? was : json_null());
    return o;
}

json_t *scan_baseline_changes(const json_t *old, const struct scan_report *r)
{
    json_t *changes = json_array();
    for (size_t i = 0; i < r->count; i++) {
        const json_t *was = old_result(old, r->results[i].check->id);
        if (was && has_changed(was, &r->results[i].outcome))
            json_array_append_new(changes, change_json(was, &r->results[i]));
    }
    return changes;
}
