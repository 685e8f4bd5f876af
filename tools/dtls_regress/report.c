/* SPDX-License-Identifier: MIT */
#include "dtls_regress/report.h"

#include <jansson.h>
#include <stdio.h>

#include "common/text.h"
#include "dtls_regress/checks.h"

#define RED "\033[1;31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

enum { INDENT = 2, WIDTH = 78, NAME_WIDTH = 24, VALUE_WIDTH = 44 };

#define OTHER_RESULTS                                                                              \
    "hangs, crashes: a bug of OpenSSL. inconclusive: the check got too little CPU time; run it "   \
    "again with less load. did not work, not applicable: the reason follows. The last three say "  \
    "nothing about OpenSSL."

void regress_report_list(void)
{
    const struct regress_check *c;
    for (size_t i = 0; (c = regress_check_at(i)); i++) {
        printf("%-*s %s", NAME_WIDTH, c->name, c->does);
        printf(*c->refs ? " (%s)\n" : "\n", c->refs);
    }
}

static void explain_part(const char *heading, const char *text)
{
    printf("\n%s\n", heading);
    tool_wrap(stdout, text, INDENT, WIDTH);
}

void regress_report_explain(const struct regress_check *check)
{
    printf("%s\n", check->name);
    explain_part("What is done", check->does);
    if (check->measures)
        explain_part("What the value is", check->measures);
    explain_part("What it means", check->means);
    explain_part("What sukat_dtls does about it", check->ours);
    explain_part("What any check can say instead", OTHER_RESULTS);
    if (*check->refs)
        explain_part("References", check->refs);
}

static const char *judgement_color(enum regress_judgement judgement)
{
    static const char *const colors[] = {
        [JUDGED_GOOD] = GREEN, [JUDGED_BAD] = RED,    [JUDGED_INFO] = "",
        [JUDGED_NA] = "",      [JUDGED_NOT] = YELLOW, [JUDGED_STARVED] = YELLOW};
    return colors[judgement];
}

static void print_check_result(const struct regress_result *r, bool color)
{
    char value[VALUE_TEXT];
    const char *refs = r->check->refs;
    regress_value(value, r->check->measures, r->text, r->judgement == JUDGED_INFO);
    printf("%-*s %s%-*s%s%s%s\n", NAME_WIDTH, r->check->name,
           color ? judgement_color(r->judgement) : "", *refs ? VALUE_WIDTH : 0, value,
           color ? PLAIN : "", *refs ? "  " : "", refs);
    if (*r->reason)
        printf("%-*s %s\n", NAME_WIDTH, "", r->reason);
}

void regress_report_table(const struct regress_subject *s, const struct regress_result *results,
                          size_t count, bool color)
{
    unsigned of[JUDGED_STARVED + 1] = {0};
    printf("%s, %s\n\n", s->openssl, s->built);
    for (size_t i = 0; i < count; i++) {
        of[results[i].judgement]++;
        print_check_result(&results[i], color);
    }
    printf("\n%zu check%s: %u found a known bug", count, count == 1 ? "" : "s", of[JUDGED_BAD]);
    if (of[JUDGED_NOT])
        printf(", %u did not work", of[JUDGED_NOT]);
    if (of[JUDGED_STARVED])
        printf(", %u inconclusive", of[JUDGED_STARVED]);
    printf(". More about a check: dtls_regress --explain CHECK\n");
}

static void set_text(json_t *o, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(o, key, json_string(text));
}

static json_t *result_json(const struct regress_result *r)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "check", r->check->name, "refs", r->check->refs,
                          "result", r->text, "verdict", regress_judgement_word(r->judgement));
    set_text(o, "measures", r->check->measures);
    set_text(o, "reason", r->reason);
    return o;
}

void regress_report_json(const struct regress_subject *s, const struct regress_result *results,
                         size_t count)
{
    json_t *checks = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(checks, result_json(&results[i]));
    json_t *o = json_pack("{s:s, s:s, s:I, s:o}", "openssl", s->openssl, "built", s->built,
                          "version", (json_int_t)s->version, "checks", checks);
    json_dumpf(o, stdout, JSON_INDENT(1));
    json_decref(o);
    putchar('\n');
}
