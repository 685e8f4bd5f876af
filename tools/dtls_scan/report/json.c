/* SPDX-License-Identifier: MIT */
#include "common/output.h"
#include "dtls_scan/report/report.h"

static const char *stop_id(enum scan_stop stop)
{
    static const char *const ids[] = {[SCAN_STOP_BUDGET] = "datagrams", [SCAN_STOP_TIME] = "time",
                                      [SCAN_STOP_SIGNAL] = "signal",    [SCAN_STOP_MUTE] = "mute",
                                      [SCAN_STOP_LOCAL] = "local",      [SCAN_GO] = NULL};
    return ids[stop];
}

static json_t *outcome_json(const struct scan_result *r)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s}", "id", r->check->id, "group", scan_group_id(r->check->group),
                  "level", scan_level_name(r->outcome.level));
    tool_field(o, "text", r->outcome.text);
    json_object_set(o, "value", r->outcome.value ? r->outcome.value : json_null());
    return o;
}

json_t *scan_report_json(const struct scan_report *r)
{
    char addr[SD_ADDR_TEXT];
    json_t *results = json_array();
    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(results, outcome_json(&r->results[i]));
    json_t *o = json_pack("{s:s, s:f, s:f, s:i, s:i, s:I, s:I, s:i, s:i, s:b, s:s?, s:s, s:o}",
                          "type", "scan", "time", (double)r->when / (double)SD_SEC, "seconds",
                          r->seconds, "sent", (int)r->sent, "received", (int)r->received,
                          "sent_bytes", (json_int_t)r->sent_bytes, "received_bytes",
                          (json_int_t)r->received_bytes, "asked", (int)r->asked, "repeated",
                          (int)r->repeated, "quick", r->quick, "ended_early", stop_id(r->stop),
                          "worst", scan_level_name(scan_report_worst(r)), "results", results);
    if (r->changes)
        json_object_set(o, "changes", r->changes);
    tool_field(o, "host", r->host);
    tool_field(o, "port", r->port);
    tool_field(o, "address", sd_addr_text(&r->to, addr));
    return o;
}
