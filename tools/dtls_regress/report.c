#include "dtls_regress/report.h"

#include <jansson.h>
#include <stdio.h>

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

static const struct {
    const char *word, *color;
} judgements[] = {[JUDGED_GOOD] = {"good", GREEN},
                  [JUDGED_BAD] = {"bad", RED},
                  [JUDGED_INFO] = {"info", ""},
                  [JUDGED_NA] = {"n/a", ""},
                  [JUDGED_NOT] = {"broken", YELLOW}};

static void line(const struct result *r, bool color)
{
    printf("%-24s %s%-42s%s %s\n", r->experiment->name, color ? judgements[r->judgement].color : "",
           r->text, color ? PLAIN : "", r->experiment->refs);
    if (*r->reason)
        printf("%-24s %s\n", "", r->reason);
}

void report_table(const struct subject *s, const struct result *results, size_t count, bool color)
{
    unsigned of[JUDGED_NOT + 1] = {0};
    printf("%s, %s\n\n", s->openssl, s->built);
    for (size_t i = 0; i < count; i++) {
        of[results[i].judgement]++;
        line(&results[i], color);
    }
    printf("\n%zu checks: %u known to be bad", count, of[JUDGED_BAD]);
    if (of[JUDGED_NOT])
        printf(", %u did not work", of[JUDGED_NOT]);
    printf(". dtls_regress --explain CHECK tells more.\n");
}

static json_t *to_json(const struct result *r)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s}", "check", r->experiment->name, "refs", r->experiment->refs,
                  "result", r->text, "verdict", judgements[r->judgement].word);
    if (*r->reason)
        json_object_set_new(o, "reason", json_string(r->reason));
    return o;
}

void report_json(const struct subject *s, const struct result *results, size_t count)
{
    json_t *checks = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(checks, to_json(&results[i]));
    json_t *o = json_pack("{s:s, s:s, s:I, s:o}", "openssl", s->openssl, "built", s->built,
                          "version", (json_int_t)s->version, "checks", checks);
    json_dumpf(o, stdout, JSON_INDENT(1));
    json_decref(o);
    putchar('\n');
}
