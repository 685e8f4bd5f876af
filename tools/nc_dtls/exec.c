/* SPDX-License-Identifier: MIT */
/* --exec: a command for every peer, with the connection as its stdin and stdout. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/printable.h"
#include "nc_dtls/nc.h"

/* A command may go on this long after its peer has gone, and this long again after SIGTERM; less
 * when a signal ends us, who have a second. */
enum { GRACE_MS = 1000, SHORT_GRACE_MS = 300 };
/* At the end SIGCHLD wakes us, but nothing tells when a full pipe takes more: look this often. */
enum { PIPE_EVERY_MS = 20 };
/* Bytes kept for a command that does not read. Its peer is paused then: one datagram more may
 * come. It goes on when half of them are gone. */
enum { QUEUE_FULL = 64 << 10 };

/* Bytes of a value: names in a certificate have 255, each of which may become four. */
enum { ENV_VALUE = 4 * 256 };

/* Scripts print what they find there. */
static void set_command_env(const char *name, const char *value)
{
    char words[ENV_VALUE];
    if (value)
        setenv(name, tool_printable(value, words, sizeof words), 1);
    else
        unsetenv(name); /* ours may have come from the command of another nc_dtls */
}

static void describe_peer_in_env(sdtls_conn *c, const sdtls_info *info)
{
    set_command_env("SDTLS_PEER", sdtls_peer_text(c));
    set_command_env("SDTLS_VERSION", nc_version_text(info->version));
    set_command_env("SDTLS_CIPHER", info->cipher);
    set_command_env("SDTLS_GROUP", info->group);
    set_command_env("SDTLS_ALPN", info->alpn);
    set_command_env("SDTLS_SNI", info->server_name);
    set_command_env("SDTLS_PSK_IDENTITY", info->psk_identity);
    set_command_env("SDTLS_SUBJECT", info->subject);
    set_command_env("SDTLS_FINGERPRINT", info->fingerprint);
    set_command_env("SDTLS_VERIFIED", info->verified ? "1" : "0");
}

/* In the child. Its own process group: a signal reaches what the shell starts, too. */
static void become_command(const struct nc *n, sdtls_conn *c, const sdtls_info *info, int in,
                           int out)
{
    setpgid(0, 0);
    describe_peer_in_env(c, info);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
        _exit(127);
    tool_signals_child(&n->signals);
    execl("/bin/sh", "sh", "-c", n->cfg.exec, (char *)NULL);
    _exit(127);
}

static void close_pipe(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool start_command(struct nc *n, struct nc_child *ch)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    sdtls_info
        info; /* asked for here: a lock of OpenSSL that another thread holds stays so in a child */
    sdtls_conn_info(ch->conn, &info);
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        goto fail;
    ch->pid = fork();
    if (ch->pid < 0)
        goto fail;
    if (ch->pid == 0)
        become_command(n, ch->conn, &info, in[0], out[1]);
    setpgid(ch->pid, ch->pid); /* parent and child: the first one does it */
    close(in[0]);
    close(out[1]);
    ch->to = in[1];
    ch->from = out[0];
    fcntl(ch->to, F_SETFL, O_NONBLOCK);
    fcntl(ch->from, F_SETFL, O_NONBLOCK);
    return true;
fail:
    tool_error(&n->out, "--exec: cannot start the command: %s", strerror(errno));
    close_pipe(&in[0]);
    close_pipe(&in[1]);
    close_pipe(&out[0]);
    close_pipe(&out[1]);
    return false;
}

void nc_exec_kill_gone(struct nc *n)
{
    struct nc_child *ch;
    TAILQ_FOREACH(ch, &n->children, next)
    {
        if (!ch->conn && ch->pid)
            kill(-ch->pid, SIGKILL);
    }
}

/* A command whose peer has gone gives way to another one. */
static bool has_room(struct nc *n)
{
    if (nc_team_sum(n, NC_COUNT_RUNNING) < n->cfg.max_exec)
        return true;
    nc_exec_kill_gone(n);
    nc_team_ask_others(n, NC_ASK_KILL_GONE);
    return nc_team_sum(n, NC_COUNT_SERVING) < n->cfg.max_exec;
}

bool nc_exec(struct nc *n, struct nc_peer *p)
{
    if (!has_room(n)) {
        tool_say(&n->out, 1, "%s: refused: %u commands of --exec are running (--max-exec)",
                 sdtls_peer_text(p->conn), n->cfg.max_exec);
        return false;
    }
    struct nc_child *ch = calloc(1, sizeof *ch);
    if (!ch)
        return false;
    *ch = (struct nc_child){.conn = p->conn, .to = -1, .from = -1};
    snprintf(ch->peer, sizeof ch->peer, "%s", sdtls_peer_text(p->conn));
    if (!start_command(n, ch)) {
        free(ch);
        return false;
    }
    p->child = ch;
    nc_team_count(n, NC_COUNT_RUNNING, 1);
    nc_team_count(n, NC_COUNT_SERVING, 1);
    TAILQ_INSERT_TAIL(&n->children, ch, next);
    return true;
}

static bool queue_for_command(struct nc_child *ch, const void *data, size_t len)
{
    uint8_t *more = realloc(ch->queue, ch->queued + len);
    if (!more)
        return false;
    memcpy(more + ch->queued, data, len);
    ch->queue = more;
    ch->queued += len;
    return true;
}

void nc_exec_data(struct nc *n, struct nc_child *ch, const void *data, size_t len)
{
    if (ch->to < 0 || !len)
        return;
    if (queue_for_command(ch, data, len))
        nc_exec_writable(n, ch);
    else
        n->tally.unwritten_bytes += len; /* no memory */
}

bool nc_exec_full(const struct nc_child *ch)
{
    return ch->queued >= QUEUE_FULL;
}

static struct nc_peer *peer_of_child(const struct nc_child *ch)
{
    return ch->conn ? sdtls_user(ch->conn) : NULL;
}

bool nc_exec_wanted(struct nc *n, const struct nc_child *ch)
{
    const struct nc_peer *p = peer_of_child(ch);
    return p && !p->unsent && nc_pace_ready(n);
}

void nc_exec_writable(struct nc *n, struct nc_child *ch)
{
    (void)n;
    struct nc_peer *p = peer_of_child(ch);
    ssize_t put = ch->queued ? write(ch->to, ch->queue, ch->queued) : 0;
    if (put < 0 && errno != EAGAIN && errno != EINTR) {
        ch->queued = 0; /* it has closed its stdin */
        close_pipe(&ch->to);
    }
    if (put > 0) {
        ch->queued -= (size_t)put;
        memmove(ch->queue, ch->queue + put, ch->queued);
    }
    if (p && ch->queued <= QUEUE_FULL / 2)
        nc_peer_resume(p);
    if (!ch->conn && !ch->queued)
        close_pipe(&ch->to);
}

void nc_exec_readable(struct nc *n, struct nc_child *ch)
{
    uint8_t buf[NC_DATAGRAM_MAX];
    struct nc_peer *p = peer_of_child(ch);
    size_t most = p ? sdtls_max_payload(p->conn) : 0;
    if (!most || most > sizeof buf)
        most = sizeof buf;
    ssize_t got = read(ch->from, buf, most);
    if (got > 0 && p) {
        nc_send(n, p, buf, (size_t)got);
    } else if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close_pipe(&ch->from);
        sdtls_close(ch->conn);
    }
}

static uint64_t grace_ends(const struct nc *n, uint64_t now)
{
    return now + (n->ended ? SHORT_GRACE_MS : GRACE_MS);
}

void nc_exec_hang_up(struct nc *n, struct nc_child *ch)
{
    ch->conn = NULL;
    nc_team_count(n, NC_COUNT_SERVING, -1);
    ch->next_signal = SIGTERM;
    ch->when = grace_ends(n, nc_now());
    nc_wake_at(n, ch->when);
    close_pipe(&ch->from);
    nc_exec_writable(n, ch);
}

void nc_exec_reap(struct nc *n)
{
    struct nc_child *ch;
    int status;
    TAILQ_FOREACH(ch, &n->children, next)
    {
        if (!ch->pid || waitpid(ch->pid, &status, WNOHANG) <= 0)
            continue;
        ch->pid = 0;
        nc_team_count(n, NC_COUNT_RUNNING, -1);
        nc_report_command(n, ch->peer, status);
    }
}

static void child_free(struct nc *n, struct nc_child *ch)
{
    TAILQ_REMOVE(&n->children, ch, next);
    close_pipe(&ch->to);
    close_pipe(&ch->from);
    free(ch->queue);
    free(ch);
}

static void signal_overdue(struct nc *n, struct nc_child *ch, uint64_t now)
{
    if (ch->when > grace_ends(n, now)) /* it has become shorter */
        ch->when = grace_ends(n, now);
    if (now >= ch->when) {
        kill(-ch->pid, ch->next_signal);
        ch->next_signal = SIGKILL;
        ch->when = grace_ends(n, now);
    }
    nc_wake_at(n, ch->when);
}

void nc_exec_tick(struct nc *n, uint64_t now)
{
    struct nc_child *next;
    for (struct nc_child *ch = TAILQ_FIRST(&n->children); ch; ch = next) {
        next = TAILQ_NEXT(ch, next);
        if (ch->conn)
            continue;
        if (ch->pid)
            signal_overdue(n, ch, now);
        else
            child_free(n, ch);
    }
}

void nc_exec_end(struct nc *n)
{
    struct nc_child *ch;
    n->wake = UINT64_MAX;
    while (!TAILQ_EMPTY(&n->children)) {
        TAILQ_FOREACH(ch, &n->children, next)
        {
            nc_exec_writable(n, ch);
        }
        nc_exec_reap(n);
        nc_exec_tick(n, nc_now());
        struct pollfd fd = {.fd = n->signals.fd, .events = POLLIN};
        if (!TAILQ_EMPTY(&n->children) && poll(&fd, 1, PIPE_EVERY_MS) > 0)
            tool_signals_next(&n->signals);
    }
}
