/* SPDX-License-Identifier: MIT */
#include "dtls_probe/ladder.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "dtls_probe/markup.h"
#include "dtls_probe/summary.h"
#include "dtls_probe/timeline.h"
#include "dtls_probe/words.h"

/* "   0.000000     12* 1  " is left of the lanes. */
enum { MARGIN = 23 };

struct glyphs {
    const char *lane, *line, *dash, *right, *left, *lost, *icmp;
};

static const struct glyphs ascii = {"|", "-", " ", ">", "<", "x", "~"};
static const struct glyphs boxes = {"\u2502", "\u2500", " ", "\u25b6", "\u25c0", "\u2715", "~"};

struct ladder {
    FILE *to;
    const struct probe_timeline *t;
    const struct glyphs *g;
    unsigned inner; /* columns between the lanes */
};

static void repeat_glyph(FILE *to, const char *glyph, unsigned n)
{
    while (n--)
        fputs(glyph, to);
}

/* --- rows of text --- */

static void ladder_margin(const struct ladder *l, const struct probe_row *row)
{
    const struct sd_exchange *x = l->t->report->x;
    char text[PROBE_SECONDS_TEXT];
    int n = fprintf(l->to, "%11s", probe_words_seconds(row->time - x->start, text));
    if (row->end <= row->from || row->kind == PROBE_ROW_LOST) {
        fprintf(l->to, "%*s", n < MARGIN ? MARGIN - n : 0, "");
        return;
    }
    const struct sd_event *e = &x->log[row->from];
    char flight[8] = "";
    if (e->flight)
        snprintf(flight, sizeof flight, "%u", e->flight);
    fprintf(l->to, " %6u%c %1s  ", e->number, row->evidence ? '*' : ' ', flight);
}

static void ladder_text(const struct ladder *l, const char *text, unsigned len)
{
    unsigned room = l->inner - 1;
    len = len > room ? room : len;
    fprintf(l->to, "%s %.*s%*s%s\n", l->g->lane, (int)len, text, (int)(room - len), "", l->g->lane);
}

/* The label between the lanes; the margin of its first line is there already. */
static void ladder_label(const struct ladder *l, const char *text)
{
    size_t n = probe_line_length(text, l->inner - 2);
    ladder_text(l, text, (unsigned)n);
    for (text += n; (n = probe_line_length(text, l->inner - 2)) > 0; text += n) {
        fprintf(l->to, "%*s", MARGIN, "");
        ladder_text(l, text, (unsigned)n);
    }
}

/* "|    ... text ...    |" */
static void ladder_centred(const struct ladder *l, const char *fill, const char *text)
{
    unsigned len = (unsigned)strlen(text), room = l->inner - 2;
    len = len > room ? room : len;
    unsigned before = (room - len) / 2;
    fputs(l->g->lane, l->to);
    repeat_glyph(l->to, fill, before);
    fprintf(l->to, " %.*s ", (int)len, text);
    repeat_glyph(l->to, fill, room - len - before);
    fprintf(l->to, "%s\n", l->g->lane);
}

/* --- arrows --- */

/* `n` columns of a line, with gaps when the datagram was sent before. */
static void ladder_line(const struct ladder *l, unsigned n, bool again)
{
    for (unsigned i = 0; i < n; i++)
        fputs(again && i % 2 ? l->g->dash : l->g->line, l->to);
}

static void ladder_arrow(const struct ladder *l, const struct probe_row *row)
{
    fprintf(l->to, "%*s%s", MARGIN, "", l->g->lane);
    if (row->server)
        fputs(l->g->left, l->to);
    ladder_line(l, l->inner - 1, row->again);
    fprintf(l->to, "%s%s\n", row->server ? "" : l->g->right, l->g->lane);
}

/* An arrow that does not arrive, with `text` where it would have gone on. */
static void broken_arrow(const struct ladder *l, const struct probe_row *row, const char *text)
{
    unsigned len = (unsigned)strlen(text), room = l->inner - 9;
    len = len > room ? room : len;
    unsigned line = l->inner - 4 - len;
    unsigned shaft = line > l->inner / 2 ? l->inner / 2 : line;
    int pad = (int)(line - shaft);
    fputs(l->g->lane, l->to);
    if (row->server) {
        fprintf(l->to, "%*s %.*s  %s", pad, "", (int)len, text, l->g->lost);
        ladder_line(l, shaft, false);
    } else {
        ladder_line(l, shaft, false);
        fprintf(l->to, "%s  %.*s %*s", l->g->lost, (int)len, text, pad, "");
    }
    fprintf(l->to, "%s\n", l->g->lane);
}

/* From a device on the path to the sender of the datagram that the error quotes. */
static void icmp_arrow(const struct ladder *l, const struct probe_row *row)
{
    unsigned shaft = l->inner / 2 - 1;
    int pad = (int)(l->inner - shaft - 2);
    fprintf(l->to, "%*s%s", MARGIN, "", l->g->lane);
    if (row->server)
        fprintf(l->to, "%*s*", pad, "");
    else
        fputs(l->g->left, l->to);
    repeat_glyph(l->to, l->g->icmp, shaft);
    if (row->server)
        fputs(l->g->right, l->to);
    else
        fprintf(l->to, "*%*s", pad, "");
    fprintf(l->to, "%s\n", l->g->lane);
}

/* --- rows --- */

static void ladder_datagram(const struct ladder *l, const struct probe_row *row)
{
    char text[PROBE_MARKED_TEXT];
    ladder_margin(l, row);
    ladder_label(l, probe_words_marked(l->t->report->x->log, row->from, row->end, text));
    if (row->kind == PROBE_ROW_DATAGRAM) {
        ladder_arrow(l, row);
        return;
    }
    fprintf(l->to, "%*s", MARGIN, "");
    broken_arrow(l, row, "incomplete");
}

static void ladder_lost(const struct ladder *l, const struct probe_row *row)
{
    char text[PROBE_LABEL_TEXT];
    fprintf(l->to, "%*s", MARGIN, "");
    broken_arrow(l, row, probe_timeline_lost(l->t, row, "-", text));
}

static void ladder_icmp(const struct ladder *l, const struct probe_row *row)
{
    char text[PROBE_LABEL_TEXT];
    ladder_margin(l, row);
    ladder_label(l, probe_timeline_label(l->t, row, text));
    icmp_arrow(l, row);
}

static void ladder_note(const struct ladder *l, const struct probe_row *row)
{
    char text[PROBE_LABEL_TEXT];
    ladder_margin(l, row);
    ladder_centred(l, row->kind == PROBE_ROW_END ? " " : "=",
                   probe_timeline_label(l->t, row, text));
}

static void ladder_silence(const struct ladder *l, int64_t ns)
{
    char text[PROBE_TIME_TEXT + 16], time[PROBE_TIME_TEXT];
    snprintf(text, sizeof text, "... %s ...", probe_timeline_time(ns, time));
    fprintf(l->to, "%*s", MARGIN, "");
    ladder_centred(l, " ", text);
}

static void ladder_row(const struct ladder *l, const struct probe_row *row)
{
    if (row->silence)
        ladder_silence(l, row->silence);
    switch (row->kind) {
    case PROBE_ROW_DATAGRAM:
    case PROBE_ROW_CUT:
        ladder_datagram(l, row);
        break;
    case PROBE_ROW_LOST:
        ladder_lost(l, row);
        break;
    case PROBE_ROW_ICMP:
        ladder_icmp(l, row);
        break;
    case PROBE_ROW_ESTABLISHED:
    case PROBE_ROW_END:
        ladder_note(l, row);
        break;
    }
}

/* --- around them --- */

static void ladder_ends(const struct ladder *l, const char *client, const char *server)
{
    int gap = (int)l->inner + 2 - (int)(strlen(client) + strlen(server));
    if (gap < 1)
        fprintf(l->to, "%*s%s\n%*s%s\n", MARGIN, "", client, MARGIN, "", server);
    else
        fprintf(l->to, "%*s%s%*s%s\n", MARGIN, "", client, gap, "", server);
}

static void ladder_header(const struct ladder *l)
{
    char client[SD_ADDR_TEXT], server[SD_ADDR_TEXT];
    const struct sd_exchange *x = l->t->report->x;
    fprintf(l->to, "    seconds packet  fl ");
    fprintf(l->to, "client%*sserver\n", (int)l->inner + 2 - 12, "");
    ladder_ends(l, sd_addr_text(&x->client, client), sd_addr_text(&x->server, server));
}

static unsigned ladder_width(struct probe_ladder look)
{
    if (look.width < PROBE_LADDER_MIN)
        return PROBE_LADDER_MIN;
    return look.width > PROBE_LADDER_MAX ? PROBE_LADDER_MAX : look.width;
}

bool probe_ladder_lanes(FILE *to, const struct probe_report *r, struct probe_ladder look)
{
    struct probe_timeline *t = malloc(sizeof *t);
    if (!t)
        return false;
    probe_timeline_build(t, r, 0);
    struct ladder l = {to, t, look.utf8 ? &boxes : &ascii, ladder_width(look) - MARGIN - 2};
    ladder_header(&l);
    for (size_t i = 0; i < t->count; i++)
        ladder_row(&l, &t->rows[i]);
    if (r->x->unlogged)
        fprintf(to, "%*s%u more packets are not drawn\n", MARGIN, "", r->x->unlogged);
    free(t);
    return !ferror(to);
}

static void ladder_finding(FILE *to, const struct sd_finding *f, unsigned width)
{
    char text[160], detail[SD_SENTENCE], packets[PROBE_PACKETS_TEXT];
    snprintf(text, sizeof text, "%s %s: %s", sd_severity_name(f->severity), f->entry->id,
             f->entry->title);
    tool_wrap(to, text, 2, width);
    tool_wrap(to, probe_plain(f->detail, detail, sizeof detail), 4, width);
    if (f->packet_count)
        tool_wrap(to, probe_words_packets(f, packets), 4, width);
    if (f->severity == SD_FATAL)
        tool_wrap(to, f->entry->advice, 4, width);
}

bool probe_ladder(FILE *to, const struct probe_report *r, struct probe_ladder look)
{
    fprintf(to, "Handshake %llu: %s\n\n", (unsigned long long)r->x->id,
            probe_outcome_name(r->outcome));
    if (!probe_ladder_lanes(to, r, look))
        return false;
    if (r->count && r->findings[0].packet_count)
        fputs("\n  * = evidence of the first finding\n", to);
    fputc('\n', to);
    for (size_t i = 0; i < r->count; i++)
        ladder_finding(to, &r->findings[i], ladder_width(look));
    return !ferror(to);
}
