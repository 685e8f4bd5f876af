/* SPDX-License-Identifier: MIT */
/* nc_dtls --exec: what a command gets to know of its peer, and what is told of its end. */
#include "duo.h"

#include <poll.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

enum { DEADLINE_MS = 10000 };

static const uint8_t key[] = "sixteen bytes ..";

/* An established client with this PSK identity, and what its command wrote. */
struct ran {
    struct duo d;
    struct nc n;
    char out[4096], said[1024];
};

static void read_all(int fd, char *buf, size_t cap)
{
    size_t len = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
        ssize_t n = read(fd, buf + len, cap - 1 - len);
        assert_true(n >= 0);
        if (!n)
            break;
        len += (size_t)n;
    }
    buf[len] = '\0';
}

static void reap(struct ran *r, const struct nc_child *ch)
{
    int pipes[2], before = dup(STDERR_FILENO);
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    assert_int_equal(pipe(pipes), 0);
    assert_true(dup2(pipes[1], STDERR_FILENO) >= 0);
    close(pipes[1]);
    while (ch->pid && sd_clock_now() < until) {
        nc_exec_reap(&r->n);
        usleep(1000);
    }
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    assert_int_equal(ch->pid, 0);
    read_all(pipes[0], r->said, sizeof r->said);
    close(pipes[0]);
}

static void run_command(struct ran *r, const char *command, const char *identity, bool json)
{
    const sdtls_config server = {SDTLS_CONFIG_INIT, .psk = key, .psk_len = 16};
    const sdtls_config client = {SDTLS_CONFIG_INIT, .psk = key, .psk_len = 16,
                                 .psk_identity = identity};
    memset(r, 0, sizeof *r);
    duo_up(&r->d, &server, &client);
    duo_connect(&r->d);
    struct nc_peer p = {.conn = duo_wait(&r->d, r->d.server, SDTLS_EV_READY).conn};
    r->n.cfg.exec = command;
    r->n.cfg.max_exec = 1;
    r->n.signals.fd = -1;
    r->n.out = (struct tool_out){.prog = "test", .verbose = 1, .json = json};
    TAILQ_INIT(&r->n.children);
    assert_true(nc_exec(&r->n, &p));
    read_all(p.child->from, r->out, sizeof r->out);
    reap(r, p.child);
    p.child->conn = NULL; /* the peer has gone, too */
    nc_exec_tick(&r->n, nc_now());
    assert_true(TAILQ_EMPTY(&r->n.children));
    duo_down(&r->d);
}

/* A command of nc_dtls may run nc_dtls: what it knew of its peer is wrong for another one. */
static void inherited_variables_are_gone(void **state)
{
    (void)state;
    static const char *const names[] = {
        "SDTLS_PEER", "SDTLS_VERSION", "SDTLS_CIPHER",       "SDTLS_GROUP",       "SDTLS_ALPN",
        "SDTLS_SNI",  "SDTLS_SUBJECT", "SDTLS_PSK_IDENTITY", "SDTLS_FINGERPRINT", "SDTLS_VERIFIED",
        NULL};
    struct ran r;
    for (const char *const *name = names; *name; name++)
        setenv(*name, "stale", 1);
    run_command(&r, "env", "ann", false);
    for (const char *const *name = names; *name; name++)
        unsetenv(*name);
    assert_null(strstr(r.out, "stale"));
    assert_non_null(strstr(r.out, "\nSDTLS_PSK_IDENTITY=ann\n"));
    assert_null(strstr(r.out, "SDTLS_SUBJECT")); /* a PSK: there is no certificate */
    assert_null(strstr(r.out, "SDTLS_ALPN"));
}

static void no_peer_writes_escapes_into_the_environment(void **state)
{
    (void)state;
    struct ran r;
    run_command(&r, "env", "mal\033[31m\nSDTLS_VERIFIED=1\xc2\x9b", false);
    assert_null(strchr(r.out, '\033'));
    assert_non_null(
        strstr(r.out, "SDTLS_PSK_IDENTITY=mal\\x1b[31m\\x0aSDTLS_VERIFIED=1\\xc2\\x9b\n"));
    assert_null(strstr(r.out, "\nSDTLS_VERIFIED=1"));
}

static void how_a_command_ended_is_told(void **state)
{
    (void)state;
    struct ran r;
    run_command(&r, "exit 7", "ann", false);
    assert_non_null(strstr(r.said, ": the command of --exec ended with exit status 7\n"));
    run_command(&r, "kill -9 $$", "ann", false);
    assert_non_null(strstr(r.said, "was ended by signal 9"));
    run_command(&r, "exit 7", "ann", true);
    assert_non_null(strstr(r.said, "\"event\":\"command\""));
    assert_non_null(strstr(r.said, "\"status\":7"));
    run_command(&r, "kill -9 $$", "ann", true);
    assert_non_null(strstr(r.said, "\"signal\":9"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inherited_variables_are_gone),
        cmocka_unit_test(no_peer_writes_escapes_into_the_environment),
        cmocka_unit_test(how_a_command_ended_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
