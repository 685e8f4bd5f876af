#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/explain.h"
#include "common/term.h"
#include "dtls_mtu/responder.h"
#include "dtls_mtu/survey.h"
#include "dtls_mtu/tool.h"

static int print_version(void)
{
    printf("dtls_mtu %s\n%s\n", sdtls_version(), sdtls_tls_library());
    return MTU_EXIT_OK;
}

static int print_explanation(const struct mtu_config *c)
{
    if (tool_explain(stdout, c->explain))
        return MTU_EXIT_OK;
    fprintf(stderr, "dtls_mtu: --explain %s: no such verdict; --explain list has all\n",
            c->explain);
    return MTU_EXIT_USAGE;
}

/* The signal that ends us, or 0: others are not ours to obey. */
static int end_signal(struct survey *s)
{
    int sig;
    while ((sig = tool_signals_next(&s->signals)))
        if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP)
            return sig;
    return 0;
}

static void forget(struct survey *s)
{
    s->has_c2s = s->has_s2c = false;
    s->handshake.done = s->ping.done = s->trace.done = false;
    s->handshake.flight = 0;
    s->ping.mtu = 0;
    s->peer = (struct peer){.kind = PEER_UNKNOWN};
}

static int open_path(struct survey *s)
{
    const struct mtu_config *c = s->cfg;
    struct sd_addr to;
    int rc = path_resolve(&to, c->target.host, c->target.port, c->family);
    if (rc) {
        tool_error(&s->out, "%s: %s", c->target.host,
                   rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
        return MTU_EXIT_NO_ANSWER;
    }
    rc = path_open(&s->path, &to, c->source, s->signals.fd);
    if (!rc)
        return MTU_EXIT_OK;
    tool_error(&s->out, "%s port %s: %s", c->target.host, c->target.port, strerror(-rc));
    return MTU_EXIT_NO_ANSWER;
}

/* One measurement, told on stdout. False when a signal ends it. */
static bool measure_once(struct survey *s)
{
    forget(s);
    s->begun = s->ended = sd_clock_now();
    s->exit = open_path(s);
    if (s->exit)
        return true;
    bool on = survey_run(s);
    if (on) {
        survey_judge(s);
        if (s->cfg->json)
            survey_json(s);
        else
            survey_report(s);
        fflush(stdout);
    }
    path_close(&s->path);
    return on;
}

static void tell_change(const struct survey *s, unsigned before)
{
    unsigned now = survey_c2s(s);
    if (!before || before == now)
        return;
    tool_warn(&s->out, "the path MTU to the server changed from %u to %u", before, now);
}

static int watch(struct survey *s)
{
    unsigned before = 0;
    for (unsigned n = 1;; n++) {
        struct pollfd stop = {.fd = s->signals.fd, .events = POLLIN};
        int sig;
        if (!measure_once(s) && (sig = end_signal(s)))
            return MTU_EXIT_SIGNAL + sig;
        tell_change(s, before);
        before = survey_c2s(s);
        if (!s->cfg->watch_ms || n == s->cfg->count)
            return s->exit;
        poll(&stop, 1, (int)s->cfg->watch_ms);
        if ((sig = end_signal(s)))
            return MTU_EXIT_SIGNAL + sig;
    }
}

static int run(const struct mtu_config *c)
{
    struct survey s = {.cfg = c, .signals = {.fd = -1}};
    tool_out_init(&s.out, "dtls_mtu");
    s.out.verbose = c->verbose;
    s.out.quiet = c->quiet;
    s.out.json = c->json;
    s.out.color = tool_term_color((enum tool_color)c->color, STDERR_FILENO);
    s.color = tool_term_color((enum tool_color)c->color, STDOUT_FILENO);
    s.progress = isatty(STDERR_FILENO) && !c->quiet && !c->json && !c->verbose;
    if (!tool_signals_open(&s.signals)) {
        tool_error(&s.out, "signals: %s", strerror(errno));
        return MTU_EXIT_USAGE;
    }
    int rc = c->responder ? responder_run(&s) : watch(&s);
    tool_signals_close(&s.signals);
    return rc;
}

static int act(const struct mtu_config *c)
{
    if (c->help) {
        tool_usage_print(&mtu_usage, stdout);
        return MTU_EXIT_OK;
    }
    if (c->version)
        return print_version();
    if (c->completion)
        return tool_completion(&mtu_usage, c->completion);
    return c->explain ? print_explanation(c) : run(c);
}

int tool_main(int argc, char **argv)
{
    struct mtu_config c;
    char why[TOOL_WHY];
    if (mtu_options(&c, argc, argv, why))
        return tool_written("dtls_mtu", act(&c), MTU_EXIT_USAGE);
    fprintf(stderr, "dtls_mtu: %s\nTry 'dtls_mtu --help'.\n", why);
    return MTU_EXIT_USAGE;
}
