/* SPDX-License-Identifier: MIT */
/* lib/endpoint: an endpoint without sockets makes no system call. A filter of the kernel's ends the
 * process at the first one but those for memory and random numbers. SDTLS_DATAGRAMS: how many go
 * through it. */
#include "carried.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const sdtls_config serving = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};
static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};

static struct net net;

#define LET(call)                                                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What the C library calls for memory, OpenSSL for random numbers (getpid: has the process forked
 * since?), and the test to say how it went. */
static void allow_no_calls(void)
{
    static struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        LET(SYS_mmap),
        LET(SYS_munmap),
        LET(SYS_mremap),
        LET(SYS_mprotect),
        LET(SYS_madvise),
        LET(SYS_brk),
        LET(SYS_getrandom),
        LET(SYS_getpid),
        LET(SYS_write),
        LET(SYS_exit_group),
#ifdef __SANITIZE_ADDRESS__ /* what AddressSanitizer calls beside that */
        LET(SYS_sigaltstack),
        LET(SYS_rt_sigprocmask),
        LET(SYS_clock_gettime),
        LET(SYS_sched_yield),
        LET(SYS_futex),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void reply(struct end *e, const sdtls_event *ev)
{
    (void)e;
    if (sdtls_send(ev->conn, ev->data, ev->len))
        _exit(2);
}

static size_t datagrams(void)
{
    const char *asked = getenv("SDTLS_DATAGRAMS");
    return asked ? strtoul(asked, NULL, 10) : 20000;
}

/* The first of each role makes the context, which reads files. */
static void warm_up(void)
{
    net_up(&net, &serving, &trusting);
    connect_by_id(&net, 0);
    net_until(&net, &net.client, SDTLS_EV_READY, 1);
    net_until(&net, &net.server, SDTLS_EV_READY, 1);
}

/* Every event of a life: handshakes with loss, a silent peer, data both ways, a second handshake
 * from the same path, the end. */
static void live(size_t count)
{
    enum { CLIENTS = 20 };
    uint8_t data[1100] = {1};
    net.lost = 2;
    net.repeated = net.delayed = 10;
    for (unsigned i = 1; i < CLIENTS; i++)
        connect_by_id(&net, i);
    net_until(&net, &net.client, SDTLS_EV_READY, CLIENTS);
    net_until(&net, &net.server, SDTLS_EV_READY, CLIENTS);
    net_run(&net, 60 * SD_SEC);
    net.lost = net.repeated = net.delayed = 0;
    net.server.on_data = reply;
    for (unsigned i = 0; i < (count + 1) / 2; i++) {
        if (sdtls_send(net.client.last[SDTLS_EV_READY].conn, data, sizeof data))
            _exit(3);
        if (i % 64 == 63)
            net_run(&net, 20 * SD_MS);
    }
    net_run(&net, SD_SEC);
    sdtls_close(net.client.last[SDTLS_EV_READY].conn);
    net_until(&net, &net.server, SDTLS_EV_CLOSED, 1);
    net.client.mute = true;
    connect_by_id(&net, 99);
    net_until(&net, &net.client, SDTLS_EV_CLOSED, 2);
}

static int under_filter(void (*what)(size_t), size_t count)
{
    int status;
    const pid_t child = fork();
    if (!child) {
        allow_no_calls();
        what(count);
        _exit(net.client.told[SDTLS_EV_DATA] == (count + 1) / 2 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void nothing_asks_the_system_for_more_than_memory_and_random_numbers(void **state)
{
    (void)state;
    warm_up();
    assert_int_equal(under_filter(live, datagrams()), 0);
    net_down(&net);
}

static void ask_for_parent(size_t count)
{
    (void)count;
    getppid();
}

static void the_filter_notices_a_call(void **state)
{
    (void)state;
    const int status = under_filter(ask_for_parent, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asks_the_system_for_more_than_memory_and_random_numbers),
        cmocka_unit_test(the_filter_notices_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
