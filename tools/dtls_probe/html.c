/* SPDX-License-Identifier: MIT */
#include "dtls_probe/html.h"

#include "common/page.h"
#include "dtls_probe/summary.h"
#include "dtls_probe/svg.h"
#include "dtls_probe/timeline.h"
#include "dtls_probe/words.h"
#include "wire/names.h"

static const char list_style[] =
    /* The totals are written last and shown first. */
    "header{order:-3}.totals{order:-2}.pick{order:-3}"
    ".pick{position:absolute;opacity:0}"
    ".filter{display:flex;flex-wrap:wrap;gap:8px;margin:14px 0;order:-1}"
    ".filter label{border:1px solid var(--rule);border-radius:99px;padding:4px 14px;"
    "background:var(--paper);cursor:pointer}"
    "#all:checked~.filter [for=all],#o0:checked~.filter [for=o0],#o1:checked~.filter [for=o1],"
    "#o2:checked~.filter [for=o2]{border-color:var(--accent);color:var(--accent);font-weight:600}"
    "#all:focus-visible~.filter [for=all],#o0:focus-visible~.filter [for=o0],"
    "#o1:focus-visible~.filter [for=o1],#o2:focus-visible~.filter [for=o2]"
    "{outline:2px solid var(--accent);outline-offset:2px}"
    "#o0:checked~main .h:not(.incomplete),#o1:checked~main .h:not(.ok),"
    "#o2:checked~main .h:not(.failed){display:none}"
    ".h{background:var(--paper);border:1px solid var(--rule);border-radius:8px;margin:0 0 8px}"
    ".h>summary{display:grid;grid-template-columns:3.2em 7em minmax(0,2.9fr) minmax(0,2.5fr) 5em "
    "minmax(0,1.6fr);gap:2px 14px;align-items:baseline;padding:10px 14px;cursor:pointer;"
    "list-style:none}"
    ".h>summary::-webkit-details-marker{display:none}"
    ".h>summary:hover{background:var(--ground);border-radius:8px}"
    ".h>summary:focus-visible,a:focus-visible{outline:2px solid var(--accent);border-radius:8px}"
    ".h[open]>summary{border-bottom:1px solid var(--rule);border-radius:8px 8px 0 0}"
    ".n::before{content:'\\25B8';display:inline-block;width:1.1em;color:var(--quiet)}"
    ".h[open] .n::before{content:'\\25BE'}"
    ".n,.t{color:var(--quiet);font-variant-numeric:tabular-nums}.t{text-align:right}"
    ".id{font-weight:600}"
    ".body{display:grid;grid-template-columns:minmax(0,900px) minmax(280px,1fr);gap:8px 28px;"
    "padding:14px}"
    ".body.plain{grid-template-columns:minmax(0,1fr)}"
    ".scroll{overflow-x:auto}"
    ".scroll .drawing{display:block;width:100%;min-width:760px;max-width:900px;height:auto}"
    "@media(max-width:1100px){.body{grid-template-columns:minmax(0,1fr)}.found{order:-1}}"
    "@media(max-width:900px){.h>summary{grid-template-columns:3.2em 1fr auto}"
    ".a,.v,.id{grid-column:1/-1}.t{grid-area:1/3;white-space:nowrap}}"
    "@media(max-width:480px){body{padding:18px 10px 32px}.body{padding:10px}}"
    "@media print{body{background:none;padding:0;font-size:11px}.filter{display:none}"
    ".h{break-inside:auto}.finding,.h>summary{break-inside:avoid}.body{grid-template-columns:1fr}"
    ".scroll{overflow:visible}.scroll .drawing{min-width:0}"
    ".h::details-content{content-visibility:visible;display:block}}"
    ".none{color:var(--quiet);display:none}main:not(:has(.h)) .none{display:block}";

static void html_text(struct probe_html *h, const char *before, const char *text, const char *after)
{
    tool_page_text(h->to, before, text, after);
}

void probe_html_begin(struct probe_html *h, FILE *to, const char *source)
{
    *h = (struct probe_html){.to = to};
    tool_page_begin(to, "DTLS handshakes", source,
                    (const char *const[]){list_style, probe_svg_style, NULL});
    fputs("<input class=\"pick\" type=\"radio\" name=\"pick\" id=\"all\" checked>\n"
          "<input class=\"pick\" type=\"radio\" name=\"pick\" id=\"o2\">\n"
          "<input class=\"pick\" type=\"radio\" name=\"pick\" id=\"o0\">\n"
          "<input class=\"pick\" type=\"radio\" name=\"pick\" id=\"o1\">\n"
          "<div class=\"filter\"><label for=\"all\">all</label><label for=\"o2\">failed</label>"
          "<label for=\"o0\">incomplete</label><label for=\"o1\">ok</label></div>\n"
          "<main>\n",
          to);
}

/* --- the row of a handshake --- */

static void html_version(struct probe_html *h, const struct sd_exchange *x)
{
    char version[SD_NAME_TEXT], suite[SD_NAME_TEXT];
    fputs("<span class=\"v\">", h->to);
    if (x->negotiated || x->has_client_random)
        html_text(h, "", sd_name(SD_NAME_VERSION, x->version, version),
                  x->negotiated ? "" : " offered");
    if (x->negotiated && x->suite)
        html_text(h, " \xc2\xb7 ", sd_name(SD_NAME_SUITE, x->suite, suite), "");
    fputs(x->resumed ? ", resumed</span>\n" : "</span>\n", h->to);
}

static void html_headline(struct probe_html *h, const struct probe_report *r)
{
    char text[SD_ADDR_TEXT], time[PROBE_TIME_TEXT];
    const struct sd_exchange *x = r->x;
    fprintf(h->to, "<summary><span class=\"n\">%llu</span>\n<span class=\"chip\">%s</span>\n",
            (unsigned long long)x->id, probe_outcome_name(r->outcome));
    html_text(h, "<span class=\"a\">", sd_addr_text(&x->client, text), " \xe2\x86\x92 ");
    html_text(h, "", sd_addr_text(&x->server, text), "</span>\n");
    html_version(h, x);
    fprintf(h->to, "<span class=\"t\">%s</span>\n",
            x->established ? probe_timeline_time(x->established - x->start, time) : "");
    html_text(h, "<span class=\"id\">", r->count ? r->findings[0].entry->id : "",
              "</span></summary>\n");
}

/* --- what the row opens --- */

static void html_packets(struct probe_html *h, const struct sd_finding *f, bool drawn)
{
    if (!f->packet_count)
        return;
    fputs("<p class=\"quiet\">packets", h->to);
    for (size_t i = 0; i < f->packet_count; i++) {
        fputs(i ? ", " : " ", h->to);
        if (drawn)
            fprintf(h->to, "<a href=\"#h%up%u\">%u</a>", h->rows, f->packets[i], f->packets[i]);
        else
            fprintf(h->to, "%u", f->packets[i]);
    }
    fputs(f->packet_count == SD_PACKETS_MAX ? ", \xe2\x80\xa6</p>\n" : "</p>\n", h->to);
}

static void html_finding(struct probe_html *h, const struct sd_finding *f, bool drawn)
{
    char confidence[PROBE_CONFIDENCE_TEXT];
    const struct sd_entry *e = f->entry;
    fprintf(h->to, "<section class=\"finding %s\">\n", sd_severity_name(f->severity));
    html_text(h, "<h2>", e->title, "</h2>\n");
    html_text(h, "<small><b>", sd_severity_name(f->severity), "</b> ");
    html_text(h, "", e->id, ", ");
    html_text(h, "", probe_words_confidence(f, confidence), "</small>\n");
    html_text(h, "<p>", f->detail, "</p>\n");
    html_packets(h, f, drawn);
    html_text(h, "<p><b>What to do.</b> ", e->advice, "</p>\n");
    /* Handshakes without a drawing leave this out: --explain has it. */
    if (drawn) {
        html_text(h, "<details><summary>What happens</summary>\n<p>", e->cause, "</p>\n");
        html_text(h, "<p class=\"quiet\">", e->reference, "</p></details>\n");
    }
    fputs("</section>\n", h->to);
}

static void html_vantage(struct probe_html *h, const struct sd_view *v)
{
    const char *name = probe_vantage_name(v->vantage);
    if (probe_doubt(v))
        fprintf(h->to, "<p class=\"quiet\">%s</p>\n", probe_doubt(v));
    else if (name)
        fprintf(h->to, "<p class=\"quiet\">Captured %s.</p>\n", name);
}

static void html_drawing(struct probe_html *h, const struct probe_report *r)
{
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"timeline\">\n", h->to);
    probe_svg_inline(h->to, r, h->rows);
    fputs("</div>\n", h->to);
}

void probe_html_add(struct probe_html *h, const struct probe_report *r)
{
    bool drawn = h->drawn < PROBE_HTML_DRAWINGS;
    bool open = r->outcome == SD_FAILED && !h->opened;
    h->rows++;
    fprintf(h->to, "<details class=\"h %s\"%s>", probe_outcome_name(r->outcome),
            open ? " open" : "");
    html_headline(h, r);
    fputs(drawn ? "<div class=\"body\">\n" : "<div class=\"body plain\">\n", h->to);
    if (drawn)
        html_drawing(h, r);
    fputs("<div class=\"found\">\n", h->to);
    for (size_t i = 0; i < r->count; i++)
        html_finding(h, &r->findings[i], drawn);
    if (!r->count)
        fputs("<p>No findings.</p>\n", h->to);
    html_vantage(h, r->view);
    fputs("</div>\n</div></details>\n", h->to);
    h->drawn += drawn;
    h->opened |= open;
}

void probe_html_lone(struct probe_html *h, const struct sd_lone *l, const struct sd_finding *f)
{
    char text[SD_ADDR_TEXT];
    fputs("<details class=\"h failed\"><summary><span class=\"n\"></span>\n"
          "<span class=\"chip\">no handshake</span>\n",
          h->to);
    html_text(h, "<span class=\"a\">", sd_addr_text(l->one, text), " \xe2\x80\x93 ");
    html_text(h, "", sd_addr_text(l->other, text), "</span>\n");
    html_text(h, "<span class=\"id\">", f->entry->id, "</span></summary>\n");
    fputs("<div class=\"body plain\">\n<div class=\"found\">\n", h->to);
    html_finding(h, f, false);
    fputs("</div>\n</div></details>\n", h->to);
}

/* --- totals --- */

static void html_total(struct probe_html *h, const char *what, uint64_t n)
{
    fprintf(h->to, "<div><dt>%s</dt><dd>%llu</dd></div>\n", what, (unsigned long long)n);
}

static void html_note(struct probe_html *h, const char *what, uint64_t n, const char *more)
{
    if (n)
        fprintf(h->to, "<p>%s: %llu.%s</p>\n", what, (unsigned long long)n, more);
}

void probe_html_end(struct probe_html *h, const struct probe_totals *totals)
{
    fputs("<p class=\"none\">The capture contains no DTLS handshake.</p>\n</main>\n"
          "<section class=\"totals\" aria-label=\"totals\"><dl>\n",
          h->to);
    html_total(h, "handshakes", totals->handshakes);
    html_total(h, "failed", totals->failed);
    html_total(h, "incomplete", totals->incomplete);
    html_total(h, "ok", totals->ok);
    for (int s = SD_FATAL; s >= SD_INFO; s--)
        if (totals->findings[s])
            html_total(h,
                       s == SD_FATAL     ? "fatal findings"
                       : s == SD_WARNING ? "warnings"
                                         : "info findings",
                       totals->findings[s]);
    html_total(h, "packets read", totals->frames);
    html_total(h, "DTLS datagrams", totals->dtls);
    fputs("</dl>\n", h->to);
    if (totals->damage)
        html_text(h, "<p>The capture could not be read completely: ", totals->damage, "</p>\n");
    html_note(h, "Packets lost during the capture", totals->dropped, "");
    html_note(h, "Handshakes ended early to save memory (--max-flows)", totals->evicted, "");
    html_note(h, "Handshakes reported before the end of the capture to save memory", totals->early,
              " What came later does not count for them.");
    html_note(h, "Packets left out because memory ran out", totals->no_memory, "");
    html_note(h, "Handshakes listed without a drawing", h->rows - h->drawn,
              " This page draws only the first 500. Use --handshake or --only-failed to show fewer "
              "handshakes, and --explain ID to read the explanations that are left out here.");
    fputs("</section>\n", h->to);
    tool_page_end(h->to);
}
