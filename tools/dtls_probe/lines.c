/* SPDX-License-Identifier: MIT */
#include "dtls_probe/lines.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "common/words.h"
#include "dtls_probe/array.h"
#include "dtls_probe/details.h"
#include "dtls_probe/words.h"
#include "wire/iana.h"
#include "wire/names.h"
#include "wire/record.h"

enum {
    HELD_MAX = 4096, /* lines that wait */
    DETAILS = 10,    /* column of what a message says */
    START_TEXT = 64,
    LINE_TEXT = PROBE_MARKED_TEXT + 2 * SD_ADDR_TEXT + 64
};

#define DIM "\033[2m"
#define YELLOW "\033[33m"
#define RED "\033[31m"
#define PLAIN "\033[0m"

static void add_date(struct tool_words *w, int64_t time)
{
    time_t seconds = (time_t)(time / SD_NS_SECOND);
    char text[PROBE_SECONDS_TEXT];
    struct tm tm;
    localtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    tool_words_add(w, "%s.%06lld", text, (long long)(time % SD_NS_SECOND / (int64_t)SD_US));
}

static void add_time(struct probe_lines *l, struct tool_words *w, int64_t time)
{
    if (!l->first)
        l->first = l->before = time;
    char text[PROBE_SECONDS_TEXT];
    int64_t t = l->times == 'd' ? time - l->before : time - l->first;
    l->before = time;
    if (l->times == 'a')
        add_date(w, time);
    else
        tool_words_right(w, probe_words_seconds(t, text), 13);
}

/* The protocol column: the negotiated version, else the version of the record header. */
static const char *protocol_column(const struct sd_packet *p, char buf[static SD_NAME_TEXT])
{
    const struct sd_event *e = &p->events[0];
    if (e->kind == SD_EV_ICMP)
        return "ICMP";
    if (e->kind == SD_EV_FOREIGN || e->kind == SD_EV_IP_CUT)
        return "UDP";
    if (e->flags & SD_EVF_UNIFIED || p->x->negotiated)
        return p->x->negotiated ? sd_name(SD_NAME_VERSION, p->x->version, buf) : "DTLS 1.3";
    if (e->content == SD_CT_HANDSHAKE && !e->epoch)
        return "DTLS";
    return sd_name(SD_NAME_VERSION, p->x->version, buf);
}

static void add_addresses(struct tool_words *w, const struct sd_packet *p)
{
    char src[SD_ADDR_TEXT], dst[SD_ADDR_TEXT];
    bool server = p->events[0].flags & SD_EVF_SERVER;
    const struct sd_addr *from = server ? &p->x->server : &p->x->client;
    const struct sd_addr *to = server ? &p->x->client : &p->x->server;
    if (p->datagram) {
        from = &p->datagram->src;
        to = &p->datagram->dst;
    }
    sd_addr_text(from, src);
    if (p->events[0].kind == SD_EV_ICMP) {
        probe_words_host(&sd_rare(p->x)->icmp_from, src);
        to = from; /* the error goes to the sender of the packet that it quotes */
    }
    tool_words_text(w, " ");
    tool_words_right(w, src, 21);
    tool_words_text(w, " -> ");
    tool_words_left(w, sd_addr_text(to, dst), 21);
}

static const char *line_color(const struct sd_packet *p)
{
    uint16_t flags = 0;
    bool bad = false, gap = false;
    for (size_t i = 0; i < p->count; i++) {
        const struct sd_event *e = &p->events[i];
        flags |= e->flags;
        gap |= e->gap > 0;
        bad |= e->kind == SD_EV_ICMP || e->kind == SD_EV_IP_CUT || e->kind == SD_EV_MALFORMED ||
               e->kind == SD_EV_FOREIGN || (e->kind == SD_EV_ALERT && e->level == 2);
    }
    if (bad)
        return RED;
    if (gap || flags & (SD_EVF_RETRANSMIT | SD_EVF_CHANGED | SD_EVF_REORDERED | SD_EVF_REUSED))
        return YELLOW;
    return p->events[0].kind == SD_EV_APPDATA ? DIM : NULL;
}

static void line_fields(struct probe_lines *l, const struct sd_packet *p)
{
    char words[PROBE_EVENT_TEXT], content[SD_NAME_TEXT];
    for (size_t i = 0; i < p->count; i++) {
        const struct sd_event *e = &p->events[i];
        if (!probe_is_record(e))
            continue;
        fprintf(l->to, "        record %s epoch %u seq %llu%s length %u",
                e->content ? sd_name(SD_NAME_CONTENT, e->content, content) : "encrypted", e->epoch,
                (unsigned long long)e->seq, e->flags & SD_EVF_UNIFIED ? " (encrypted)" : "",
                e->record);
        if (e->kind == SD_EV_HANDSHAKE)
            fprintf(l->to, ": %s message_seq %u length %u",
                    probe_words_event(e, words, sizeof words), e->message_seq, e->length);
        fprintf(l->to, "%s\n", e->flags & SD_EVF_DECRYPTED ? " (decrypted)" : "");
        const json_t *fields = probe_messages_find(l->messages, e);
        if (fields)
            probe_details_print(l->to, fields, DETAILS);
    }
}

static void line_bytes(struct probe_lines *l, struct sd_span s)
{
    for (size_t at = 0; at < s.len; at += 16) {
        fprintf(l->to, "        %04zx ", at);
        for (size_t i = at; i < at + 16; i++) {
            if (i < s.len)
                fprintf(l->to, " %02x", s.p[i]);
            else
                fputs("   ", l->to);
        }
        fputs("  ", l->to);
        for (size_t i = at; i < at + 16 && i < s.len; i++)
            fputc(s.p[i] >= ' ' && s.p[i] < 127 ? s.p[i] : '.', l->to);
        fputc('\n', l->to);
    }
}

/* A line is put together without formats and written at once: formats cost more than following
 * and judging the handshake. */
static void line_start(struct probe_lines *l, uint64_t number, int64_t time, const char *color)
{
    char line[START_TEXT];
    struct tool_words w = tool_words_in(line, sizeof line);
    tool_words_text(&w, color ? color : "");
    tool_words_number_right(&w, number, 5);
    tool_words_text(&w, " ");
    add_time(l, &w, time);
    fputs(line, l->to);
}

static void line_rest(struct probe_lines *l, const struct sd_packet *p, const char *color)
{
    char version[SD_NAME_TEXT], words[PROBE_MARKED_TEXT], line[LINE_TEXT];
    struct tool_words w = tool_words_in(line, sizeof line);
    add_addresses(&w, p);
    tool_words_text(&w, " ");
    tool_words_left(&w, protocol_column(p, version), 8);
    tool_words_text(&w, " ");
    tool_words_number_right(&w, p->datagram ? p->datagram->length : p->events[0].length, 5);
    tool_words_text(&w, "  ");
    if (p->events[0].flight)
        tool_words_number(&w, p->events[0].flight);
    tool_words_text(&w, p->events[0].flight ? "  " : "   ");
    tool_words_text(&w, probe_words_marked(p->events, 0, p->count, words));
    tool_words_text(&w, color ? PLAIN "\n" : "\n");
    fputs(line, l->to);
    if (l->verbose)
        line_fields(l, p);
    if (l->verbose > 1 && p->datagram)
        line_bytes(l, p->datagram->payload);
}

void probe_line(struct probe_lines *l, const struct sd_packet *p)
{
    const char *color = l->color ? line_color(p) : NULL;
    line_start(l, p->number, p->time, color);
    line_rest(l, p, color);
}

/* --- lines that wait --- */

static void print_held(struct probe_lines *l, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct probe_held_line *h = &l->held[i];
        line_start(l, h->number, h->time, h->color);
        fputs(h->text, l->to);
        free(h->text);
    }
    if (count < l->held_count)
        memmove(l->held, l->held + count, (l->held_count - count) * sizeof *l->held);
    l->held_count -= count;
}

/* What follows the time, for free(); NULL when there is no memory. */
static char *text_of_line(const struct probe_lines *l, const struct sd_packet *p, const char *color)
{
    char *text = NULL;
    size_t len = 0;
    struct probe_lines into = {.to = open_memstream(&text, &len),
                               .verbose = l->verbose,
                               .color = l->color,
                               .messages = l->messages};
    if (!into.to)
        return NULL;
    line_rest(&into, p, color);
    bool whole = !ferror(into.to);
    if (!fclose(into.to) && whole)
        return text;
    free(text);
    return NULL;
}

void probe_line_hold(struct probe_lines *l, const struct sd_packet *p)
{
    const char *color = l->color ? line_color(p) : NULL;
    if (l->held_count == HELD_MAX)
        print_held(l, HELD_MAX / 2);
    struct probe_held_line *held =
        probe_array_grow(l->held, l->held_count, &l->held_room, sizeof *held);
    char *text = held ? text_of_line(l, p, color) : NULL;
    l->held = held ? held : l->held;
    if (!text) {
        probe_line(l, p);
        return;
    }
    size_t at = l->held_count++;
    for (; at && held[at - 1].time > p->time; at--)
        held[at] = held[at - 1];
    held[at] = (struct probe_held_line){p->time, p->number, color, text};
}

void probe_lines_release(struct probe_lines *l, int64_t before)
{
    size_t n = 0;
    while (n < l->held_count && l->held[n].time < before)
        n++;
    if (n)
        print_held(l, n);
}

void probe_lines_free(struct probe_lines *l)
{
    for (size_t i = 0; i < l->held_count; i++)
        free(l->held[i].text);
    free(l->held);
    l->held = NULL;
    l->held_count = l->held_room = 0;
}
