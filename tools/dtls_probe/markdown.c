/* SPDX-License-Identifier: MIT */
#include "dtls_probe/markdown.h"

#include "dtls_probe/ladder.h"
#include "dtls_probe/markup.h"
#include "dtls_probe/summary.h"
#include "dtls_probe/timeline.h"
#include "dtls_probe/words.h"
#include "wire/names.h"

/* --- what was seen --- */

static void markdown_facts(FILE *to, const struct probe_report *r)
{
    char client[SD_ADDR_TEXT], server[SD_ADDR_TEXT], version[SD_NAME_TEXT], suite[SD_NAME_TEXT];
    const struct sd_exchange *x = r->x;
    const char *vantage = probe_vantage_name(r->view->vantage);
    fprintf(to, "| | |\n|---|---|\n| Client | `%s` |\n| Server | `%s` |\n",
            sd_addr_text(&x->client, client), sd_addr_text(&x->server, server));
    if (x->negotiated)
        fprintf(to, "| Version | %s |\n| Cipher suite | `%s`%s |\n",
                sd_name(SD_NAME_VERSION, x->version, version),
                sd_name(SD_NAME_SUITE, x->suite, suite), x->resumed ? ", resumed" : "");
    else if (x->has_client_random)
        fprintf(to, "| Version offered | %s |\n", sd_name(SD_NAME_VERSION, x->version, version));
    if (x->established)
        fprintf(to, "| Established after | %.1f ms |\n", probe_duration_ms(x));
    if (r->view->lost[SD_CLIENT] || r->view->lost[SD_SERVER])
        fprintf(to, "| Records missing | %u from the client, %u from the server |\n",
                r->view->lost[SD_CLIENT], r->view->lost[SD_SERVER]);
    if (vantage)
        fprintf(to, "| Captured | %s |\n", vantage);
    if (probe_doubt(r->view))
        fprintf(to, "| Note | %s |\n", probe_doubt(r->view));
    if (x->mid_session)
        fputs("| Note | The beginning was not captured. |\n", to);
}

/* --- what was found --- */

static void markdown_paragraph(FILE *to, const char *heading, const char *text)
{
    fprintf(to, "\n**%s** ", heading);
    probe_markdown_text(to, text);
    fputc('\n', to);
}

/* The events of this frame as a row. False when the log does not hold it. */
static bool markdown_packet(FILE *to, const struct sd_exchange *x, uint32_t number)
{
    char text[PROBE_MARKED_TEXT], time[PROBE_TIME_TEXT];
    size_t i = 0;
    while (i < x->count && x->log[i].number != number)
        i++;
    if (i == x->count)
        return false;
    const struct sd_event *e = &x->log[i];
    size_t end = probe_datagram_end(x->log, i, x->count);
    const char *from = e->kind == SD_EV_ICMP      ? "network"
                       : e->flags & SD_EVF_SERVER ? "server"
                                                  : "client";
    fprintf(to, "| %u | %s | %s | %u | ", number, probe_timeline_time(e->time - x->start, time),
            from, e->datagram);
    probe_markdown_text(to, probe_words_marked(x->log, i, end, text));
    fputs(" |\n", to);
    return true;
}

static void markdown_evidence(FILE *to, const struct sd_exchange *x, const struct sd_finding *f)
{
    if (!f->packet_count)
        return;
    fputs("\n| Packet | Time | From | Bytes | Messages |\n|---:|---:|---|---:|---|\n", to);
    for (size_t i = 0; i < f->packet_count; i++)
        if (!markdown_packet(to, x, f->packets[i]))
            fprintf(to, "| %u | | | | |\n", f->packets[i]);
}

static void markdown_finding(FILE *to, const struct sd_exchange *x, const struct sd_finding *f)
{
    fprintf(to, "\n### %s: ", sd_severity_name(f->severity));
    probe_markdown_text(to, f->entry->title);
    fprintf(to, " (`%s`)\n\n", f->entry->id);
    probe_markdown_text(to, f->detail);
    fprintf(to, "\n\nConfidence: %s.", sd_confidence_name(f->confidence));
    if (f->runner_up)
        fprintf(to, " It may also be `%s`.", f->runner_up->id);
    fputc('\n', to);
    if (f->mtu_below && f->mtu_above)
        fprintf(to, "\nThe path MTU is between %u and %u bytes.\n", f->mtu_above, f->mtu_below);
    else if (f->mtu_below)
        fprintf(to, "\nThe path MTU is at most %u bytes.\n", f->mtu_below);
    markdown_evidence(to, x, f);
    markdown_paragraph(to, "Cause.", f->entry->cause);
    markdown_paragraph(to, "What to do.", f->entry->advice);
    markdown_paragraph(to, "Reference.", f->entry->reference);
}

bool probe_markdown(FILE *to, const struct probe_report *r)
{
    const struct probe_ladder look = {.width = 100};
    fprintf(to, "## DTLS handshake %llu: %s\n\n", (unsigned long long)r->x->id,
            probe_outcome_name(r->outcome));
    markdown_facts(to, r);
    for (size_t i = 0; i < r->count; i++)
        markdown_finding(to, r->x, &r->findings[i]);
    fputs("\n### Packets\n\n```text\n", to);
    bool drawn = probe_ladder_lanes(to, r, look);
    fputs("```\n\n", to);
    return drawn && !ferror(to);
}
