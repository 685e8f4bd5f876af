/* SPDX-License-Identifier: MIT */
#include "dtls_scan/run.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#include "common/signals.h"
#include "common/stdout.h"
#include "common/term.h"
#include "dtls_scan/exit.h"
#include "dtls_scan/login.h"
#include "dtls_scan/report/explain.h"
#include "dtls_scan/report/outputs.h"
#include "dtls_scan/survey.h"
#include "dtls_scan/targets.h"

/* In the end: how long stderr may take nothing before the lines that wait are given up. */
enum { STDERR_MS = 1000 };

static int print_scan_version(void)
{
    printf("dtls_scan %s\n%s\n", SDTLS_VERSION, OpenSSL_version(OPENSSL_VERSION));
    return SCAN_EXIT_OK;
}

static int print_checks(void)
{
    const struct scan_check *c;
    for (size_t i = 0; (c = scan_check_at(i)); i++)
        printf("%-24s %-12s %s%s\n", c->id, scan_group_id(c->group), c->title,
               c->flags & SCAN_INTRUSIVE ? " (--intrusive)"
               : c->flags & SCAN_APP     ? " (--app)"
                                         : "");
    return SCAN_EXIT_OK;
}

static int explain_check(const char *id)
{
    if (scan_explain(stdout, id))
        return SCAN_EXIT_OK;
    fprintf(stderr, "dtls_scan: --explain %s: no check has this id; see --list\n", id);
    return SCAN_EXIT_USAGE;
}

static int scan_target(const struct scan_survey_setup *u, struct scan_outputs *outputs,
                       const struct tool_target *target)
{
    struct scan_report r;
    int status = scan_survey_run(&r, u, target);
    if (status != SCAN_EXIT_OK && status != SCAN_EXIT_UNFINISHED)
        return status;
    if (r.count)
        scan_outputs_put(outputs, &r);
    if (u->cfg->fail_level && scan_report_worst(&r) >= u->cfg->fail_level)
        status = SCAN_EXIT_FINDING;
    scan_survey_free(&r);
    return status;
}

/* Of several servers the most telling status: a finding before a failure before success. */
static int telling_status(int a, int b)
{
    if (a == SCAN_EXIT_FINDING || b == SCAN_EXIT_FINDING)
        return SCAN_EXIT_FINDING;
    return a > b ? a : b;
}

static int stopped_by(const struct tool_signals *signals)
{
    int sig;
    while ((sig = tool_signals_next(signals)))
        if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP)
            return sig;
    return 0;
}

static int scan_each(const struct scan_survey_setup *u, struct scan_outputs *outputs,
                     const struct tool_signals *signals)
{
    struct scan_targets targets;
    struct tool_target target;
    char why[TOOL_WHY];
    int status = SCAN_EXIT_OK, more, sig;
    if (!scan_targets_open(&targets, u->cfg, why)) {
        tool_error(u->out, "%s", why);
        return SCAN_EXIT_USAGE;
    }
    while ((more = scan_targets_next(&targets, &target, why))) {
        if (more < 0)
            tool_error(u->out, "%s", why);
        status =
            telling_status(status, more < 0 ? SCAN_EXIT_USAGE : scan_target(u, outputs, &target));
        if ((sig = stopped_by(signals))) {
            status = SCAN_EXIT_SIGNAL + sig;
            break;
        }
    }
    scan_targets_close(&targets);
    return status;
}

static int scan_all(const struct scan_survey_setup *u, const struct tool_signals *signals)
{
    struct scan_outputs outputs;
    char why[TOOL_WHY];
    if (!scan_outputs_open(&outputs, u->cfg, why)) {
        tool_error(u->out, "%s", why);
        return SCAN_EXIT_USAGE;
    }
    int status = scan_each(u, &outputs, signals);
    if (scan_outputs_close(&outputs, why))
        return status;
    tool_error(u->out, "%s", why);
    return SCAN_EXIT_USAGE;
}

static int scan_all_logged_in(struct scan_survey_setup *u, const struct tool_signals *signals)
{
    struct scan_login login;
    char why[TOOL_WHY];
    if (!scan_login_open(&login, u->cfg, why)) {
        tool_error(u->out, "%s", why);
        return SCAN_EXIT_USAGE;
    }
    u->login = &login;
    int status = scan_all(u, signals);
    scan_login_close(&login);
    return status;
}

static int scan_with_output(const struct scan_config *c)
{
    struct tool_signals signals;
    struct tool_out out;
    tool_out_init(&out, "dtls_scan");
    out.verbose = c->verbose;
    out.quiet = c->quiet;
    out.json = c->json;
    out.color = tool_term_color((enum tool_color)c->color, STDERR_FILENO);
    int status = SCAN_EXIT_USAGE;
    if (tool_signals_open(&signals)) {
        tool_stdout_obeys(&signals);
        struct scan_survey_setup u = {.cfg = c,
                                      .out = &out,
                                      .signals = signals.fd,
                                      .progress = isatty(STDERR_FILENO) && !c->quiet && !c->json};
        status = scan_all_logged_in(&u, &signals);
        tool_signals_close(&signals);
    } else {
        tool_error(&out, "cannot receive signals: %s", strerror(errno));
    }
    tool_out_finish(&out, STDERR_MS);
    return status;
}

static int run_scan_command(const struct scan_config *c)
{
    if (c->help) {
        tool_usage_print(&scan_usage, stdout);
        return SCAN_EXIT_OK;
    }
    if (c->version)
        return print_scan_version();
    if (c->completion)
        return tool_completion(&scan_usage, c->completion);
    if (c->explain)
        return explain_check(c->explain);
    return c->list ? print_checks() : scan_with_output(c);
}

int scan_main(int argc, char **argv)
{
    struct scan_config c;
    char why[TOOL_WHY];
    if (scan_options(&c, argc, argv, why))
        return tool_written("dtls_scan", run_scan_command(&c), SCAN_EXIT_USAGE);
    fprintf(stderr, "dtls_scan: %s\nTry 'dtls_scan --help'.\n", why);
    return SCAN_EXIT_USAGE;
}
