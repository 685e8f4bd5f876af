/* SPDX-License-Identifier: MIT */
#include "dtls_scan/report/html.h"

#include "common/page.h"
#include "dtls_scan/report/explain.h"

static const char scan_style[] =
    "body{max-width:1080px}"
    "main h2{font-size:1.2em;font-weight:600;margin:26px 0 0}"
    "main h3{font-size:1em;font-weight:600;color:var(--quiet);margin:22px 0 6px}"
    ".r{background:var(--paper);border:1px solid var(--rule);border-top-width:0;padding:0 14px}"
    "h3+.r{border-top-width:1px;border-radius:8px 8px 0 0}.r:last-child{border-radius:0 0 8px 8px}"
    "h3+.r:last-child{border-radius:8px}"
    ".r>summary{display:grid;grid-template-columns:7.5em 14em minmax(0,1fr);gap:2px 14px;"
    "align-items:baseline;padding:8px 0;cursor:pointer;list-style:none}"
    ".r>summary::-webkit-details-marker{display:none}"
    ".r>summary:focus-visible{outline:2px solid var(--accent);border-radius:8px}"
    ".r p{margin:6px 0;max-width:75ch}.r>:last-child{padding-bottom:10px}"
    ".top{margin:8px 0 0;padding:0;list-style:none}.top li{margin:6px 0}"
    ".chip{justify-self:start;display:inline-block;color:var(--quiet)}"
    ".ok .chip{color:var(--ok)}.info .chip{color:var(--info)}"
    ".low .chip,.medium .chip{color:var(--incomplete)}"
    ".high .chip,.critical .chip{color:var(--failed)}"
    ".critical .chip{background:var(--failed);color:var(--paper)}"
    "@media(max-width:760px){.r>summary{grid-template-columns:7.5em minmax(0,1fr)}"
    ".r .s{grid-column:1/-1}}"
    "@media print{body{background:none;padding:0;font-size:11px}.r{break-inside:avoid}"
    ".r::details-content{content-visibility:visible;display:block}}";

void scan_html_begin(FILE *to, const char *subject)
{
    tool_page_begin(to, "DTLS scan", subject, (const char *const[]){scan_style, NULL});
    fputs("<main>\n", to);
}

void scan_html_end(FILE *to)
{
    fputs("</main>\n", to);
    tool_page_end(to);
}

static void html_figure(FILE *to, const char *what, const char *value)
{
    fprintf(to, "<div><dt>%s</dt>", what);
    tool_page_text(to, "<dd>", value, "</dd></div>\n");
}

static void html_figures(FILE *to, const struct scan_report *r)
{
    char text[64];
    fputs("<section class=\"totals\"><dl>\n", to);
    html_figure(to, "worst result", scan_level_name(scan_report_worst(r)));
    for (int level = SCAN_CRITICAL; level >= SCAN_LOW; level--) {
        unsigned n = 0;
        for (size_t i = 0; i < r->count; i++)
            n += (int)r->results[i].outcome.level == level;
        snprintf(text, sizeof text, "%u", n);
        if (n)
            html_figure(to, scan_level_name((enum scan_level)level), text);
    }
    snprintf(text, sizeof text, "%u / %u", r->sent, r->received);
    html_figure(to, "datagrams sent / received", text);
    snprintf(text, sizeof text, "%.1f s", r->seconds);
    html_figure(to, "time", text);
    fputs("</dl>\n", to);
    if (r->stop)
        tool_page_text(to, "<p>The scan ended early: ", scan_stop_text(r->stop), ".</p>\n");
    fputs("</section>\n", to);
}

static void html_level(FILE *to, const char *element, enum scan_level level)
{
    const char *name = scan_level_name(level);
    fprintf(to, "<%s class=\"%s%s\"><span class=\"chip\">%s</span>", element,
            element[0] == 'l' ? "" : "q ", name, name);
}

/* What matters, worst first. */
static void html_top(FILE *to, const struct scan_report *r)
{
    if (scan_report_worst(r) < SCAN_LOW)
        return;
    fputs("<ul class=\"top\">\n", to);
    for (int level = SCAN_CRITICAL; level >= SCAN_LOW; level--)
        for (size_t i = 0; i < r->count; i++)
            if ((int)r->results[i].outcome.level == level) {
                html_level(to, "li", (enum scan_level)level);
                tool_page_text(to, " <b>", r->results[i].check->title, "</b> ");
                tool_page_text(to, "", r->results[i].outcome.text, "</li>\n");
            }
    fputs("</ul>\n", to);
}

static void html_changes(FILE *to, const json_t *changes)
{
    if (!changes)
        return;
    fputs("<h3>Changes since the baseline</h3>\n<ul class=\"top\">\n", to);
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *c = json_array_get(changes, i);
        tool_page_text(to, "<li><b>", json_string_value(json_object_get(c, "id")), "</b> ");
        tool_page_text(to, "", json_string_value(json_object_get(c, "text")), "");
        tool_page_text(to, " <span class=\"quiet\">before: ",
                       json_string_value(json_object_get(c, "old_text")), "</span></li>\n");
    }
    fputs(json_array_size(changes) ? "</ul>\n" : "<li>none</li></ul>\n", to);
}

static void html_result(FILE *to, const struct scan_result *r)
{
    const struct scan_explanation *e = scan_explanation_find(r->check->id);
    const char *level = scan_level_name(r->outcome.level);
    fprintf(to, "<details class=\"r %s\"><summary><span class=\"chip\">%s</span>\n", level, level);
    tool_page_text(to, "<b>", r->check->title, "</b>\n");
    tool_page_text(to, "<span class=\"s\">", r->outcome.text, "</span></summary>\n");
    if (e) {
        tool_page_text(to, "<p>", e->meaning, "</p>\n");
        tool_page_text(to, "<p><b>What to do.</b> ", e->advice, "</p>\n");
    }
    tool_page_text(to, "<p class=\"quiet\">", r->check->id, e ? ", " : "</p>\n");
    if (e)
        tool_page_text(to, "", e->reference, "</p>\n");
    fputs("</details>\n", to);
}

static void html_group(FILE *to, const struct scan_report *r, enum scan_group group)
{
    bool titled = false;
    for (size_t i = 0; i < r->count; i++) {
        if (r->results[i].check->group != group)
            continue;
        if (!titled)
            tool_page_text(to, "<section>\n<h3>", scan_group_title(group), "</h3>\n");
        titled = true;
        html_result(to, &r->results[i]);
    }
    if (titled)
        fputs("</section>\n", to);
}

void scan_html_add(FILE *to, const struct scan_report *r)
{
    char addr[SD_ADDR_TEXT];
    tool_page_text(to, "<h2>", r->host, "");
    tool_page_text(to, " port ", r->port, "");
    tool_page_text(to, " <span class=\"quiet\">", sd_addr_text(&r->to, addr), "</span></h2>\n");
    html_figures(to, r);
    html_top(to, r);
    html_changes(to, r->changes);
    for (int g = 0; g < SCAN_GROUP_COUNT; g++)
        html_group(to, r, (enum scan_group)g);
}
