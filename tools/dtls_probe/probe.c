/* SPDX-License-Identifier: MIT */
/* dtls_probe from its arguments to its exit status. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "capture/live.h"
#include "common/explain.h"
#include "dtls_probe/confine.h"
#include "dtls_probe/files.h"
#include "dtls_probe/live.h"
#include "dtls_probe/run.h"
#include "dtls_probe/twosided.h"
#include "unseal/unseal.h"

static int print_versions(const struct probe_config *c)
{
    (void)c;
    printf("dtls_probe %s\n%s\n%s\nsystem call filter: %s\n", SDTLS_VERSION, sd_live_library(),
           sd_unseal_library(), probe_confine_library());
    return PROBE_CLEAN;
}

static void print_interface(void *arg, const char *name, bool up)
{
    fprintf(arg, "%s%s\n", name, up ? "" : " (down)");
}

static int print_interfaces(const struct tool_out *out)
{
    struct sd_err e = {0};
    if (!sd_live_interfaces(print_interface, stdout, &e))
        return PROBE_CLEAN;
    tool_error(out, "%s", e.text);
    return PROBE_ERROR;
}

static int explain_finding(const struct probe_config *c)
{
    if (tool_explain(stdout, c->explain))
        return PROBE_CLEAN;
    fprintf(stderr, "dtls_probe: --explain %s: no such finding; --explain list prints all IDs\n",
            c->explain);
    return PROBE_ERROR;
}

static int worse_status(int a, int b)
{
    return a > b ? a : b;
}

static int probe_file(const struct probe_config *c, const struct tool_out *out, const char *path)
{
    struct probe_run r;
    struct probe_files f = {0};
    int status = PROBE_ERROR;
    if (c->reads > 1 && c->show <= PROBE_SUMMARY)
        printf("%s:\n", path);
    if (probe_run_open(&r, c, out) && probe_files_open(&f, &r, path) && probe_run_file(&r, path))
        status = probe_files_finish(&f, &r, path) ? probe_run_status(&r) : PROBE_ERROR;
    probe_files_close(&f);
    probe_run_close(&r);
    return status;
}

static int probe_sources(const struct probe_config *c, const struct tool_out *out)
{
    int status = PROBE_CLEAN;
    if (c->interface)
        return probe_live(c, out);
    if (c->two_sided)
        return probe_two_sided(c, out);
    for (unsigned i = 0; i < c->reads; i++)
        status = worse_status(status, probe_file(c, out, c->read[i]));
    return status;
}

static int refuse_usage(const char *why)
{
    fprintf(stderr, "dtls_probe: %s\nTry 'dtls_probe --help'.\n", why);
    return PROBE_ERROR;
}

static int print_help(void)
{
    tool_usage_print(&probe_usage, stdout);
    return PROBE_CLEAN;
}

static int run_action(const struct probe_config *c, const struct tool_out *out)
{
    if (c->help)
        return print_help();
    if (c->version)
        return print_versions(c);
    if (c->explain)
        return explain_finding(c);
    if (c->completion)
        return tool_completion(&probe_usage, c->completion);
    if (c->list)
        return print_interfaces(out);
    return probe_sources(c, out);
}

/* In the end: how long stderr may take nothing before the lines that wait are given up. */
enum { STDERR_MS = 1000 };

int probe_main(int argc, char **argv)
{
    struct probe_config c;
    struct tool_out out;
    char why[TOOL_WHY];
    if (!isatty(STDOUT_FILENO))
        setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (!probe_options(&c, argc, argv, why))
        return refuse_usage(why);
    tool_out_init(&out, "dtls_probe");
    out.quiet = c.quiet;
    out.color = tool_term_color((enum tool_color)c.color, STDERR_FILENO);
    int status = tool_written("dtls_probe", run_action(&c, &out), PROBE_ERROR);
    tool_out_finish(&out, STDERR_MS);
    return status;
}
