/* SPDX-License-Identifier: MIT */
#include "dtls_probe/mermaid.h"

#include <stdlib.h>
#include <string.h>

#include "dtls_probe/markup.h"
#include "dtls_probe/summary.h"
#include "dtls_probe/timeline.h"
#include "dtls_probe/words.h"

/* ns; shorter silences get no note, as each message has its time */
#define NOTED_SILENCE (200 * SD_NS_MS)

static void mermaid_participants(FILE *to, const struct probe_timeline *t)
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

static void mermaid_datagram(FILE *to, const struct probe_timeline *t, const struct probe_row *row)
{
    char text[PROBE_MARKED_TEXT], time[PROBE_TIME_TEXT];
    const struct sd_exchange *x = t->report->x;
    const char *arrow = row->kind == PROBE_ROW_CUT ? row->again ? "--x" : "-x"
                        : row->again               ? "-->>"
                                                   : "->>";
    bool icmp = row->kind == PROBE_ROW_ICMP;
    /* An error goes to the sender of the datagram that it quotes. */
    const char *from = icmp ? "N" : row->server ? "S" : "C";
    const char *target = row->server == icmp ? "S" : "C";
    fprintf(to, "    %s%s%s: %s ", from, arrow, target,
            probe_timeline_time(row->time - x->start, time));
    probe_mermaid_text(to, probe_words_marked(x->log, row->from, row->end, text));
    fprintf(to, " (packet %u", x->log[row->from].number);
    if (x->log[row->from].flight)
        fprintf(to, ", flight %u", x->log[row->from].flight);
    fputs(")\n", to);
}

static void mermaid_lost(FILE *to, const struct probe_timeline *t, const struct probe_row *row)
{
    char text[PROBE_LABEL_TEXT];
    fprintf(to, "    %s: %s\n", row->server ? "S--xC" : "C--xS",
            probe_timeline_lost(t, row, "-", text));
}

static void mermaid_row(FILE *to, const struct probe_timeline *t, const struct probe_row *row)
{
    char text[PROBE_LABEL_TEXT], time[PROBE_TIME_TEXT];
    if (row->silence >= NOTED_SILENCE)
        fprintf(to, "    Note over C,S: %s later\n", probe_timeline_time(row->silence, time));
    switch (row->kind) {
    case PROBE_ROW_DATAGRAM:
    case PROBE_ROW_CUT:
    case PROBE_ROW_ICMP:
        mermaid_datagram(to, t, row);
        break;
    case PROBE_ROW_LOST:
        mermaid_lost(to, t, row);
        break;
    case PROBE_ROW_ESTABLISHED:
    case PROBE_ROW_END:
        fputs("    Note over C,S: ", to);
        probe_mermaid_text(to, probe_timeline_label(t, row, text));
        fputc('\n', to);
        break;
    }
}

static void mermaid_outcome(FILE *to, const struct probe_report *r)
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
    mermaid_participants(to, t);
    for (size_t i = 0; i < t->count; i++)
        mermaid_row(to, t, &t->rows[i]);
    mermaid_outcome(to, r);
    free(t);
    return !ferror(to);
}
