/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/explain.h"
#include "common/stdout.h"
#include "common/term.h"
#include "dtls_mtu/json.h"
#include "dtls_mtu/judge.h"
#include "dtls_mtu/report.h"
#include "dtls_mtu/responder.h"
#include "dtls_mtu/stop.h"
#include "dtls_mtu/survey.h"

static int print_mtu_version(void)
{
    printf("dtls_mtu %s\n%s\n", sdtls_version(), sdtls_tls_library());
    return MTU_EXIT_OK;
}

static int print_explanation(const char *id)
{
    if (tool_explain(stdout, id))
        return MTU_EXIT_OK;
    fprintf(stderr, "dtls_mtu: --explain %s: no finding has this id; '--explain list' lists all\n",
            id);
    return MTU_EXIT_USAGE;
}

/* Prints the result; the exit status. */
static int put_result(const struct mtu_config *c, const struct mtu_result *r)
{
    if (c->json)
        mtu_json(r);
    else
        mtu_report(r, tool_term_color((enum tool_color)c->color, STDOUT_FILENO));
    return tool_written("dtls_mtu", (int)r->exit, MTU_EXIT_USAGE);
}

/* One measurement, printed on stdout; the exit status. */
static int measure_once(const struct mtu_survey_setup *u, const struct tool_signals *signals,
                        struct mtu_result *r)
{
    switch (mtu_survey_run(r, u)) {
    case MTU_SURVEY_DONE:
        mtu_judge(r);
        return put_result(u->cfg, r);
    case MTU_SURVEY_NO_PATH:
        return MTU_EXIT_NO_ANSWER;
    case MTU_SURVEY_STOPPED:
        break;
    }
    int sig = mtu_stop_signal(signals);
    if (sig)
        return MTU_EXIT_SIGNAL + sig;
    tool_error(u->out, "the measurement was interrupted");
    return MTU_EXIT_UNSURE;
}

static void warn_of_change(const struct tool_out *out, unsigned before, unsigned now)
{
    if (before && before != now)
        tool_warn(out, "the path MTU to the server changed from %u to %u bytes", before, now);
}

/* Measures once, or with --watch again and again. */
static int measure_repeatedly(const struct mtu_survey_setup *u, const struct tool_signals *signals)
{
    const struct mtu_config *c = u->cfg;
    struct pollfd stop = {.fd = signals->fd, .events = POLLIN};
    unsigned before = 0;
    for (unsigned n = 1;; n++) {
        struct mtu_result r;
        int sig, status = measure_once(u, signals, &r);
        if (status > MTU_EXIT_SIGNAL || status == MTU_EXIT_USAGE)
            return status;
        warn_of_change(u->out, before, mtu_result_c2s(&r));
        before = mtu_result_c2s(&r);
        if (!c->watch_ms || n == c->count)
            return status;
        poll(&stop, 1, (int)c->watch_ms);
        if ((sig = mtu_stop_signal(signals)))
            return MTU_EXIT_SIGNAL + sig;
    }
}

/* In the end: how long stderr may take nothing before the lines that wait are given up. */
enum { STDERR_MS = 1000 };

static int measure_or_respond(const struct mtu_config *c)
{
    struct tool_signals signals;
    struct tool_out out;
    tool_out_init(&out, "dtls_mtu");
    out.verbose = c->verbose;
    out.quiet = c->quiet;
    out.json = c->json;
    out.color = tool_term_color((enum tool_color)c->color, STDERR_FILENO);
    if (!tool_signals_open(&signals)) {
        tool_error(&out, "cannot receive signals: %s", strerror(errno));
        tool_out_finish(&out, STDERR_MS);
        return MTU_EXIT_USAGE;
    }
    tool_stdout_obeys(&signals);
    struct mtu_survey_setup u = {.cfg = c,
                                 .out = &out,
                                 .signals = signals.fd,
                                 .progress =
                                     isatty(STDERR_FILENO) && !c->quiet && !c->json && !c->verbose};
    int rc = c->responder ? mtu_responder_run(c, &out, &signals) : measure_repeatedly(&u, &signals);
    tool_signals_close(&signals);
    tool_out_finish(&out, STDERR_MS);
    return rc;
}

static int run_command(const struct mtu_config *c)
{
    if (c->help) {
        tool_usage_print(&mtu_usage, stdout);
        return MTU_EXIT_OK;
    }
    if (c->version)
        return print_mtu_version();
    if (c->completion)
        return tool_completion(&mtu_usage, c->completion);
    return c->explain ? print_explanation(c->explain) : measure_or_respond(c);
}

int mtu_main(int argc, char **argv)
{
    struct mtu_config c;
    char why[TOOL_WHY];
    if (mtu_options(&c, argc, argv, why))
        return tool_written("dtls_mtu", run_command(&c), MTU_EXIT_USAGE);
    fprintf(stderr, "dtls_mtu: %s\nTry 'dtls_mtu --help'.\n", why);
    return MTU_EXIT_USAGE;
}
