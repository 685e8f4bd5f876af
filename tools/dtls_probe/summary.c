/* SPDX-License-Identifier: MIT */
#include "dtls_probe/summary.h"

#include "common/output.h"
#include "common/printable.h"
#include "common/text.h"
#include "common/words.h"
#include "dtls_probe/details.h"
#include "dtls_probe/words.h"
#include "wire/iana.h"
#include "wire/names.h"

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define YELLOW "\033[33m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

const char *probe_outcome_name(enum sd_outcome o)
{
    return o == SD_OK ? "ok" : o == SD_FAILED ? "failed" : "incomplete";
}

const char *probe_vantage_name(enum sd_vantage v)
{
    switch (v) {
    case SD_NEAR_CLIENT:
        return "near the client";
    case SD_NEAR_SERVER:
        return "near the server";
    case SD_MIDDLE:
        return "between the ends";
    default:
        return NULL;
    }
}

const char *probe_doubt(const struct sd_view *v)
{
    if (v->one_way)
        return "Only one direction was captured, so missing packets prove nothing.";
    return v->doubtful ? "The capture itself lost packets, so missing packets prove less." : NULL;
}

double probe_duration_ms(const struct sd_exchange *x)
{
    return x->established ? probe_millis(x->established - x->start) : -1;
}

/* A line is assembled without formats where possible and written at once: in a capture of many
 * handshakes these lines cost more than the diagnosis. */
enum { HEADLINE = 512 };

static void add_painted(struct tool_words *w, const char *paint, const char *text, bool color)
{
    tool_words_text(w, color ? paint : "");
    tool_words_text(w, text);
    tool_words_text(w, color ? PLAIN : "");
}

static void add_ends(struct tool_words *w, const struct sd_exchange *x, bool color)
{
    char client[SD_ADDR_TEXT], server[SD_ADDR_TEXT];
    tool_words_text(w, color ? BOLD : "");
    tool_words_text(w, "Handshake ");
    tool_words_number(w, x->id);
    tool_words_text(w, color ? PLAIN : "");
    tool_words_text(w, " ");
    tool_words_text(w, sd_addr_text(&x->client, client));
    tool_words_text(w, " -> ");
    tool_words_text(w, sd_addr_text(&x->server, server));
    tool_words_text(w, ": ");
}

static void add_choice(struct tool_words *w, const struct sd_exchange *x)
{
    char version[SD_NAME_TEXT], suite[SD_NAME_TEXT];
    if (!x->negotiated && !x->has_client_random)
        return;
    tool_words_text(w, ", ");
    tool_words_text(w, sd_name(SD_NAME_VERSION, x->version, version));
    if (x->negotiated) {
        tool_words_text(w, ", ");
        tool_words_text(w, sd_name(SD_NAME_SUITE, x->suite, suite));
    }
    tool_words_text(w, !x->negotiated ? " offered" : x->resumed ? ", resumed" : "");
}

static void summary_headline(FILE *to, const struct probe_report *r, bool color)
{
    char line[HEADLINE];
    struct tool_words w = tool_words_in(line, sizeof line);
    const struct sd_exchange *x = r->x;
    const char *paint = r->outcome == SD_OK ? GREEN : r->outcome == SD_FAILED ? RED : YELLOW;
    add_ends(&w, x, color);
    add_painted(&w, paint, probe_outcome_name(r->outcome), color);
    if (x->established)
        tool_words_add(&w, " in %.1f ms", probe_duration_ms(x));
    add_choice(&w, x);
    if (r->again)
        tool_words_text(&w, ", reported again");
    if (x->mid_session)
        tool_words_text(&w, ", the beginning was not captured");
    if (x->evicted)
        tool_words_text(&w, ", ended early to save memory (--max-flows)");
    tool_words_text(&w, "\n");
    fputs(line, to);
}

static void summary_vantage(FILE *to, const struct probe_report *r)
{
    const char *name = probe_vantage_name(r->view->vantage);
    if (probe_doubt(r->view))
        fprintf(to, "  %s\n", probe_doubt(r->view));
    else if (name && r->outcome == SD_FAILED)
        fprintf(to, "  Captured %s.\n", name);
}

static void summary_packets(FILE *to, const struct sd_finding *f)
{
    char packets[PROBE_PACKETS_TEXT];
    if (!f->packet_count)
        return;
    fputs("    ", to);
    fputs(probe_words_packets(f, packets), to);
    fputc('\n', to);
}

static void summary_title(FILE *to, const struct sd_finding *f, bool color)
{
    char line[HEADLINE], confidence[PROBE_CONFIDENCE_TEXT];
    struct tool_words w = tool_words_in(line, sizeof line);
    const char *paint = f->severity == SD_FATAL ? RED : f->severity == SD_WARNING ? YELLOW : "";
    tool_words_text(&w, "  ");
    add_painted(&w, paint, sd_severity_name(f->severity), color);
    tool_words_text(&w, " ");
    tool_words_text(&w, f->entry->id);
    tool_words_text(&w, ": ");
    tool_words_text(&w, f->entry->title);
    if (f->severity != SD_INFO) {
        tool_words_text(&w, " (");
        tool_words_text(&w, probe_words_confidence(f, confidence));
        tool_words_text(&w, ")");
    }
    tool_words_text(&w, "\n");
    fputs(line, to);
}

static bool is_plain_text(const char *text)
{
    while (*text >= ' ' && *text < 0x7f)
        text++;
    return !*text;
}

static void summary_finding(FILE *to, const struct sd_finding *f, bool color)
{
    char detail[SD_SENTENCE];
    summary_title(to, f, color);
    tool_wrap(
        to, is_plain_text(f->detail) ? f->detail : tool_printable(f->detail, detail, sizeof detail),
        4, 100);
    summary_packets(to, f);
    if (f->severity == SD_FATAL) {
        fputs("    What to do:\n", to);
        tool_wrap(to, f->entry->advice, 4, 100);
    }
}

void probe_summary(FILE *to, const struct probe_report *r, bool color)
{
    summary_headline(to, r, color);
    summary_vantage(to, r);
    for (size_t i = 0; i < r->count; i++)
        summary_finding(to, &r->findings[i], color);
}

static const struct {
    enum sd_kept kept;
    uint8_t type;
    const char *title;
} messages[] = {
    {SD_KEPT_RETRY, SD_HS_SERVER_HELLO, "Hello Retry Request"},
    {SD_KEPT_CLIENT_HELLO, SD_HS_CLIENT_HELLO, "Client Hello"},
    {SD_KEPT_SERVER_HELLO, SD_HS_SERVER_HELLO, "Server Hello"},
    {SD_KEPT_ENCRYPTED_EXTENSIONS, SD_HS_ENCRYPTED_EXTENSIONS, "Encrypted Extensions"},
    {SD_KEPT_SERVER_CERTIFICATE, SD_HS_CERTIFICATE, "Certificate of the server"},
    {SD_KEPT_SERVER_KEY_EXCHANGE, SD_HS_SERVER_KEY_EXCHANGE, "Server Key Exchange"},
    {SD_KEPT_CERTIFICATE_REQUEST, SD_HS_CERTIFICATE_REQUEST, "Certificate Request"},
    {SD_KEPT_CLIENT_CERTIFICATE, SD_HS_CERTIFICATE, "Certificate of the client"},
    {SD_KEPT_CLIENT_KEY_EXCHANGE, SD_HS_CLIENT_KEY_EXCHANGE, "Client Key Exchange"},
    {SD_KEPT_CERTIFICATE_VERIFY, SD_HS_CERTIFICATE_VERIFY, "Certificate Verify of the client"},
};

void probe_summary_messages(FILE *to, const struct probe_report *r,
                            const struct sd_cert_reader *certs)
{
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct sd_span body = sd_kept(r->x, messages[i].kept);
        json_t *fields = body.len ? probe_details(r->x, messages[i].type, body, certs) : NULL;
        if (!fields)
            continue;
        fprintf(to, "  %s\n", messages[i].title);
        probe_details_print(to, fields, 4);
        json_decref(fields);
    }
}

void probe_summary_lone(FILE *to, const struct sd_lone *l, const struct sd_finding *f, bool color)
{
    char one[SD_ADDR_TEXT], other[SD_ADDR_TEXT];
    fprintf(to, "%sNo handshake%s between %s and %s\n", color ? BOLD : "", color ? PLAIN : "",
            sd_addr_text(l->one, one), sd_addr_text(l->other, other));
    summary_finding(to, f, color);
}
