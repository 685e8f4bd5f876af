#include "dtls_probe/ladder.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "dtls_probe/markup.h"
#include "dtls_probe/summary.h"
#include "dtls_probe/timeline.h"
#include "dtls_probe/words.h"

/* "   0.000000     12* 1  " stands left of the lanes. */
enum { MARGIN = 23, TEXT = PROBE_DATAGRAM_TEXT + PROBE_EVENT_TEXT + SD_ADDR_TEXT + 8 };

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

static void repeat(FILE *to, const char *glyph, unsigned n)
{
    while (n--)
        fputs(glyph, to);
}

/* --- rows of text --- */

static void put_margin(const struct ladder *l, const struct probe_row *row)
{
    const struct sd_exchange *x = l->t->report->x;
    int64_t us = (row->time - x->start) / 1000;
    char text[MARGIN + 24];
    int n = snprintf(text, sizeof text, "%s%lld.%06lld", us < 0 ? "-" : "",
                     llabs((long long)us) / 1000000, llabs((long long)us) % 1000000);
    fprintf(l->to, "%*s%s", n < 11 ? 11 - n : 0, "", text);
    if (row->end <= row->from || row->kind == PROBE_ROW_LOST) {
        fprintf(l->to, "%*s", n < 11 ? MARGIN - 11 : n < MARGIN ? MARGIN - n : 0, "");
        return;
    }
    const struct sd_event *e = &x->log[row->from];
    char flight[8] = "";
    if (e->flight)
        snprintf(flight, sizeof flight, "%u", e->flight);
    fprintf(l->to, " %6u%c %1s  ", e->number, row->evidence ? '*' : ' ', flight);
}

static void put_text(const struct ladder *l, const char *text, unsigned len)
{
    unsigned room = l->inner - 1;
    len = len > room ? room : len;
    fprintf(l->to, "%s %.*s%*s%s\n", l->g->lane, (int)len, text, (int)(room - len), "", l->g->lane);
}

/* The label between the lanes; the margin of its first line is there already. */
static void put_label(const struct ladder *l, const char *text)
{
    size_t n = probe_line_length(text, l->inner - 2);
    put_text(l, text, (unsigned)n);
    for (text += n; (n = probe_line_length(text, l->inner - 2)) > 0; text += n) {
        fprintf(l->to, "%*s", MARGIN, "");
        put_text(l, text, (unsigned)n);
    }
}

/* "|    ... text ...    |" */
static void put_centred(const struct ladder *l, const char *fill, const char *text)
{
    unsigned len = (unsigned)strlen(text), room = l->inner - 2;
    len = len > room ? room : len;
    unsigned before = (room - len) / 2;
    fputs(l->g->lane, l->to);
    repeat(l->to, fill, before);
    fprintf(l->to, " %.*s ", (int)len, text);
    repeat(l->to, fill, room - len - before);
    fprintf(l->to, "%s\n", l->g->lane);
}

/* --- arrows --- */

/* `n` columns of a line, with holes in it for what was sent before. */
static void put_line(const struct ladder *l, unsigned n, bool again)
{
    for (unsigned i = 0; i < n; i++)
        fputs(again && i % 2 ? l->g->dash : l->g->line, l->to);
}

static void put_arrow(const struct ladder *l, const struct probe_row *row)
{
    fprintf(l->to, "%*s%s", MARGIN, "", l->g->lane);
    if (row->server)
        fputs(l->g->left, l->to);
    put_line(l, l->inner - 1, row->again);
    fprintf(l->to, "%s%s\n", row->server ? "" : l->g->right, l->g->lane);
}

/* An arrow that does not arrive, with `text` where it would have gone on. */
static void put_broken(const struct ladder *l, const struct probe_row *row, const char *text)
{
    unsigned len = (unsigned)strlen(text), room = l->inner - 9;
    len = len > room ? room : len;
    unsigned line = l->inner - 4 - len;
    unsigned shaft = line > l->inner / 2 ? l->inner / 2 : line;
    int pad = (int)(line - shaft);
    fputs(l->g->lane, l->to);
    if (row->server) {
        fprintf(l->to, "%*s %.*s  %s", pad, "", (int)len, text, l->g->lost);
        put_line(l, shaft, false);
    } else {
        put_line(l, shaft, false);
        fprintf(l->to, "%s  %.*s %*s", l->g->lost, (int)len, text, pad, "");
    }
    fprintf(l->to, "%s\n", l->g->lane);
}

/* From somebody in between, to whoever sent what the error quotes. */
static void put_icmp_arrow(const struct ladder *l, const struct probe_row *row)
{
    unsigned shaft = l->inner / 2 - 1;
    int pad = (int)(l->inner - shaft - 2);
    fprintf(l->to, "%*s%s", MARGIN, "", l->g->lane);
    if (row->server)
        fprintf(l->to, "%*s*", pad, "");
    else
        fputs(l->g->left, l->to);
    repeat(l->to, l->g->icmp, shaft);
    if (row->server)
        fputs(l->g->right, l->to);
    else
        fprintf(l->to, "*%*s", pad, "");
    fprintf(l->to, "%s\n", l->g->lane);
}

/* --- rows --- */

static void put_datagram(const struct ladder *l, const struct probe_row *row)
{
    char text[TEXT], marks[PROBE_EVENT_TEXT];
    const struct sd_event *log = l->t->report->x->log;
    probe_words_datagram(log, row->from, row->end, text, PROBE_DATAGRAM_TEXT);
    probe_words_marks(log, row->from, row->end, marks, sizeof marks);
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n, "%s%s", *marks ? " " : "", marks);
    put_margin(l, row);
    put_label(l, text);
    if (row->kind == PROBE_ROW_DATAGRAM) {
        put_arrow(l, row);
        return;
    }
    fprintf(l->to, "%*s", MARGIN, "");
    put_broken(l, row, "incomplete");
}

static void put_lost(const struct ladder *l, const struct probe_row *row)
{
    char text[96];
    /* A capture that lost packets itself proves no loss. */
    const char *fate = l->t->report->view->doubtful ? "not captured" : "lost";
    unsigned long long from = row->lost, last = row->lost_end - 1;
    if (from == last)
        snprintf(text, sizeof text, "record %llu %s", from, fate);
    else
        snprintf(text, sizeof text, "records %llu-%llu %s", from, last, fate);
    fprintf(l->to, "%*s", MARGIN, "");
    put_broken(l, row, text);
}

static void put_icmp(const struct ladder *l, const struct probe_row *row)
{
    char text[TEXT], from[SD_ADDR_TEXT];
    const struct sd_exchange *x = l->t->report->x;
    probe_words_datagram(x->log, row->from, row->end, text, PROBE_DATAGRAM_TEXT);
    size_t n = strlen(text);
    /* Only the sender of the first is known. */
    if (x->icmp_number == x->log[row->from].number)
        snprintf(text + n, sizeof text - n, " from %s", probe_words_host(&x->icmp_from, from));
    put_margin(l, row);
    put_label(l, text);
    put_icmp_arrow(l, row);
}

static void put_note(const struct ladder *l, const struct probe_row *row)
{
    char text[96], time[PROBE_TIME_TEXT];
    const struct sd_exchange *x = l->t->report->x;
    put_margin(l, row);
    if (row->kind == PROBE_ROW_END) {
        put_centred(l, " ", "no more packets until the capture ends");
        return;
    }
    snprintf(text, sizeof text, "established after %s",
             probe_timeline_time(x->established - x->start, time));
    put_centred(l, "=", text);
}

static void put_silence(const struct ladder *l, int64_t ns)
{
    char text[PROBE_TIME_TEXT + 16], time[PROBE_TIME_TEXT];
    snprintf(text, sizeof text, "... %s ...", probe_timeline_time(ns, time));
    fprintf(l->to, "%*s", MARGIN, "");
    put_centred(l, " ", text);
}

static void put_row(const struct ladder *l, const struct probe_row *row)
{
    if (row->silence)
        put_silence(l, row->silence);
    switch (row->kind) {
    case PROBE_ROW_DATAGRAM:
    case PROBE_ROW_CUT:
        put_datagram(l, row);
        break;
    case PROBE_ROW_LOST:
        put_lost(l, row);
        break;
    case PROBE_ROW_ICMP:
        put_icmp(l, row);
        break;
    case PROBE_ROW_ESTABLISHED:
    case PROBE_ROW_END:
        put_note(l, row);
        break;
    }
}

/* --- around them --- */

static void put_ends(const struct ladder *l, const char *client, const char *server)
{
    int gap = (int)l->inner + 2 - (int)(strlen(client) + strlen(server));
    if (gap < 1)
        fprintf(l->to, "%*s%s\n%*s%s\n", MARGIN, "", client, MARGIN, "", server);
    else
        fprintf(l->to, "%*s%s%*s%s\n", MARGIN, "", client, gap, "", server);
}

static void put_header(const struct ladder *l)
{
    char client[SD_ADDR_TEXT], server[SD_ADDR_TEXT];
    const struct sd_exchange *x = l->t->report->x;
    fprintf(l->to, "    seconds packet  fl ");
    fprintf(l->to, "client%*sserver\n", (int)l->inner + 2 - 12, "");
    put_ends(l, sd_addr_text(&x->client, client), sd_addr_text(&x->server, server));
}

static unsigned width_of(struct probe_ladder look)
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
    struct ladder l = {to, t, look.utf8 ? &boxes : &ascii, width_of(look) - MARGIN - 2};
    put_header(&l);
    for (size_t i = 0; i < t->count; i++)
        put_row(&l, &t->rows[i]);
    if (r->x->unlogged)
        fprintf(to, "%*s%u more packets are not drawn\n", MARGIN, "", r->x->unlogged);
    free(t);
    return !ferror(to);
}

static void put_finding(FILE *to, const struct sd_finding *f, unsigned width)
{
    char text[SD_SENTENCE + 128], detail[SD_SENTENCE];
    snprintf(text, sizeof text, "%s %s: %s", sd_severity_name(f->severity), f->entry->id,
             f->entry->title);
    tool_wrap(to, text, 2, width);
    tool_wrap(to, probe_plain(f->detail, detail, sizeof detail), 4, width);
    if (f->packet_count) {
        int n = snprintf(text, sizeof text, "packets");
        for (size_t i = 0; i < f->packet_count; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s %u", i ? "," : "", f->packets[i]);
        tool_wrap(to, text, 4, width);
    }
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
        put_finding(to, &r->findings[i], width_of(look));
    return !ferror(to);
}
