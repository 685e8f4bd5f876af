#include "dtls_probe/summary.h"

#include "common/output.h"
#include "common/text.h"
#include "common/words.h"
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

double probe_duration_ms(const struct sd_exchange *x)
{
    return x->established ? (double)(x->established - x->start) / 1e6 : -1;
}

/* A line is put together and written at once, and only what must be formatted is: of a capture
 * of many handshakes these lines cost more than the diagnosis. */
enum { HEADLINE = 512 };

static void add_number(struct tool_words *w, uint64_t n)
{
    char digits[21];
    char *p = digits + sizeof digits - 1;
    *p = '\0';
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    tool_words_text(w, p);
}

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
    add_number(w, x->id);
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

static void put_headline(FILE *to, const struct probe_report *r, bool color)
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

static void put_vantage(FILE *to, const struct probe_report *r)
{
    const char *name = probe_vantage_name(r->view->vantage);
    if (r->view->one_way)
        fputs("  Only one direction was captured, so missing packets prove nothing.\n", to);
    else if (r->view->doubtful)
        fputs("  The capture itself lost packets, so missing packets prove less.\n", to);
    else if (name && r->outcome == SD_FAILED)
        fprintf(to, "  Captured %s.\n", name);
}

static void put_packets(FILE *to, const struct sd_finding *f)
{
    char line[SD_PACKETS_MAX * 12 + 32];
    struct tool_words w = tool_words_in(line, sizeof line);
    if (!f->packet_count)
        return;
    tool_words_text(&w, "    packets ");
    for (size_t i = 0; i < f->packet_count; i++) {
        tool_words_text(&w, i ? ", " : "");
        add_number(&w, f->packets[i]);
    }
    tool_words_text(&w, f->packet_count == SD_PACKETS_MAX ? ", ...\n" : "\n");
    fputs(line, to);
}

static void put_title(FILE *to, const struct sd_finding *f, bool color)
{
    char line[HEADLINE];
    struct tool_words w = tool_words_in(line, sizeof line);
    const char *paint = f->severity == SD_FATAL ? RED : f->severity == SD_WARNING ? YELLOW : "";
    tool_words_text(&w, "  ");
    add_painted(&w, paint, sd_severity_name(f->severity), color);
    tool_words_text(&w, " ");
    tool_words_text(&w, f->entry->id);
    tool_words_text(&w, ": ");
    tool_words_text(&w, f->entry->title);
    if (f->severity != SD_INFO) {
        tool_words_text(&w, " (confidence ");
        tool_words_text(&w, sd_confidence_name(f->confidence));
        tool_words_text(&w, f->runner_up ? "; may also be " : "");
        tool_words_text(&w, f->runner_up ? f->runner_up->id : "");
        tool_words_text(&w, ")");
    }
    tool_words_text(&w, "\n");
    fputs(line, to);
}

static bool is_plain(const char *text)
{
    while (*text >= ' ' && *text < 0x7f)
        text++;
    return !*text;
}

static void put_finding(FILE *to, const struct sd_finding *f, bool color)
{
    char detail[SD_SENTENCE];
    put_title(to, f, color);
    tool_wrap(to,
              is_plain(f->detail) ? f->detail : tool_printable(f->detail, detail, sizeof detail), 4,
              100);
    put_packets(to, f);
    if (f->severity == SD_FATAL) {
        fputs("    What to do:\n", to);
        tool_wrap(to, f->entry->advice, 4, 100);
    }
}

void probe_summary(FILE *to, const struct probe_report *r, bool color)
{
    put_headline(to, r, color);
    put_vantage(to, r);
    for (size_t i = 0; i < r->count; i++)
        put_finding(to, &r->findings[i], color);
}
