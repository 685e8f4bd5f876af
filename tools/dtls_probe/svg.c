/* SPDX-License-Identifier: MIT */
#include "dtls_probe/svg.h"

#include <string.h>

#include "common/escape.h"
#include "dtls_probe/summary.h"
#include "dtls_probe/timeline.h"
#include "dtls_probe/words.h"
#include "wire/names.h"

enum {
    WIDTH = 900,
    LEFT = 110, /* the lanes */
    RIGHT = 770,
    MIDDLE = (LEFT + RIGHT) / 2,
    CHIP = 8,          /* radius of a flight's mark */
    LEGEND = 64,       /* of the headings and the legend above the lanes */
    LEGEND_LETTER = 6, /* about as wide */
    LEGEND_SPACE = 20,
    HEADLINE = 66,     /* only in a file of its own */
    SCALE = 26,        /* pixels of the longest bar of the scale */
    TEXT_COLUMNS = 125 /* of a finding */
};

/* Colours tell flights apart, but so do the numbers on the lanes; red is for trouble only.
 * Many viewers do not know custom properties, so plain colours are here twice. */
const char probe_svg_style[] =
    ".drawing{font:12.5px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif;"
    "color:#1d2433}"
    ".drawing text{fill:#1d2433}"
    ".drawing .paper{fill:#fff}"
    ".drawing .headline{font-size:19px;font-weight:600}"
    ".drawing .end{font-weight:600}"
    ".drawing .address,.drawing .time,.drawing .size,.drawing .quiet,.drawing .legend"
    "{fill:#5b6477;font-size:11.5px;font-variant-numeric:tabular-nums}"
    ".drawing .time{text-anchor:end}"
    ".drawing .label,.drawing .silence{text-anchor:middle}"
    ".drawing .silence{fill:#5b6477;font-style:italic;font-size:11.5px}"
    ".drawing .lane{stroke:#b8c0cf;stroke-width:1.5;fill:none}"
    ".drawing .scale{stroke:#5b6477;stroke-width:1.5;fill:none}"
    ".drawing .hit{fill:#000;fill-opacity:0}"
    ".drawing .row:hover .hit{fill-opacity:.05}"
    ".drawing .evidence .hit,.drawing .hit.swatch{fill:#f5b301;fill-opacity:.2}"
    ".drawing .evidence:hover .hit{fill-opacity:.32}"
    ".drawing .row:target .hit{stroke:#1f5fbf;stroke-width:1.5}"
    ".drawing .line{stroke:#6b7280;stroke-width:1.6;fill:none}"
    ".drawing .again .line{stroke-dasharray:6 4}"
    ".drawing .head,.drawing .chip{fill:#6b7280}"
    ".drawing .chip+text{fill:#fff;font-size:10.5px;font-weight:600;text-anchor:middle}"
    ".drawing .f1 .line{stroke:#1f5fbf}.drawing .f1 .head,.drawing .f1 .chip{fill:#1f5fbf}"
    ".drawing .f2 .line{stroke:#9a5b00}.drawing .f2 .head,.drawing .f2 .chip{fill:#9a5b00}"
    ".drawing .f3 .line{stroke:#0f766e}.drawing .f3 .head,.drawing .f3 .chip{fill:#0f766e}"
    ".drawing .f4 .line{stroke:#7e3fb2}.drawing .f4 .head,.drawing .f4 .chip{fill:#7e3fb2}"
    ".drawing .f5 .line{stroke:#3f7420}.drawing .f5 .head,.drawing .f5 .chip{fill:#3f7420}"
    ".drawing .f6 .line{stroke:#a33a78}.drawing .f6 .head,.drawing .f6 .chip{fill:#a33a78}"
    ".drawing .bad .line,.drawing .cross{stroke:#c62828}.drawing .bad .head{fill:#c62828}"
    ".drawing .cross{stroke-width:2.4;fill:none}"
    ".drawing .bad .label,.drawing .fatal{fill:#b71c1c}"
    ".drawing .bad .label{font-weight:600}"
    ".drawing .warning{fill:#8a5a00}"
    ".drawing .done .line{stroke:#2e7d32;stroke-dasharray:2 4}.drawing .done .label{fill:#2e7d32}"
    ".drawing .finding{font-weight:600}"
    "@media(prefers-color-scheme:dark){"
    ".drawing text{fill:#e4e8f0}"
    ".drawing .paper{fill:#14171d}"
    ".drawing .address,.drawing .time,.drawing .size,.drawing .quiet,.drawing .legend,"
    ".drawing .silence{fill:#9aa4b5}"
    ".drawing .lane{stroke:#465063}.drawing .scale{stroke:#9aa4b5}"
    ".drawing .hit{fill:#fff}"
    ".drawing .evidence .hit,.drawing .hit.swatch{fill:#f5b301;fill-opacity:.17}"
    ".drawing .row:target .hit{stroke:#7db1ff}"
    ".drawing .line{stroke:#9aa4b5}.drawing .head,.drawing .chip{fill:#9aa4b5}"
    ".drawing .chip+text{fill:#14171d}"
    ".drawing .f1 .line{stroke:#7db1ff}.drawing .f1 .head,.drawing .f1 .chip{fill:#7db1ff}"
    ".drawing .f2 .line{stroke:#e6a850}.drawing .f2 .head,.drawing .f2 .chip{fill:#e6a850}"
    ".drawing .f3 .line{stroke:#4fc9bd}.drawing .f3 .head,.drawing .f3 .chip{fill:#4fc9bd}"
    ".drawing .f4 .line{stroke:#c79bf2}.drawing .f4 .head,.drawing .f4 .chip{fill:#c79bf2}"
    ".drawing .f5 .line{stroke:#96cf6e}.drawing .f5 .head,.drawing .f5 .chip{fill:#96cf6e}"
    ".drawing .f6 .line{stroke:#f095c8}.drawing .f6 .head,.drawing .f6 .chip{fill:#f095c8}"
    ".drawing .bad .line,.drawing .cross{stroke:#ff6b62}.drawing .bad .head{fill:#ff6b62}"
    ".drawing .bad .label,.drawing .fatal{fill:#ff8a80}.drawing .warning{fill:#f0bd6a}"
    ".drawing .done .line{stroke:#6fcf78}.drawing .done .label{fill:#6fcf78}"
    "}";

static void svg_text(FILE *to, const char *class, double x, double y, const char *text, size_t len)
{
    fprintf(to, "<text class=\"%s\" x=\"%.0f\" y=\"%.1f\">", class, x, y);
    tool_escape_part(to, text, len);
    fputs("</text>\n", to);
}

static void svg_line(FILE *to, double x1, double x2, double y)
{
    fprintf(to, "<path class=\"line\" d=\"M%.0f %.1fH%.0f\"/>\n", x1, y, x2);
}

static void svg_head(FILE *to, double x, double y, bool rightwards)
{
    fprintf(to, "<path class=\"head\" d=\"M%.0f %.1fl%d -5v10z\"/>\n", x, y, rightwards ? -10 : 10);
}

static void svg_cross(FILE *to, double x, double y)
{
    fprintf(to, "<path class=\"cross\" d=\"M%.0f %.1fl12 12m0 -12l-12 12\"/>\n", x - 6, y - 6);
}

static void svg_chip(FILE *to, double x, double y, unsigned flight)
{
    fprintf(to,
            "<circle class=\"chip\" cx=\"%.0f\" cy=\"%.1f\" r=\"%d\"/>"
            "<text x=\"%.0f\" y=\"%.1f\">%u</text>\n",
            x, y, CHIP, x, y + 3.8, flight);
}

/* --- a row --- */

static unsigned row_flight(const struct sd_exchange *x, const struct probe_row *row)
{
    unsigned flight = 0;
    for (size_t i = row->from; i < row->end && !flight; i++)
        flight = x->log[i].flight;
    return flight > 6 ? 0 : flight;
}

static bool row_is_bad(const struct sd_exchange *x, const struct probe_row *row)
{
    bool bad =
        row->kind == PROBE_ROW_LOST || row->kind == PROBE_ROW_ICMP || row->kind == PROBE_ROW_CUT;
    for (size_t i = row->from; i < row->end; i++)
        bad |= x->log[i].kind == SD_EV_MALFORMED ||
               (x->log[i].kind == SD_EV_ALERT && x->log[i].level == 2);
    return bad;
}

static void tooltip_records(FILE *to, const struct sd_exchange *x, const struct probe_row *row)
{
    char words[PROBE_EVENT_TEXT];
    for (size_t i = row->from; i < row->end; i++) {
        const struct sd_event *e = &x->log[i];
        fputc('\n', to);
        if (probe_is_record(e))
            fprintf(to, "epoch %u record %llu%s, %u bytes: ", e->epoch, (unsigned long long)e->seq,
                    e->flags & SD_EVF_UNIFIED ? " (encrypted number)" : "", e->record);
        tool_escape(to, probe_words_event(e, words, sizeof words));
        if (e->flags & SD_EVF_DECRYPTED)
            fputs(" (decrypted)", to);
    }
}

static void svg_tooltip(FILE *to, const struct probe_timeline *t, const struct probe_row *row)
{
    char text[PROBE_LABEL_TEXT], time[PROBE_TIME_TEXT];
    const struct sd_exchange *x = t->report->x;
    fputs("<title>", to);
    if (row->kind == PROBE_ROW_LOST || row->kind >= PROBE_ROW_ESTABLISHED) {
        tool_escape(to, probe_timeline_label(t, row, text));
        if (row->kind == PROBE_ROW_LOST)
            fprintf(to, ": missing when packet %u arrived", x->log[row->from].number);
    } else {
        const struct sd_event *e = &x->log[row->from];
        fprintf(to, "packet %u, after %s, %s", e->number,
                probe_timeline_time(e->time - x->start, time),
                row->kind == PROBE_ROW_ICMP ? "ICMP error"
                : row->server               ? "server to client"
                                            : "client to server");
        if (e->datagram)
            fprintf(to, ", UDP payload %u bytes", e->datagram);
        if (e->ip_length)
            fprintf(to, ", IP packet %u bytes", e->ip_length);
        tooltip_records(to, x, row);
    }
    fputs("</title>\n", to);
}

static void svg_margins(FILE *to, const struct sd_exchange *x, const struct probe_row *row)
{
    char text[64], time[PROBE_TIME_TEXT];
    const struct sd_event *e = &x->log[row->from];
    probe_timeline_time(e->time - x->start, time);
    svg_text(to, "time", LEFT - 22, row->y + 4, time, strlen(time));
    if (e->datagram)
        snprintf(text, sizeof text, "#%u \xc2\xb7 %u B", e->number, e->datagram);
    else
        snprintf(text, sizeof text, "#%u", e->number);
    svg_text(to, "size", RIGHT + 18, row->y + 4, text, strlen(text));
}

static void svg_arrow(FILE *to, const struct sd_exchange *x, const struct probe_row *row)
{
    double from = row->server ? RIGHT : LEFT, end = row->server ? LEFT : RIGHT;
    double back = row->server ? 1 : -1;
    unsigned flight = row->kind == PROBE_ROW_LOST ? 0 : row_flight(x, row);
    bool arrives = row->kind == PROBE_ROW_DATAGRAM;
    if (row->kind == PROBE_ROW_ICMP) { /* to the sender of the datagram that it quotes */
        svg_line(to, MIDDLE, from - back * 9, row->y);
        svg_head(to, from, row->y, row->server);
        svg_cross(to, MIDDLE, row->y);
        return;
    }
    svg_line(to, from, arrives ? end + back * 9 : MIDDLE, row->y);
    if (arrives)
        svg_head(to, end, row->y, !row->server);
    else
        svg_cross(to, MIDDLE, row->y);
    if (flight)
        svg_chip(to, from, row->y, flight);
}

static void svg_label(FILE *to, const struct probe_timeline *t, const struct probe_row *row)
{
    char buf[PROBE_LABEL_TEXT];
    const char *text = probe_timeline_label(t, row, buf);
    double y = row->label - (row->lines - 1.0) * PROBE_LINE_HEIGHT;
    for (size_t n; (n = probe_line_length(text, PROBE_LABEL_COLUMNS)) > 0; text += n) {
        svg_text(to, "label", MIDDLE, y, text, n);
        y += PROBE_LINE_HEIGHT;
    }
}

static void svg_row(FILE *to, const struct probe_timeline *t, const struct probe_row *row,
                    unsigned anchor)
{
    const struct sd_exchange *x = t->report->x;
    bool datagram = row->kind <= PROBE_ROW_ICMP;
    double height = row->lines * PROBE_LINE_HEIGHT + 8 + row->y - row->label;
    fprintf(to, "<g class=\"row f%u%s%s%s%s\"", datagram ? row_flight(x, row) : 0,
            row->again ? " again" : "", row->evidence ? " evidence" : "",
            row_is_bad(x, row) ? " bad" : "", row->kind == PROBE_ROW_ESTABLISHED ? " done" : "");
    if (anchor && datagram)
        fprintf(to, " id=\"h%up%u\"", anchor, x->log[row->from].number);
    fputs(">\n", to);
    svg_tooltip(to, t, row);
    fprintf(to, "<rect class=\"hit\" x=\"6\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" rx=\"4\"/>\n",
            row->y - height + 9, WIDTH - 12, height);
    svg_label(to, t, row);
    if (row->kind == PROBE_ROW_ESTABLISHED)
        svg_line(to, LEFT, RIGHT, row->y);
    else if (row->kind != PROBE_ROW_END)
        svg_arrow(to, x, row);
    if (datagram)
        svg_margins(to, x, row);
    fputs("</g>\n", to);
}

/* --- lanes --- */

/* y of the silence before a row. */
static double silence_y(const struct probe_row *row)
{
    return (row[-1].y + row->label + 6 - row->lines * PROBE_LINE_HEIGHT) / 2 + 1;
}

static void svg_lane(FILE *to, const struct probe_timeline *t, double x)
{
    fprintf(to, "<path class=\"lane\" d=\"M%.0f %.1f", x, t->top);
    for (size_t i = 1; i < t->count; i++)
        if (t->rows[i].silence) {
            double y = silence_y(&t->rows[i]);
            fprintf(to, "V%.1fm-7 3l14 -6M%.0f %.1fm-7 3l14 -6M%.0f %.1f", y - 4, x, y + 4, x,
                    y + 4);
        }
    fprintf(to, "V%.1f\"/>\n", t->bottom);
}

static void svg_silences(FILE *to, const struct probe_timeline *t)
{
    char text[PROBE_TIME_TEXT];
    for (size_t i = 1; i < t->count; i++) {
        double ms = probe_millis(t->rows[i].silence);
        if (!t->rows[i].silence)
            continue;
        int n = ms < 1000 ? snprintf(text, sizeof text, "%.3g ms", ms)
                          : snprintf(text, sizeof text, "%.2f s", ms / 1e3);
        svg_text(to, "silence", MIDDLE, silence_y(&t->rows[i]) + 4, text, (size_t)n);
    }
}

static void svg_ends(FILE *to, const struct probe_timeline *t)
{
    char text[SD_ADDR_TEXT];
    const struct sd_exchange *x = t->report->x;
    double y = t->top - 20;
    svg_text(to, "end", LEFT - 10, y, "Client", 6);
    sd_addr_text(&x->client, text);
    svg_text(to, "address", LEFT - 10, y + 14, text, strlen(text));
    fprintf(to, "<g text-anchor=\"end\">\n");
    svg_text(to, "end", RIGHT + 10, y, "Server", 6);
    sd_addr_text(&x->server, text);
    svg_text(to, "address", RIGHT + 10, y + 14, text, strlen(text));
    fputs("</g>\n", to);
}

/* --- legend --- */

struct legend {
    FILE *to;
    double x, y;
};

static void legend_name(struct legend *l, const char *text)
{
    svg_text(l->to, "legend", l->x, l->y + 4, text, strlen(text));
    l->x += (double)strlen(text) * LEGEND_LETTER + LEGEND_SPACE;
}

static void legend_flights(struct legend *l, const struct probe_timeline *t)
{
    unsigned seen = 0;
    for (size_t i = 0; i < t->count; i++)
        if (t->rows[i].kind <= PROBE_ROW_CUT)
            seen |= 1u << row_flight(t->report->x, &t->rows[i]);
    if (seen <= 1)
        return;
    legend_name(l, "flights");
    for (unsigned f = 1; f <= 6; f++)
        if (seen & 1u << f) {
            fprintf(l->to, "<g class=\"f%u\">", f);
            svg_chip(l->to, l->x, l->y, f);
            fputs("</g>\n", l->to);
            l->x += 22;
        }
    l->x += LEGEND_SPACE;
}

/* The longest of 1, 2, 5, 10, ... ns that the bar of the scale can show; 0 = none. */
static double scale_step(const struct probe_timeline *t)
{
    static const double steps[] = {5, 2, 1};
    if (t->pixels_per_ns <= 0)
        return 0;
    for (double decade = 1e12; decade >= 1; decade /= 10)
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
            if (steps[i] * decade * t->pixels_per_ns <= SCALE)
                return steps[i] * decade;
    return 0;
}

static void legend_scale(struct legend *l, const struct probe_timeline *t)
{
    char text[PROBE_TIME_TEXT];
    double ns = scale_step(t);
    if (ns <= 0)
        return;
    double height = ns * t->pixels_per_ns;
    fprintf(l->to, "<path class=\"scale\" d=\"M%.0f %.1fh8m-4 0v%.1fm-4 0h8\"/>\n", l->x,
            l->y - height / 2, height);
    l->x += 14;
    snprintf(text, sizeof text, "%g %s",
             ns < 1e6   ? ns / 1e3
             : ns < 1e9 ? ns / 1e6
                        : ns / 1e9,
             ns < 1e6   ? "\xc2\xb5s"
             : ns < 1e9 ? "ms"
                        : "s");
    legend_name(l, text);
}

static void legend_marks(struct legend *l, const struct probe_timeline *t)
{
    bool again = false, lost = false, evidence = false;
    for (size_t i = 0; i < t->count; i++) {
        again |= t->rows[i].again;
        lost |= t->rows[i].kind == PROBE_ROW_LOST || t->rows[i].kind == PROBE_ROW_CUT;
        evidence |= t->rows[i].evidence;
    }
    if (again) {
        fputs("<g class=\"again\">", l->to);
        svg_line(l->to, l->x, l->x + 28, l->y);
        fputs("</g>\n", l->to);
        l->x += 36;
        legend_name(l, "sent again");
    }
    if (lost) {
        svg_cross(l->to, l->x + 6, l->y);
        l->x += 20;
        legend_name(l, "did not arrive");
    }
    if (evidence) {
        fprintf(l->to,
                "<rect class=\"hit swatch\" x=\"%.0f\" y=\"%.1f\" width=\"22\" height=\"14\" "
                "rx=\"3\"/>\n",
                l->x, l->y - 7);
        l->x += 30;
        legend_name(l, "evidence");
    }
}

static void svg_legend(FILE *to, const struct probe_timeline *t, double y)
{
    struct legend l = {to, LEFT - 10, y};
    legend_flights(&l, t);
    legend_scale(&l, t);
    legend_marks(&l, t);
}

/* --- text below; `to` NULL only measures --- */

static void svg_paragraph(FILE *to, double *y, const char *class, const char *text)
{
    for (size_t n; (n = probe_line_length(text, TEXT_COLUMNS)) > 0; text += n) {
        *y += 17;
        if (to)
            svg_text(to, class, 24, *y, text, n);
    }
}

static void svg_packets(FILE *to, double *y, const struct sd_finding *f)
{
    char text[PROBE_PACKETS_TEXT];
    svg_paragraph(to, y, "quiet", probe_words_packets(f, text));
}

static void svg_finding(FILE *to, double *y, const struct sd_finding *f)
{
    char text[SD_SENTENCE], confidence[PROBE_CONFIDENCE_TEXT];
    const char *class = f->severity == SD_FATAL     ? "finding fatal"
                        : f->severity == SD_WARNING ? "finding warning"
                                                    : "finding";
    snprintf(text, sizeof text, "%s: %s (%s, %s)", f->entry->id, f->entry->title,
             sd_severity_name(f->severity), probe_words_confidence(f, confidence));
    *y += 8;
    svg_paragraph(to, y, class, text);
    svg_paragraph(to, y, "detail", f->detail);
    svg_packets(to, y, f);
    if (f->severity == SD_FATAL)
        svg_paragraph(to, y, "quiet", f->entry->advice);
}

static double svg_below(FILE *to, double y, const struct probe_report *r, bool whole)
{
    char text[96];
    if (r->x->unlogged) {
        snprintf(text, sizeof text, "%u later events are not drawn.", r->x->unlogged);
        svg_paragraph(to, &y, "quiet", text);
    }
    for (size_t i = 0; whole && i < r->count; i++)
        svg_finding(to, &y, &r->findings[i]);
    return y + 16;
}

/* --- the whole --- */

static void svg_names(FILE *to, const struct probe_report *r)
{
    char client[SD_ADDR_TEXT], server[SD_ADDR_TEXT];
    fprintf(to, "<title>DTLS handshake %llu: %s", (unsigned long long)r->x->id,
            probe_outcome_name(r->outcome));
    if (r->count) {
        fputs(", ", to);
        tool_escape(to, r->findings[0].entry->id);
    }
    fputs("</title>\n", to);
    fputs("<desc>Timeline of the datagrams between ", to);
    tool_escape(to, sd_addr_text(&r->x->client, client));
    fputs(" (left) and ", to);
    tool_escape(to, sd_addr_text(&r->x->server, server));
    fputs(" (right). Time runs downwards, to scale where labels leave room; long silences are "
          "shortened.",
          to);
    if (r->count) {
        fputc(' ', to);
        tool_escape(to, r->findings[0].detail);
    }
    fputs("</desc>\n", to);
}

static void svg_headline(FILE *to, const struct probe_report *r)
{
    char text[256], version[SD_NAME_TEXT], suite[SD_NAME_TEXT], time[PROBE_TIME_TEXT];
    const struct sd_exchange *x = r->x;
    int n = 0;
    snprintf(text, sizeof text, "Handshake %llu: %s%s%s", (unsigned long long)x->id,
             probe_outcome_name(r->outcome), r->count ? " \xc2\xb7 " : "",
             r->count ? r->findings[0].entry->title : "");
    svg_text(to, "headline", 24, 36, text, strlen(text));
    text[0] = '\0';
    if (x->has_client_random || x->negotiated)
        n = snprintf(text, sizeof text, "%s%s%s%s", sd_name(SD_NAME_VERSION, x->version, version),
                     x->negotiated ? ", " : " offered",
                     x->negotiated ? sd_name(SD_NAME_SUITE, x->suite, suite) : "",
                     x->resumed ? ", resumed" : "");
    if (x->established)
        snprintf(text + n, sizeof text - (size_t)n, "%sestablished after %s", n ? ", " : "",
                 probe_timeline_time(x->established - x->start, time));
    svg_text(to, "quiet", 24, 56, text, strlen(text));
}

static void svg_draw(FILE *to, const struct probe_report *r, unsigned anchor, bool whole)
{
    struct probe_timeline t;
    double head = whole ? HEADLINE : 0;
    probe_timeline_build(&t, r, head + LEGEND);
    double height = svg_below(NULL, t.bottom, r, whole);
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"drawing\" role=\"img\" "
            "width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\">\n",
            WIDTH, height, WIDTH, height);
    svg_names(to, r);
    if (whole) {
        fprintf(to, "<style>%s</style>\n", probe_svg_style);
        fputs("<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n", to);
        svg_headline(to, r);
    }
    svg_legend(to, &t, head + 15);
    svg_ends(to, &t);
    svg_lane(to, &t, LEFT);
    svg_lane(to, &t, RIGHT);
    svg_silences(to, &t);
    for (size_t i = 0; i < t.count; i++)
        svg_row(to, &t, &t.rows[i], anchor);
    svg_below(to, t.bottom, r, whole);
    fputs("</svg>\n", to);
}

void probe_svg(FILE *to, const struct probe_report *r)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", to);
    svg_draw(to, r, 0, true);
}

void probe_svg_inline(FILE *to, const struct probe_report *r, unsigned anchor)
{
    svg_draw(to, r, anchor, false);
}
