#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/term.h"
#include "dtls_regress/diff.h"
#include "dtls_regress/expect.h"
#include "dtls_regress/options.h"
#include "dtls_regress/report.h"
#include "dtls_regress/tool.h"

enum { EXIT_FINE, EXIT_BAD, EXIT_ERROR };
enum { RESULTS_MAX = 128 };

static enum fault fault_of(const char *name)
{
    static const char *const names[] = {[FAULT_CRASH] = "crash",
                                        [FAULT_HANG] = "hang",
                                        [FAULT_BROKEN] = "broken",
                                        [FAULT_FLIP] = "flip"};
    for (unsigned i = FAULT_CRASH; name && i <= FAULT_FLIP; i++)
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

/* News, in words; how many. */
static unsigned deviations(const struct result *results, size_t count)
{
    unsigned found = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = results[i].experiment->name;
        const char *expected = expect_result(name, OpenSSL_version_num());
        if (expected && !strcmp(expected, results[i].text))
            continue;
        found++;
        fprintf(stderr, "dtls_regress: %s: %s, expected %s\n", name, results[i].text,
                expected ? expected : "nothing yet: this version is not known");
    }
    return found;
}

static int status_of(const struct regress_config *c, const struct result *results, size_t count)
{
    unsigned bad = 0, broken = 0;
    for (size_t i = 0; i < count; i++) {
        bad += results[i].bad;
        broken += results[i].broken;
    }
    if (c->expect)
        return deviations(results, count) ? EXIT_BAD : EXIT_FINE;
    return broken ? EXIT_ERROR : bad ? EXIT_BAD : EXIT_FINE;
}

static int run(const struct regress_config *c)
{
    struct result results[RESULTS_MAX];
    if (c->inject && fault_of(c->inject) == FAULT_NONE) {
        fprintf(stderr, "dtls_regress: --inject %s: crash, hang, broken or flip\n", c->inject);
        return EXIT_ERROR;
    }
    size_t count = run_all(c, results);
    if (c->json)
        report_json(results, count);
    else
        report_table(results, count, tool_term_color((enum tool_color)c->color, STDOUT_FILENO));
    fflush(stdout);
    return status_of(c, results, count);
}

static int print_version(void)
{
    printf("dtls_regress %s\n%s\n", SDTLS_VERSION, OpenSSL_version(OPENSSL_VERSION));
    return EXIT_FINE;
}

int tool_main(int argc, char **argv)
{
    struct regress_config c;
    char why[TOOL_WHY];
    if (!regress_options(&c, argc, argv, why)) {
        fprintf(stderr, "dtls_regress: %s\nTry 'dtls_regress --help'.\n", why);
        return EXIT_ERROR;
    }
    if (c.help)
        tool_usage_print(&regress_usage, stdout);
    else if (c.list)
        report_list();
    else if (c.explain)
        report_explain(experiment_find(c.explain));
    else if (c.version)
        return print_version();
    else if (c.completion)
        return tool_completion(&regress_usage, c.completion);
    else if (c.diff)
        return diff_run(c.old, c.new);
    else
        return run(&c);
    return EXIT_FINE;
}
