#include "dtls_regress/report.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

#define RED "\033[1;31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

enum { INDENT = 2, WIDTH = 78 };

void report_list(void)
{
    const struct experiment *e;
    for (size_t i = 0; (e = experiment_at(i)); i++)
        printf("%-24s %-28s %s\n", e->name, e->refs, e->does);
}

static void paragraph(const char *heading, const char *text)
{
    printf("\n%s\n", heading);
    tool_wrap(stdout, text, INDENT, WIDTH);
}

void report_explain(const struct experiment *e)
{
    printf("%s (%s)\n", e->name, e->refs);
    paragraph("What is done", e->does);
    paragraph("What it means", e->means);
    paragraph("What sukat_dtls does about it", e->ours);
}

static const char *verdict(const struct result *r)
{
    if (r->broken)
        return "n/a";
    if (r->bad)
        return "bad";
    return strcmp(r->text, "fixed") ? "info" : "good";
}

static const char *paint(const struct result *r)
{
    const char *v = verdict(r);
    return !strcmp(v, "bad") ? RED : !strcmp(v, "good") ? GREEN : !strcmp(v, "n/a") ? YELLOW : "";
}

void report_table(const struct result *results, size_t count, bool color)
{
    unsigned bad = 0, broken = 0;
    printf("%s, %s\n\n", OpenSSL_version(OPENSSL_VERSION), OpenSSL_version(OPENSSL_BUILT_ON));
    for (size_t i = 0; i < count; i++) {
        const struct result *r = &results[i];
        bad += r->bad;
        broken += r->broken;
        printf("%-24s %s%-42s%s %s\n", r->experiment->name, color ? paint(r) : "", r->text,
               color ? PLAIN : "", r->experiment->refs);
    }
    printf("\n%zu checks: %u known to be bad", count, bad);
    if (broken)
        printf(", %u did not work", broken);
    printf(". dtls_regress --explain CHECK tells more.\n");
}

void report_json(const struct result *results, size_t count)
{
    json_t *checks = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(checks, json_pack("{s:s, s:s, s:s, s:s}", "check",
                                                results[i].experiment->name, "refs",
                                                results[i].experiment->refs, "result",
                                                results[i].text, "verdict", verdict(&results[i])));
    json_t *o = json_pack("{s:s, s:s, s:I, s:o}", "openssl", OpenSSL_version(OPENSSL_VERSION),
                          "built", OpenSSL_version(OPENSSL_BUILT_ON), "version",
                          (json_int_t)OpenSSL_version_num(), "checks", checks);
    json_dumpf(o, stdout, JSON_INDENT(1));
    json_decref(o);
    putchar('\n');
}
