#include "dtls_probe/mermaid.h"

#include <stdlib.h>
#include <string.h>

#include "dtls_probe/markup.h"
#include "dtls_probe/summary.h"
#include "dtls_probe/timeline.h"
#include "dtls_probe/words.h"

#define WORTH_A_NOTE 200000000 /* ns; each message has its time, too */

enum { TEXT = PROBE_DATAGRAM_TEXT + PROBE_EVENT_TEXT };

static void put_participants(FILE *to, const struct probe_timeline *t)
{
    char client[SD_ADDR_TEXT], server[SD_ADDR_TEXT];
    const struct sd_exchange *x = t->report->x;
    fputs("sequenceDiagram\n    participant C as client ", to);
    probe_mermaid_text(to, sd_addr_text(&x->client, client));
    for (size_t i = 0; i < t->count; i++)
        if (t->rows[i].kind == PROBE_ROW_ICMP) {
            fputs("\n    participant N as network", to);
            break;
        }
    fputs("\n    participant S as server ", to);
    probe_mermaid_text(to, sd_addr_text(&x->server, server));
    fputc('\n', to);
}

static void put_datagram(FILE *to, const struct probe_timeline *t, const struct probe_row *row)
{
    char text[TEXT], marks[PROBE_EVENT_TEXT], time[PROBE_TIME_TEXT];
    const struct sd_exchange *x = t->report->x;
    const char *arrow = row->kind == PROBE_ROW_CUT ? row->again ? "--x" : "-x"
                        : row->again               ? "-->>"
                                                   : "->>";
    bool icmp = row->kind == PROBE_ROW_ICMP;
    /* An error goes to whoever sent what it quotes. */
    const char *from = icmp ? "N" : row->server ? "S" : "C";
    const char *target = row->server == icmp ? "S" : "C";
    probe_words_datagram(x->log, row->from, row->end, text, PROBE_DATAGRAM_TEXT);
    probe_words_marks(x->log, row->from, row->end, marks, sizeof marks);
    fprintf(to, "    %s%s%s: %s ", from, arrow, target,
            probe_timeline_time(row->time - x->start, time));
    probe_mermaid_text(to, text);
    fputs(*marks ? " " : "", to);
    probe_mermaid_text(to, marks);
    fprintf(to, " (packet %u", x->log[row->from].number);
    if (x->log[row->from].flight)
        fprintf(to, ", flight %u", x->log[row->from].flight);
    fputs(")\n", to);
}

static void put_lost(FILE *to, const struct probe_timeline *t, const struct probe_row *row)
{
    const char *fate = t->report->view->doubtful ? "not captured" : "lost";
    fputs(row->server ? "    S--xC: " : "    C--xS: ", to);
    if (row->lost + 1 == row->lost_end)
        fprintf(to, "record %llu %s\n", (unsigned long long)row->lost, fate);
    else
        fprintf(to, "records %llu-%llu %s\n", (unsigned long long)row->lost,
                (unsigned long long)row->lost_end - 1, fate);
}

static void put_row(FILE *to, const struct probe_timeline *t, const struct probe_row *row)
{
    char text[PROBE_LABEL_TEXT], time[PROBE_TIME_TEXT];
    if (row->silence >= WORTH_A_NOTE)
        fprintf(to, "    Note over C,S: %s later\n", probe_timeline_time(row->silence, time));
    switch (row->kind) {
    case PROBE_ROW_DATAGRAM:
    case PROBE_ROW_CUT:
    case PROBE_ROW_ICMP:
        put_datagram(to, t, row);
        break;
    case PROBE_ROW_LOST:
        put_lost(to, t, row);
        break;
    case PROBE_ROW_ESTABLISHED:
    case PROBE_ROW_END:
        fputs("    Note over C,S: ", to);
        probe_mermaid_text(to, probe_timeline_label(t, row, text));
        fputc('\n', to);
        break;
    }
}

static void put_verdict(FILE *to, const struct probe_report *r)
{
    fprintf(to, "    Note over C,S: %s", probe_outcome_name(r->outcome));
    for (size_t i = 0; i < r->count; i++) {
        const struct sd_finding *f = &r->findings[i];
        fprintf(to, "<br/>%s ", sd_severity_name(f->severity));
        probe_mermaid_text(to, f->entry->id);
        fputs(": ", to);
        probe_mermaid_text(to, f->entry->title);
    }
    fputc('\n', to);
}

bool probe_mermaid(FILE *to, const struct probe_report *r)
{
    struct probe_timeline *t = malloc(sizeof *t);
    if (!t)
        return false;
    probe_timeline_build(t, r, 0);
    put_participants(to, t);
    for (size_t i = 0; i < t->count; i++)
        put_row(to, t, &t->rows[i]);
    put_verdict(to, r);
    free(t);
    return !ferror(to);
}
