/* SPDX-License-Identifier: MIT */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/output.h"
#include "common/term.h"
#include "dtls_regress/checks.h"
#include "dtls_regress/diff.h"
#include "dtls_regress/expect.h"
#include "dtls_regress/heap.h"
#include "dtls_regress/options.h"
#include "dtls_regress/report.h"
#include "dtls_regress/runner.h"
#include "dtls_regress/tool.h"

enum { EXIT_FINE, EXIT_BAD, EXIT_ERROR };
enum { RESULTS_MAX = 128 };

static bool check_is_chosen(const struct regress_config *c, const struct regress_check *check)
{
    if (!c->only[0])
        return true;
    for (unsigned i = 0; i < ONLY_MAX && c->only[i]; i++)
        if (!strcmp(c->only[i], check->name))
            return true;
    return false;
}

static size_t run_checks(const struct regress_config *c, struct regress_result *results)
{
    const struct regress_check *check;
    size_t count = 0;
    bool progress = isatty(STDERR_FILENO) && !c->quiet;
    for (size_t i = 0; (check = regress_check_at(i)) && count < RESULTS_MAX; i++) {
        if (!check_is_chosen(c, check))
            continue;
        if (progress)
            fprintf(stderr, "\r\033[K%s", check->name);
        results[count++] = regress_run(check, c->seconds, (enum regress_fault)c->inject);
    }
    if (progress)
        fputs("\r\033[K", stderr);
    return count;
}

/* Says on stderr when this is not the known result. */
static bool is_unexpected(const struct regress_result *r)
{
    char value[VALUE_TEXT];
    struct regress_expectation e =
        regress_expect_of(r->check->name, OpenSSL_version_num(), OpenSSL_version(OPENSSL_BUILT_ON));
    if (e.known && !strcmp(e.result, r->text))
        return false;
    regress_value(value, r->check->measures, r->text, r->judgement == JUDGED_INFO);
    fprintf(stderr, "dtls_regress: %s: %s", r->check->name, value);
    if (e.known)
        fprintf(stderr, " (expected %s, as on %s)\n", e.result, e.build);
    else if (e.result)
        fprintf(stderr, " (no result known for this build; %s gave %s)\n", e.build, e.result);
    else
        fprintf(stderr, " (no result known for this build)\n");
    return true;
}

static int status_of_results(const struct regress_config *c, const struct regress_result *results,
                             size_t count)
{
    bool bad = false, unanswered = false;
    for (size_t i = 0; i < count; i++) {
        unanswered |= results[i].judgement == JUDGED_NOT || results[i].judgement == JUDGED_STARVED;
        bad |= c->expect ? is_unexpected(&results[i]) : results[i].judgement == JUDGED_BAD;
    }
    return unanswered ? EXIT_ERROR : bad ? EXIT_BAD : EXIT_FINE;
}

static int report_results(const struct regress_config *c, const struct regress_subject *s,
                          const struct regress_result *results, size_t count)
{
    if (c->json)
        regress_report_json(s, results, count);
    else
        regress_report_table(s, results, count,
                             tool_term_color((enum tool_color)c->color, STDOUT_FILENO));
    fflush(stdout); /* before what --expect says on stderr */
    return status_of_results(c, results, count);
}

static int test_this_openssl(const struct regress_config *c)
{
    struct regress_result results[RESULTS_MAX];
    const struct regress_subject s = {OpenSSL_version(OPENSSL_VERSION),
                                      OpenSSL_version(OPENSSL_BUILT_ON), OpenSSL_version_num()};
    return report_results(c, &s, results, run_checks(c, results));
}

static enum regress_judgement judge_text(const char *result)
{
    if (!result || !strcmp(result, "not applicable"))
        return JUDGED_NA;
    if (!strcmp(result, "fixed"))
        return JUDGED_GOOD;
    bool bad = !strcmp(result, "vulnerable") || !strcmp(result, "hangs") ||
               !strncmp(result, "crashes", strlen("crashes"));
    return bad ? JUDGED_BAD : JUDGED_INFO;
}

static struct regress_result known_result(const struct regress_check *check,
                                          const struct regress_build *b)
{
    const char *text = regress_expect_result(check->name, b);
    struct regress_result r = {.check = check, .judgement = judge_text(text)};
    snprintf(r.text, sizeof r.text, "%s", text ? text : "not known");
    if (!text)
        snprintf(r.reason, sizeof r.reason, "not measured on this build");
    return r;
}

static int unknown_build(const char *name)
{
    const struct regress_build *b;
    fprintf(stderr, "dtls_regress: --known %s: no such build; known builds:", name);
    for (size_t i = 0; (b = regress_expect_build(i)); i++)
        fprintf(stderr, " %s", b->name);
    fputs("\n", stderr);
    return EXIT_ERROR;
}

/* What is known of another build, as if it were here. */
static int show_known_build(const struct regress_config *c)
{
    struct regress_result results[RESULTS_MAX];
    const struct regress_check *check;
    size_t count = 0;
    const struct regress_build *b = regress_expect_find(c->known);
    if (!b)
        return unknown_build(c->known);
    for (size_t i = 0; (check = regress_check_at(i)) && count < RESULTS_MAX; i++)
        if (check_is_chosen(c, check))
            results[count++] = known_result(check, b);
    const struct regress_subject s = {b->name, "as measured before", b->version};
    return report_results(c, &s, results, count);
}

static int show_versions(void)
{
    printf("dtls_regress %s\n%s\n", SDTLS_VERSION, OpenSSL_version(OPENSSL_VERSION));
    return EXIT_FINE;
}

static int do_as_configured(const struct regress_config *c)
{
    if (c->version)
        return show_versions();
    if (c->completion)
        return tool_completion(&regress_usage, c->completion);
    if (c->diff)
        return regress_diff(c->old, c->new);
    if (c->known)
        return show_known_build(c);
    if (c->help)
        tool_usage_print(&regress_usage, stdout);
    else if (c->list)
        regress_report_list();
    else if (c->explain)
        regress_report_explain(regress_check_find(c->explain));
    else
        return test_this_openssl(c);
    return EXIT_FINE;
}

int regress_main(int argc, char **argv)
{
    struct regress_config c;
    char why[TOOL_WHY];
    regress_heap_count();
    if (regress_options(&c, argc, argv, why))
        return tool_written("dtls_regress", do_as_configured(&c), EXIT_ERROR);
    fprintf(stderr, "dtls_regress: %s\nTry 'dtls_regress --help'.\n", why);
    return EXIT_ERROR;
}
