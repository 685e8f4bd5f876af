/* SPDX-License-Identifier: MIT */
#include "dtls_probe/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtls_probe/words.h"

enum {
    ROW_PADDING = 20,   /* arrow to arrow, besides the label */
    CROSS_PADDING = 5,  /* added where a cross is under the label */
    USUAL_STEP = 56,    /* what an answer usually takes, in pixels */
    LONGEST_STEP = 150, /* longer silences are cut short */
    BREAK_STEP = 34,    /* height of a silence that is cut short */
    LEAP = 1000         /* record numbers; no loss is so large */
};

/* ns; after a longer silence than this the drawing says that nothing followed */
#define END_SILENCE SD_NS_SECOND

/* --- rows from the log --- */

static struct probe_row *add_row(struct probe_timeline *t, enum probe_row_kind kind, int64_t time)
{
    if (t->count == PROBE_ROWS_MAX)
        return NULL;
    struct probe_row *row = &t->rows[t->count++];
    *row = (struct probe_row){.kind = kind, .time = time, .lines = 1};
    return row;
}

/* The smallest record number in [from, end) that arrived at any time, else `end`: a record missing
 * in a gap may just be late. */
static uint64_t next_record_seen(const struct sd_exchange *x, const struct sd_event *e,
                                 uint64_t from, uint64_t end)
{
    uint64_t next = end;
    for (size_t i = 0; i < x->count; i++) {
        const struct sd_event *o = &x->log[i];
        if (sd_event_side(o) == sd_event_side(e) && o->epoch == e->epoch && o->seq >= from &&
            o->seq < next && probe_is_record(o))
            next = o->seq;
    }
    return next;
}

/* Above the datagram of event `at`: record numbers [from, end) are missing. */
static void add_lost_row(struct probe_timeline *t, size_t at, uint64_t from, uint64_t end)
{
    const struct sd_event *e = &t->report->x->log[at];
    struct probe_row *row = add_row(t, PROBE_ROW_LOST, e->time);
    if (!row)
        return;
    row->from = at;
    row->end = at + 1;
    row->lost = from;
    row->lost_end = end;
    row->server = e->flags & SD_EVF_SERVER;
}

/* Of the handshake: the gaps that the findings speak of. */
static void add_handshake_gaps(struct probe_timeline *t, size_t at)
{
    const struct sd_view *v = t->report->view;
    const struct sd_event *e = &t->report->x->log[at];
    for (size_t i = 0; i < v->gap_count; i++)
        if (v->gaps[i].before == e->number && v->gaps[i].side == sd_event_side(e))
            add_lost_row(t, at, v->gaps[i].from, v->gaps[i].to);
}

/* Of the session: before one encrypted record. A leap is no loss: senders also set numbers. */
static void add_session_gap(struct probe_timeline *t, size_t at)
{
    const struct sd_event *e = &t->report->x->log[at];
    uint64_t from = e->seq > e->gap ? e->seq - e->gap : 0; /* without a gap: e->seq */
    while (from < e->seq) {
        uint64_t end = next_record_seen(t->report->x, e, from, e->seq);
        if (end > from)
            add_lost_row(t, at, from, end);
        from = end + 1;
    }
}

/* Findings of severity info mark no packets. */
static bool is_evidence(const struct probe_report *r, uint32_t number)
{
    const struct sd_finding *f = r->findings;
    for (size_t i = 0; r->count && f->severity > SD_INFO && i < f->packet_count; i++)
        if (f->packets[i] == number)
            return true;
    return false;
}

static enum probe_row_kind row_kind(const struct sd_event *e)
{
    return e->kind == SD_EV_ICMP     ? PROBE_ROW_ICMP
           : e->kind == SD_EV_IP_CUT ? PROBE_ROW_CUT
                                     : PROBE_ROW_DATAGRAM;
}

static unsigned count_lines(const char *text)
{
    unsigned lines = 0;
    for (size_t n; (n = probe_line_length(text, PROBE_LABEL_COLUMNS)) > 0; text += n)
        lines++;
    return lines;
}

static void add_datagram_rows(struct probe_timeline *t, size_t from, size_t end)
{
    char label[PROBE_LABEL_TEXT];
    const struct sd_event *e = &t->report->x->log[from];
    if (probe_is_record(e))
        add_handshake_gaps(t, from);
    for (size_t i = from; i < end; i++)
        if (t->report->x->log[i].epoch && t->report->x->log[i].gap < LEAP)
            add_session_gap(t, i);
    struct probe_row *row = add_row(t, row_kind(e), e->time);
    if (!row)
        return;
    row->from = from;
    row->end = end;
    row->server = e->flags & SD_EVF_SERVER;
    row->evidence = is_evidence(t->report, e->number);
    for (size_t i = from; i < end; i++)
        row->again |= (e[i - from].flags & (SD_EVF_RETRANSMIT | SD_EVF_DUPLICATE)) != 0;
    row->lines = count_lines(probe_timeline_label(t, row, label));
}

/* The datagrams of the log by time; returns how many. The log is in the order of the capture, where
 * an IP packet with a missing fragment comes when it is given up, and a capture of several queues
 * is out of order. */
static size_t sort_datagrams(const struct sd_exchange *x, size_t first[static SD_LOG_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < x->count && n < SD_LOG_MAX;
         i = probe_datagram_end(x->log, i, x->count)) {
        size_t at = n++;
        for (; at && x->log[first[at - 1]].time > x->log[i].time; at--)
            first[at] = first[at - 1];
        first[at] = i;
    }
    return n;
}

static void add_end_row(struct probe_timeline *t)
{
    const struct sd_exchange *x = t->report->x;
    int64_t silence = t->report->view->silence;
    if (t->report->outcome != SD_OK && t->count && silence > END_SILENCE) {
        int64_t newest = t->rows[t->count - 1].time;
        add_row(t, PROBE_ROW_END, x->last + silence > newest ? x->last + silence : newest);
    }
}

static void add_rows(struct probe_timeline *t)
{
    const struct sd_exchange *x = t->report->x;
    size_t first[SD_LOG_MAX], count = sort_datagrams(x, first);
    bool established = !x->established;
    for (size_t i = 0; i < count; i++) {
        size_t at = first[i];
        add_datagram_rows(t, at, probe_datagram_end(x->log, at, x->count));
        if (!established && x->log[at].time >= x->established) {
            established = true;
            add_row(t, PROBE_ROW_ESTABLISHED, x->log[at].time);
        }
    }
    add_end_row(t);
}

/* --- time to pixels --- */

static int steps_by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A row that answers the one above it, for the first time. */
static bool is_answer(const struct probe_timeline *t, const struct probe_row *row)
{
    return row->server != row[-1].server && !row->again && row->kind == PROBE_ROW_DATAGRAM &&
           t->report->x->log[row->from].flight;
}

/* Three of four steps between rows are at most this long; `answers`: counts only answers. */
static int64_t usual_step(const struct probe_timeline *t, bool answers)
{
    int64_t steps[PROBE_ROWS_MAX];
    size_t n = 0;
    for (size_t i = 1; i < t->count; i++) {
        const struct probe_row *row = &t->rows[i];
        int64_t step = row->time - row[-1].time;
        if (step > 0 && row->kind != PROBE_ROW_END && (!answers || is_answer(t, row)))
            steps[n++] = step;
    }
    qsort(steps, n, sizeof steps[0], steps_by_time);
    return n ? steps[(n - 1) * 3 / 4] : 0;
}

static bool has_cross(const struct probe_row *row)
{
    return row->kind == PROBE_ROW_LOST || row->kind == PROBE_ROW_CUT || row->kind == PROBE_ROW_ICMP;
}

static void place_rows(struct probe_timeline *t)
{
    int64_t usual = usual_step(t, true);
    if (!usual)
        usual = usual_step(t, false);
    t->pixels_per_ns = usual ? USUAL_STEP / (double)usual : 0;
    double y = t->top;
    for (size_t i = 0; i < t->count; i++) {
        struct probe_row *row = &t->rows[i];
        int64_t step = i ? row->time - row[-1].time : 0;
        int cross = has_cross(row) ? CROSS_PADDING : 0;
        double need = (double)row->lines * PROBE_LINE_HEIGHT + ROW_PADDING + cross;
        double scaled = (double)step * t->pixels_per_ns;
        if (scaled > LONGEST_STEP || row->kind == PROBE_ROW_END) {
            row->silence = step;
            y += need + BREAK_STEP;
        } else
            y += scaled > need ? scaled : need;
        row->y = y;
        row->label = y - 6 - cross;
    }
    t->bottom = y + ROW_PADDING;
}

void probe_timeline_build(struct probe_timeline *t, const struct probe_report *r, double top)
{
    t->report = r;
    t->count = 0;
    t->top = top;
    add_rows(t);
    place_rows(t);
}

/* --- words --- */

static const struct {
    uint16_t flag;
    const char *word;
} marks[] = {{SD_EVF_DUPLICATE, "duplicated by the network"},
             {SD_EVF_REORDERED, "out of order"},
             {SD_EVF_REUSED, "number reused"},
             {SD_EVF_CHANGED, "bytes changed"},
             {SD_EVF_REFRAGMENTED, "fragmented differently"},
             {SD_EVF_IP_FRAGMENTS, "in IP fragments"},
             {SD_EVF_SNAPPED, "cut by the capture"},
             {SD_EVF_TRAILING, "zero bytes after the last record"}};

static void label_datagram(const struct sd_exchange *x, const struct probe_row *row, char *buf)
{
    unsigned flags = 0, copy = 0;
    probe_words_datagram(x->log, row->from, row->end, buf, PROBE_DATAGRAM_TEXT);
    for (size_t i = row->from; i < row->end; i++) {
        flags |= x->log[i].flags;
        copy = x->log[i].copy > copy ? x->log[i].copy : copy;
    }
    size_t n = strlen(buf);
    if (flags & SD_EVF_RETRANSMIT)
        n += (size_t)snprintf(buf + n, PROBE_LABEL_TEXT - n, " \xc2\xb7 retransmission %u", copy);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0] && n < PROBE_LABEL_TEXT; i++)
        if (flags & marks[i].flag)
            n += (size_t)snprintf(buf + n, PROBE_LABEL_TEXT - n, " \xc2\xb7 %s", marks[i].word);
}

const char *probe_timeline_lost(const struct probe_timeline *t, const struct probe_row *row,
                                const char *dash, char buf[static PROBE_LABEL_TEXT])
{
    /* A capture that lost packets itself proves no loss. */
    const char *fate = t->report->view->doubtful ? "not captured" : "lost";
    if (row->lost_end - row->lost == 1)
        snprintf(buf, PROBE_LABEL_TEXT, "record %llu %s", (unsigned long long)row->lost, fate);
    else
        snprintf(buf, PROBE_LABEL_TEXT, "records %llu%s%llu %s", (unsigned long long)row->lost,
                 dash, (unsigned long long)row->lost_end - 1, fate);
    return buf;
}

static void label_icmp(const struct sd_exchange *x, const struct probe_row *row, char *buf)
{
    char from[SD_ADDR_TEXT];
    probe_words_datagram(x->log, row->from, row->end, buf, PROBE_DATAGRAM_TEXT);
    size_t n = strlen(buf);
    /* Only the sender of the first is known. */
    if (x->icmp_number != x->log[row->from].number)
        return;
    snprintf(buf + n, PROBE_LABEL_TEXT - n, " from %s",
             probe_words_host(&sd_rare(x)->icmp_from, from));
}

const char *probe_timeline_label(const struct probe_timeline *t, const struct probe_row *row,
                                 char buf[static PROBE_LABEL_TEXT])
{
    char time[PROBE_TIME_TEXT];
    const struct sd_exchange *x = t->report->x;
    buf[0] = '\0';
    switch (row->kind) {
    case PROBE_ROW_DATAGRAM:
    case PROBE_ROW_CUT:
        label_datagram(x, row, buf);
        break;
    case PROBE_ROW_ICMP:
        label_icmp(x, row, buf);
        break;
    case PROBE_ROW_LOST:
        probe_timeline_lost(t, row, "\xe2\x80\x93", buf);
        break;
    case PROBE_ROW_ESTABLISHED:
        snprintf(buf, PROBE_LABEL_TEXT, "established after %s",
                 probe_timeline_time(x->established - x->start, time));
        break;
    case PROBE_ROW_END:
        snprintf(buf, PROBE_LABEL_TEXT, "no more packets until the capture ends");
        break;
    }
    return buf;
}

const char *probe_timeline_time(int64_t ns, char buf[static PROBE_TIME_TEXT])
{
    double ms = probe_millis(ns);
    if (ms < 999.995)
        snprintf(buf, PROBE_TIME_TEXT, "%.2f ms", ms);
    else
        snprintf(buf, PROBE_TIME_TEXT, "%.3f s", ms / 1e3);
    return buf;
}

static bool inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t probe_line_length(const char *text, size_t columns)
{
    size_t i = 0, space = 0;
    for (size_t column = 0; text[i] && column < columns; column++) {
        if (text[i++] == ' ')
            space = i;
        while (inside_character(text[i]))
            i++;
    }
    if (text[i] == ' ')
        return i + 1;
    return text[i] && space ? space : i;
}
