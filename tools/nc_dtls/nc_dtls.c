/* SPDX-License-Identifier: MIT */
/* nc_dtls from its arguments to its exit status. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/trace.h"
#include "nc_dtls/nc.h"

/* A socket that becomes fd 0, 1 or 2 because it was closed would be read as stdin, or receive our
 * messages. */
static void fill_std_fds(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static void raise_fd_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void print_log_line(void *arg, int level, const char *line)
{
    enum { ERROR, WARNING };
    const struct nc *n = arg;
    if (level == ERROR)
        tool_error(&n->out, "%s", line);
    else if (level == WARNING)
        tool_warn(&n->out, "%s", line);
    else
        tool_say(&n->out, (unsigned)level - 1, "%s", line);
}

static void trace_datagram(void *arg, sdtls_conn *c, int sent, const void *datagram, size_t len)
{
    const struct nc *n = arg;
    tool_trace(&n->out, sdtls_peer_text(c), sent, datagram, len);
}

/* One write() a line: several programs may share the file. */
static void write_keylog(void *arg, const char *line)
{
    const struct nc *n = arg;
    char text[512];
    int len = snprintf(text, sizeof text, "%s\n", line);
    if (len < 0 || (size_t)len >= sizeof text)
        return;
    if (write(n->keylog_fd, text, (size_t)len) != len)
        tool_warn(&n->out, "cannot write to the key log %s: %s", n->keylog_path, strerror(errno));
}

/* A key log named on the command line must work; one named in the environment must not stop the
 * program. */
static bool open_keylog(struct nc *n)
{
    bool asked = n->cfg.keylog;
    const char *path = asked ? n->cfg.keylog : secure_getenv("SSLKEYLOGFILE");
    if (!path || !*path)
        return true;
    n->keylog_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    n->keylog_path = path;
    if (n->keylog_fd >= 0) {
        n->cfg.tls.keylog = write_keylog;
        return true;
    }
    const char *why = strerror(errno);
    if (asked)
        tool_error(&n->out, "--keylog: cannot open %s: %s", path, why);
    else
        tool_warn(&n->out, "SSLKEYLOGFILE: cannot open %s: %s", path, why);
    return !asked;
}

static bool set_up_endpoint(struct nc *n)
{
    n->out.verbose = n->cfg.verbose;
    n->out.quiet = n->cfg.quiet;
    n->out.json = n->cfg.json;
    n->out.color = tool_term_color((enum tool_color)n->cfg.color, STDERR_FILENO);
    n->cfg.tls.log = print_log_line;
    n->cfg.tls.cb_arg = n;
    if (n->cfg.verbose >= 2) {
        n->cfg.tls.tap = trace_datagram;
        n->cfg.tls.log_level = 2; /* lines about connections */
    }
    if (n->cfg.role == NC_SERVER || n->cfg.role == NC_LOAD)
        raise_fd_limit();
    if (n->cfg.tls.flags & SDTLS_F_NO_COOKIE)
        tool_warn(&n->out, "--no-cookie skips the address check (tests only): a forged address "
                           "receives a whole flight");
    if (n->cfg.workers == 0)
        n->cfg.workers = nc_workers_usual();
    if (n->cfg.workers == UINT32_MAX)
        n->cfg.workers = 1;
    if (!open_keylog(n))
        return false;
    bool ok = n->cfg.role == NC_SERVER && n->cfg.workers > 1
                  ? nc_team_open(n)
                  : (n->s = sdtls_new(&n->cfg.tls)) != NULL;
    if (!ok)
        tool_error(&n->out, "out of memory");
    return ok;
}

static int run_role(struct nc *n)
{
    if (!set_up_endpoint(n))
        return TOOL_EXIT_USAGE;
    switch (n->cfg.role) {
    case NC_SERVER:
        return nc_server(n);
    case NC_LOAD:
        return nc_load(n);
    default:
        return nc_client(n);
    }
}

/* In the end: how long stderr may take nothing before the lines that wait are given up. */
enum { STDERR_MS = 2000, STDERR_SIGNAL_MS = 100 };

/* --strict: a loss is no success, and a server is always ended by a signal. */
static void judge_loss(struct nc *n)
{
    bool good = n->status == TOOL_EXIT_OK || n->status >= TOOL_EXIT_SIGNAL;
    if (nc_report_end(n) && n->cfg.strict && good)
        n->status = TOOL_EXIT_LOSS;
}

static void tear_down_all(struct nc *n)
{
    nc_team_stop(n);
    if (n->s && n->cfg.stats)
        nc_report_counters(n);
    nc_close_all(n);
    nc_exec_end(n);
    nc_stdout_finish(n);
    if (n->s)
        judge_loss(n);
    nc_team_free(n);
    sdtls_free(n->s);
    tool_signals_close(&n->signals);
    if (n->keylog_fd >= 0)
        close(n->keylog_fd);
    explicit_bzero(&n->cfg.psk_bytes, sizeof n->cfg.psk_bytes);
    nc_load_free(n->load);
}

static int run_command_line(struct nc *n, int argc, char **argv)
{
    char why[TOOL_WHY];
    if (!nc_options(&n->cfg, argc, argv, why)) {
        fprintf(stderr, "nc_dtls: %s\nTry 'nc_dtls --help'.\n", why);
        return TOOL_EXIT_USAGE;
    }
    switch (n->cfg.role) {
    case NC_HELP:
        tool_usage_print(&nc_usage, stdout);
        return TOOL_EXIT_OK;
    case NC_VERSION:
        return nc_version(&n->cfg);
    case NC_COMPLETION:
        return tool_completion(&nc_usage, n->cfg.completion);
    default:
        break;
    }
    n->status = run_role(n);
    tear_down_all(n);
    return n->status;
}

int nc_main(int argc, char **argv)
{
    fill_std_fds();
    struct nc *n = calloc(1, sizeof *n);
    if (!n) {
        fputs("nc_dtls: out of memory\n", stderr);
        return TOOL_EXIT_NETWORK;
    }
    tool_out_init(&n->out, "nc_dtls");
    TAILQ_INIT(&n->peers);
    TAILQ_INIT(&n->children);
    n->keylog_fd = n->signals.fd = n->call_fd = -1;
    n->payload = &n->own_payload;
    n->pace = &n->next_send;
    n->wake = n->quit_at = UINT64_MAX;
    int status = run_command_line(n, argc, argv);
    tool_out_finish(&n->out, n->ended ? STDERR_SIGNAL_MS : STDERR_MS);
    free(n);
    return status;
}
