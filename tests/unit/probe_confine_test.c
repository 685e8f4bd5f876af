/* SPDX-License-Identifier: MIT */
/* tools/dtls_probe: what the process of a live capture cannot do any more. Each check runs in a
 * child, before and after: before, all of it works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/output.h"
#include "dtls_probe/confine.h"
#include "dtls_probe/opener.h"

static char dir[] = "/tmp/confine.XXXXXX";
static char own[64], shared[64], made[64]; /* root's, everybody's, not there yet */

typedef bool action(void);

static bool opens_a_socket(void)
{
    return socket(AF_INET, SOCK_DGRAM, 0) >= 0;
}

static bool runs_a_program(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return false;
}

static bool forks(void)
{
    pid_t pid = fork();
    if (!pid)
        _exit(0);
    return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

static bool writes_a_new_file(void)
{
    return open(made, O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool opens_for_writing(void)
{
    return open(shared, O_RDWR) >= 0;
}

static bool empties_a_file(void)
{
    return open(shared, O_RDONLY | O_TRUNC) >= 0;
}

static bool makes_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool signals_others(void)
{
    return !kill(getppid(), 0);
}

static bool reads_what_is_roots(void)
{
    int fd = open(own, O_RDONLY); /* mode 0600 */
    return fd >= 0;
}

static bool reads_what_all_may(void)
{
    int fd = open("/etc/passwd", O_RDONLY);
    char c;
    return fd >= 0 && read(fd, &c, 1) == 1;
}

static bool takes_memory(void)
{
    void *p = malloc(64 << 20);
    if (p)
        memset(p, 1, 64 << 20);
    free(p);
    return p;
}

/* All four of each kind, as the kernel has them: asking is not among the calls that are left. */
static bool is_nobody(void)
{
    char status[4096];
    unsigned long u[4], g[4], cap;
    int fd = open("/proc/self/status", O_RDONLY);
    ssize_t n = read(fd, status, sizeof status - 1);
    if (n < 0)
        return false;
    status[n] = '\0';
    const char *ids = strstr(status, "\nUid:"), *caps = strstr(status, "\nCapPrm:");
    bool read = ids && caps && sscanf(caps, "\nCapPrm: %lx", &cap) == 1 &&
                sscanf(ids, "\nUid: %lu %lu %lu %lu Gid: %lu %lu %lu %lu", &u[0], &u[1], &u[2],
                       &u[3], &g[0], &g[1], &g[2], &g[3]) == 8;
    return read && !cap && u[0] && u[1] && u[2] && u[3] && g[0] && g[1] && g[2] && g[3] &&
           strstr(status, "\nGroups:\t \n");
}

static bool becomes_root_again(void)
{
    return !setresuid(0, 0, 0) || !seteuid(0);
}

static int in_child(action *act, bool confined, enum probe_keep keep)
{
    fflush(NULL);
    pid_t pid = fork();
    if (!pid) {
        struct tool_out out = {.prog = "test"};
        struct probe_user user = probe_confine_user();
        if (confined && !probe_confine(&user, keep, &out))
            _exit(9);
        _exit(act() ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void skip_unless(bool possible)
{
    if (!possible)
        skip();
}

static bool has_filter(void)
{
    return strcmp(probe_confine_library(), "none") != 0;
}

static void the_filter_stops_what_a_capture_never_does(void **state)
{
    (void)state;
    static action *const actions[] = {opens_a_socket,    runs_a_program,    forks,
                                      writes_a_new_file, opens_for_writing, empties_a_file,
                                      makes_code,        signals_others};
    skip_unless(has_filter());
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        assert_int_equal(in_child(actions[i], false, PROBE_KEEP_NOTHING), 0);
        assert_int_equal(in_child(actions[i], true, PROBE_KEEP_NOTHING), 1);
    }
}

static void what_a_capture_does_goes_on(void **state)
{
    (void)state;
    static action *const actions[] = {reads_what_all_may, takes_memory};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        assert_int_equal(in_child(actions[i], true, PROBE_KEEP_NOTHING), 0);
}

static void root_becomes_nobody(void **state)
{
    (void)state;
    skip_unless(!geteuid());
    assert_true(probe_confine_user().other);
    assert_int_equal(in_child(is_nobody, false, PROBE_KEEP_NOTHING), 1);
    assert_int_equal(in_child(is_nobody, true, PROBE_KEEP_NOTHING), 0);
    assert_int_equal(in_child(becomes_root_again, false, PROBE_KEEP_NOTHING), 0);
    assert_int_equal(in_child(becomes_root_again, true, PROBE_KEEP_NOTHING), 1);
    assert_int_equal(in_child(reads_what_is_roots, false, PROBE_KEEP_NOTHING), 0);
    assert_int_equal(in_child(reads_what_is_roots, true, PROBE_KEEP_NOTHING), 1);
}

/* The process that waits for a key log: it reads anything, and nothing else is left to it. */
static void the_right_to_read_can_be_kept(void **state)
{
    (void)state;
    static action *const actions[] = {opens_a_socket, runs_a_program, forks, writes_a_new_file,
                                      becomes_root_again};
    skip_unless(!geteuid() && has_filter());
    assert_int_equal(in_child(reads_what_is_roots, true, PROBE_KEEP_READING), 0);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        assert_int_equal(in_child(actions[i], true, PROBE_KEEP_READING), 1);
}

static int opener_waits(void)
{
    static const struct tool_out out = {.prog = "test"};
    struct probe_user user = probe_confine_user();
    struct probe_opener o = {.fd = -1};
    int status = 0;
    if (!probe_opener_start(&o, made, &user, &out) || probe_opener_ask(&o) != -ENOENT)
        return 2;
    int fd = open(made, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (write(fd, "key", 3) != 3)
        return 3;
    char text[4] = "";
    fd = probe_opener_ask(&o);
    if (read(fd, text, sizeof text) != 3 || strcmp(text, "key") != 0)
        status = 4;
    else if (write(fd, "x", 1) > 0) /* for reading only */
        status = 5;
    else if (unlink(made) || probe_opener_ask(&o) != -ENOENT)
        status = 6;
    probe_opener_stop(&o);
    return status;
}

static void a_file_is_passed_on_once_it_exists(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    unlink(made);
    assert_int_equal(opener_waits(), 0);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir) || chmod(dir, 0777))
        return -1;
    snprintf(own, sizeof own, "%s/own", dir);
    snprintf(made, sizeof made, "%s/made", dir);
    snprintf(shared, sizeof shared, "%s/shared", dir);
    int one = open(own, O_RDWR | O_CREAT, 0600), two = open(shared, O_RDWR | O_CREAT, 0600);
    return one < 0 || two < 0 || chmod(shared, 0666) || close(one) || close(two) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(own);
    unlink(shared);
    unlink(made);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_filter_stops_what_a_capture_never_does),
        cmocka_unit_test(what_a_capture_does_goes_on),
        cmocka_unit_test(root_becomes_nobody),
        cmocka_unit_test(the_right_to_read_can_be_kept),
        cmocka_unit_test(a_file_is_passed_on_once_it_exists),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
