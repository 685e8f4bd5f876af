#include "dtls_probe/summary.h"

#include "common/output.h"
#include "common/text.h"
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

static void put_headline(FILE *to, const struct probe_report *r, bool color)
{
    char client[SD_ADDR_TEXT], server[SD_ADDR_TEXT], version[SD_NAME_TEXT], suite[SD_NAME_TEXT];
    const struct sd_exchange *x = r->x;
    const char *paint = r->outcome == SD_OK ? GREEN : r->outcome == SD_FAILED ? RED : YELLOW;
    fprintf(to, "%sHandshake %llu%s %s -> %s: %s%s%s", color ? BOLD : "", (unsigned long long)x->id,
            color ? PLAIN : "", sd_addr_text(&x->client, client), sd_addr_text(&x->server, server),
            color ? paint : "", probe_outcome_name(r->outcome), color ? PLAIN : "");
    if (x->established)
        fprintf(to, " in %.1f ms", probe_duration_ms(x));
    if (x->negotiated)
        fprintf(to, ", %s, %s%s", sd_name(SD_NAME_VERSION, x->version, version),
                sd_name(SD_NAME_SUITE, x->suite, suite), x->resumed ? ", resumed" : "");
    else if (x->has_client_random)
        fprintf(to, ", %s offered", sd_name(SD_NAME_VERSION, x->version, version));
    if (r->again)
        fputs(", once more", to);
    if (x->mid_session)
        fputs(", its beginning was not captured", to);
    if (x->evicted)
        fputs(", ended early to save memory (--max-flows)", to);
    fputc('\n', to);
}

static void put_vantage(FILE *to, const struct probe_report *r)
{
    const char *name = probe_vantage_name(r->view->vantage);
    if (r->view->one_way)
        fputs("  Only one direction was captured: loss proves nothing here.\n", to);
    else if (r->view->doubtful)
        fputs("  The capture itself lost packets: loss proves less here.\n", to);
    else if (name && r->outcome == SD_FAILED)
        fprintf(to, "  Captured %s.\n", name);
}

static void put_packets(FILE *to, const struct sd_finding *f)
{
    if (!f->packet_count)
        return;
    fprintf(to, "    packets");
    for (size_t i = 0; i < f->packet_count; i++)
        fprintf(to, "%s%u", i ? ", " : " ", f->packets[i]);
    if (f->packet_count == SD_PACKETS_MAX)
        fputs(", ...", to);
    fputc('\n', to);
}

static void put_finding(FILE *to, const struct sd_finding *f, bool color)
{
    char detail[SD_SENTENCE];
    const char *paint = f->severity == SD_FATAL ? RED : f->severity == SD_WARNING ? YELLOW : "";
    fprintf(to, "  %s%s%s %s: %s", color ? paint : "", sd_severity_name(f->severity),
            color ? PLAIN : "", f->entry->id, f->entry->title);
    if (f->severity != SD_INFO)
        fprintf(to, " (confidence %s%s%s)", sd_confidence_name(f->confidence),
                f->runner_up ? "; if not: " : "", f->runner_up ? f->runner_up->id : "");
    fputc('\n', to);
    tool_wrap(to, tool_printable(f->detail, detail, sizeof detail), 4, 100);
    put_packets(to, f);
    if (f->severity == SD_FATAL) {
        fputs("    What to do:\n", to);
        tool_wrap(to, f->advice[0] ? f->advice : f->entry->advice, 4, 100);
    }
}

void probe_summary(FILE *to, const struct probe_report *r, bool color)
{
    put_headline(to, r, color);
    put_vantage(to, r);
    for (size_t i = 0; i < r->count; i++)
        put_finding(to, &r->findings[i], color);
}
