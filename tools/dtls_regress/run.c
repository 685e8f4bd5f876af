#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/output.h"
#include "common/term.h"
#include "dtls_regress/diff.h"
#include "dtls_regress/expect.h"
#include "dtls_regress/heap.h"
#include "dtls_regress/options.h"
#include "dtls_regress/report.h"
#include "dtls_regress/tool.h"

enum { EXIT_FINE, EXIT_BAD, EXIT_ERROR };
enum { RESULTS_MAX = 128 };

static enum fault fault_of(const char *name)
{
    static const char *const names[] = {
        [FAULT_CRASH] = "crash", [FAULT_HANG] = "hang", [FAULT_BROKEN] = "broken",
        [FAULT_FLIP] = "flip",   [FAULT_DEAF] = "deaf", [FAULT_FROZEN] = "frozen"};
    for (unsigned i = FAULT_CRASH; name && i <= FAULT_FROZEN; i++)
        if (!strcmp(name, names[i]))
            return (enum fault)i;
    return FAULT_NONE;
}

static bool wanted(const struct regress_config *c, const struct experiment *e)
{
    if (!c->only[0])
        return true;
    for (unsigned i = 0; i < ONLY_MAX && c->only[i]; i++)
        if (!strcmp(c->only[i], e->name))
            return true;
    return false;
}

static size_t run_all(const struct regress_config *c, struct result *results)
{
    const struct experiment *e;
    size_t count = 0;
    bool progress = isatty(STDERR_FILENO) && !c->quiet;
    for (size_t i = 0; (e = experiment_at(i)) && count < RESULTS_MAX; i++) {
        if (!wanted(c, e))
            continue;
        if (progress)
            fprintf(stderr, "\r\033[K%s", e->name);
        results[count++] = runner_run(e, c->seconds, fault_of(c->inject));
    }
    if (progress)
        fputs("\r\033[K", stderr);
    return count;
}

/* News, in words. */
static bool is_news(const struct result *r)
{
    const char *name = r->experiment->name;
    struct expectation e =
        expect_of(name, OpenSSL_version_num(), OpenSSL_version(OPENSSL_BUILT_ON));
    if (e.known && !strcmp(e.result, r->text))
        return false;
    if (e.known)
        fprintf(stderr, "dtls_regress: %s: %s, expected %s as on %s\n", name, r->text, e.result,
                e.build);
    else if (e.result)
        fprintf(stderr, "dtls_regress: %s: %s, not known of this build; %s is: %s\n", name, r->text,
                e.build, e.result);
    else
        fprintf(stderr, "dtls_regress: %s: %s, not known of this build\n", name, r->text);
    return true;
}

static int status_of(const struct regress_config *c, const struct result *results, size_t count)
{
    bool bad = false, broken = false;
    for (size_t i = 0; i < count; i++) {
        broken |= results[i].judgement == JUDGED_NOT;
        bad |= c->expect ? is_news(&results[i]) : results[i].judgement == JUDGED_BAD;
    }
    return broken ? EXIT_ERROR : bad ? EXIT_BAD : EXIT_FINE;
}

static int show(const struct regress_config *c, const struct subject *s,
                const struct result *results, size_t count)
{
    if (c->json)
        report_json(s, results, count);
    else
        report_table(s, results, count, tool_term_color((enum tool_color)c->color, STDOUT_FILENO));
    fflush(stdout); /* before what --expect says on stderr */
    return status_of(c, results, count);
}

static int run(const struct regress_config *c)
{
    struct result results[RESULTS_MAX];
    const struct subject s = {OpenSSL_version(OPENSSL_VERSION), OpenSSL_version(OPENSSL_BUILT_ON),
                              OpenSSL_version_num()};
    if (c->inject && fault_of(c->inject) == FAULT_NONE) {
        fprintf(stderr, "dtls_regress: --inject %s: crash, hang, broken, flip, deaf or frozen\n",
                c->inject);
        return EXIT_ERROR;
    }
    return show(c, &s, results, run_all(c, results));
}

static enum judgement judge(const char *result)
{
    if (!result || !strcmp(result, "not applicable"))
        return JUDGED_NA;
    if (!strcmp(result, "fixed"))
        return JUDGED_GOOD;
    bool bad = !strcmp(result, "vulnerable") || !strcmp(result, "hangs") ||
               !strncmp(result, "crashes", strlen("crashes"));
    return bad ? JUDGED_BAD : JUDGED_INFO;
}

static size_t recall(const struct regress_config *c, const struct build *b, struct result *results)
{
    const struct experiment *e;
    size_t count = 0;
    for (size_t i = 0; (e = experiment_at(i)) && count < RESULTS_MAX; i++) {
        if (!wanted(c, e))
            continue;
        const char *result = expect_result(e->name, b);
        struct result *r = &results[count++];
        *r = (struct result){.experiment = e, .judgement = judge(result)};
        snprintf(r->text, sizeof r->text, "%s", result ? result : "not known");
        if (!result)
            snprintf(r->reason, sizeof r->reason, "not measured on this build");
    }
    return count;
}

/* What is known of a build, as if it were here. */
static int known(const struct regress_config *c)
{
    struct result results[RESULTS_MAX];
    const struct build *b;
    for (size_t i = 0; (b = expect_build(i)); i++)
        if (!strcmp(b->name, c->known))
            break;
    if (!b) {
        fprintf(stderr, "dtls_regress: --known %s: no such build; there are:", c->known);
        for (size_t i = 0; (b = expect_build(i)); i++)
            fprintf(stderr, " %s", b->name);
        fputs("\n", stderr);
        return EXIT_ERROR;
    }
    const struct subject s = {b->name, "as measured before", b->version};
    return show(c, &s, results, recall(c, b, results));
}

static int print_version(void)
{
    printf("dtls_regress %s\n%s\n", SDTLS_VERSION, OpenSSL_version(OPENSSL_VERSION));
    return EXIT_FINE;
}

static int act(const struct regress_config *c)
{
    if (c->version)
        return print_version();
    if (c->completion)
        return tool_completion(&regress_usage, c->completion);
    if (c->diff)
        return diff_run(c->old, c->new);
    if (c->known)
        return known(c);
    if (c->help)
        tool_usage_print(&regress_usage, stdout);
    else if (c->list)
        report_list();
    else if (c->explain)
        report_explain(experiment_find(c->explain));
    else
        return run(c);
    return EXIT_FINE;
}

int tool_main(int argc, char **argv)
{
    struct regress_config c;
    char why[TOOL_WHY];
    heap_count();
    if (regress_options(&c, argc, argv, why))
        return tool_written("dtls_regress", act(&c), EXIT_ERROR);
    fprintf(stderr, "dtls_regress: %s\nTry 'dtls_regress --help'.\n", why);
    return EXIT_ERROR;
}
