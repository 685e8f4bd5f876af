/* SPDX-License-Identifier: MIT */
/* Output that never blocks: pipes, sockets, files, and lines that are lost and counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/output.h"
#include "common/parse.h"
#include "common/sink.h"

enum { PIPE_SIZE = 4096, MOST = 100000 };

static void make_pipe(int fds[2])
{
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fcntl(fds[1], F_SETPIPE_SZ, PIPE_SIZE), PIPE_SIZE);
}

/* All that is there. */
static size_t drain(int fd, char *buf, size_t cap)
{
    size_t n = 0;
    ssize_t got;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (n < cap && (got = read(fd, buf + n, cap - n)) > 0)
        n += (size_t)got;
    return n;
}

static void number_bytes(char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (char)(i * 7 + i / 251);
}

static void what_a_pipe_does_not_take_waits(void **state)
{
    (void)state;
    static char data[50000], got[50000];
    int fds[2];
    struct tool_sink s;
    make_pipe(fds);
    number_bytes(data, sizeof data);
    tool_sink_open(&s, fds[1], MOST);
    assert_false(fcntl(fds[1], F_GETFL) & O_NONBLOCK); /* others may share it */
    assert_int_equal(tool_sink_wants(&s), -1);
    assert_int_equal(tool_sink_put(&s, data, 20000), 0);
    assert_int_equal(tool_sink_put(&s, data + 20000, 30000), 0);
    assert_true(tool_sink_wants(&s) >= 0);
    size_t n = 0;
    while (n < sizeof got) {
        size_t more = drain(fds[0], got + n, sizeof got - n);
        n += more;
        assert_true(more > 0 || s.len > 0);
        assert_int_equal(tool_sink_flush(&s), 0);
    }
    assert_memory_equal(got, data, sizeof data);
    assert_int_equal(tool_sink_wants(&s), -1);
    tool_sink_close(&s);
    close(fds[0]);
    close(fds[1]);
}

static void what_is_gathered_is_written_at_once(void **state)
{
    (void)state;
    static char data[70000], got[sizeof data];
    int fds[2];
    struct tool_sink s;
    assert_int_equal(pipe(fds), 0);
    number_bytes(data, sizeof data);
    tool_sink_open(&s, fds[1], MOST);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(tool_sink_gather(&s, "one", 3), 0);
        assert_int_equal(tool_sink_gather(&s, "two", 3), 0);
        assert_int_equal(drain(fds[0], got, sizeof got), 0);
        assert_int_equal(tool_sink_flush(&s), 0);
        assert_int_equal(drain(fds[0], got, sizeof got), 6);
        assert_memory_equal(got, "onetwo", 6);
        assert_int_equal(tool_sink_wants(&s), -1);
    }
    /* Too much to wait: it is written as far as the pipe takes it, in order. */
    for (size_t at = 0; at < sizeof data; at += 10000)
        assert_int_equal(tool_sink_gather(&s, data + at, 10000), 0);
    size_t n = drain(fds[0], got, sizeof got);
    assert_in_range(n, 1, sizeof data - 1);
    assert_int_equal(tool_sink_flush(&s), 0);
    n += drain(fds[0], got + n, sizeof got - n);
    assert_int_equal(n, sizeof data);
    assert_memory_equal(got, data, n);
    tool_sink_close(&s);
    close(fds[0]);
    close(fds[1]);
}

static void what_is_gathered_is_bounded(void **state)
{
    (void)state;
    static char data[10000];
    int fds[2], kept = 0;
    struct tool_sink s;
    make_pipe(fds);
    tool_sink_open(&s, fds[1], MOST);
    while (!tool_sink_gather(&s, data, sizeof data))
        assert_in_range(++kept, 1, (MOST + PIPE_SIZE) / sizeof data);
    assert_int_equal(tool_sink_gather(&s, data, sizeof data), -ENOBUFS);
    assert_in_range(s.len, MOST - sizeof data, MOST);
    tool_sink_close(&s);
    close(fds[0]);
    close(fds[1]);
}

static void a_socket_gets_each_message_by_itself(void **state)
{
    (void)state;
    char got[16];
    int fds[2];
    struct tool_sink s;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
    tool_sink_open(&s, fds[1], MOST);
    assert_int_equal(tool_sink_gather(&s, "one", 3), 0);
    assert_int_equal(tool_sink_gather(&s, "two", 3), 0);
    assert_int_equal(recv(fds[0], got, sizeof got, MSG_DONTWAIT), 3);
    assert_int_equal(recv(fds[0], got, sizeof got, MSG_DONTWAIT), 3);
    tool_sink_close(&s);
    close(fds[0]);
    close(fds[1]);
}

static void no_more_than_the_bound_waits(void **state)
{
    (void)state;
    static char data[60000];
    int fds[2];
    struct tool_sink s;
    make_pipe(fds);
    tool_sink_open(&s, fds[1], MOST);
    assert_int_equal(tool_sink_put(&s, data, sizeof data), 0);
    size_t waits = s.len;
    assert_int_equal(tool_sink_put(&s, data, sizeof data), -ENOBUFS);
    assert_int_equal(s.len, waits); /* nothing of it */
    assert_int_equal(tool_sink_put(&s, data, MOST - waits), 0);
    assert_int_equal(tool_sink_put(&s, data, 1), -ENOBUFS);
    tool_sink_close(&s);
    close(fds[0]);
    close(fds[1]);
}

/* A pipe that cannot be opened again, such as one of another user. */
static void a_pipe_that_is_asked_blocks_neither(void **state)
{
    (void)state;
    static char data[30000], got[30000];
    int fds[2];
    make_pipe(fds);
    number_bytes(data, sizeof data);
    struct tool_sink s = {.fd = fds[1], .ask = true, .most = MOST};
    assert_int_equal(tool_sink_put(&s, data, sizeof data), 0);
    size_t n = 0;
    while (n < sizeof got) {
        n += drain(fds[0], got + n, sizeof got - n);
        assert_int_equal(tool_sink_flush(&s), 0);
    }
    assert_memory_equal(got, data, sizeof data);
    tool_sink_close(&s);
    close(fds[0]);
    close(fds[1]);
}

static void a_socket_blocks_neither(void **state)
{
    (void)state;
    static char data[2000000];
    int fds[2];
    struct tool_sink s;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    tool_sink_open(&s, fds[1], sizeof data);
    assert_int_equal(tool_sink_put(&s, data, sizeof data), 0);
    assert_in_range(s.len, 1, sizeof data);
    tool_sink_close(&s);
    close(fds[0]);
    close(fds[1]);
}

static void errors_are_the_callers(void **state)
{
    (void)state;
    int fds[2], full = open("/dev/full", O_WRONLY);
    struct tool_sink s;
    signal(SIGPIPE, SIG_IGN);
    tool_sink_open(&s, full, MOST);
    assert_int_equal(tool_sink_put(&s, "x", 1), -ENOSPC);
    tool_sink_close(&s);
    close(full);
    make_pipe(fds);
    tool_sink_open(&s, fds[1], MOST);
    close(fds[0]);
    assert_int_equal(tool_sink_put(&s, "x", 1), -EPIPE);
    tool_sink_close(&s);
    close(fds[1]);
}

/* stderr is a small pipe while the test writes lines; what it got. */
struct lines {
    int fds[2], before;
    struct tool_out out;
    char text[1 << 20];
    size_t len;
};

static void begin_lines(struct lines *l, bool json)
{
    make_pipe(l->fds);
    l->before = dup(STDERR_FILENO);
    dup2(l->fds[1], STDERR_FILENO);
    tool_out_init(&l->out, "prog");
    l->out.json = json;
    l->len = 0;
}

static void read_lines(struct lines *l)
{
    size_t more;
    do {
        more = drain(l->fds[0], l->text + l->len, sizeof l->text - 1 - l->len);
        l->len += more;
        tool_out_flush(&l->out);
    } while (more);
    l->text[l->len] = '\0';
}

static void end_lines(struct lines *l)
{
    tool_out_finish(&l->out, 10);
    dup2(l->before, STDERR_FILENO);
    close(l->before);
    close(l->fds[0]);
    close(l->fds[1]);
}

static unsigned count_of(const char *text, const char *what)
{
    unsigned n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static void lost_lines_are_counted_and_said(void **state)
{
    (void)state;
    enum { LINES = 10000 };
    static struct lines l;
    begin_lines(&l, false);
    for (int i = 0; i < LINES; i++)
        tool_say(&l.out, 0, "line %d of those that nobody reads, long enough to fill a pipe", i);
    uint64_t lost = tool_out_lost(&l.out);
    assert_in_range(lost, 1, LINES - 1);
    read_lines(&l);
    assert_int_equal(count_of(l.text, "\nline") + 1 + lost, LINES);
    char said[64];
    snprintf(said, sizeof said, "\nprog: %llu lines lost: stderr was not read\n",
             (unsigned long long)lost);
    assert_non_null(strstr(l.text, said));
    tool_warn(&l.out, "it goes on");
    read_lines(&l);
    assert_non_null(strstr(l.text, "prog: it goes on\n"));
    assert_int_equal(tool_out_lost(&l.out), lost);
    assert_int_equal(count_of(l.text, "lost:"), 1);
    end_lines(&l);
}

static void json_tells_of_lost_lines_in_json(void **state)
{
    (void)state;
    static struct lines l;
    begin_lines(&l, true);
    while (!tool_out_lost(&l.out))
        tool_event(&l.out, "something", json_pack("{s:s}", "text", "with some words in it"));
    read_lines(&l);
    json_error_t e;
    const char *last = strstr(l.text, "{\"event\":\"lost\"");
    assert_non_null(last);
    json_t *event = json_loads(last, 0, &e);
    assert_non_null(event);
    assert_int_equal(json_integer_value(json_object_get(event, "lines")), 1);
    assert_true(json_real_value(json_object_get(event, "time")) > 1e9);
    json_decref(event);
    end_lines(&l);
}

static void quiet_stays_quiet(void **state)
{
    (void)state;
    static struct lines l;
    begin_lines(&l, false);
    l.out.quiet = true;
    while (!tool_out_lost(&l.out))
        tool_say(&l.out, 0, "asked for");
    read_lines(&l);
    assert_null(strstr(l.text, "lost"));
    tool_say(&l.out, 0, "and again");
    read_lines(&l);
    assert_non_null(strstr(l.text, "and again"));
    end_lines(&l);
}

static void rates_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bits;
    } good[] = {{"0", 0}, {"1000", 1000}, {"500k", 500000}, {"2.5M", 2500000}, {"1G", 1000000000}};
    static const char *const bad[] = {"", "k", "-1", "1x", "1e6", "0x10", "5 M", "inf", "9999G"};
    uint64_t bits;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(tool_parse_bits(good[i].text, &bits));
        assert_int_equal(bits, good[i].bits);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(tool_parse_bits(bad[i], &bits));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_pipe_does_not_take_waits),
        cmocka_unit_test(what_is_gathered_is_written_at_once),
        cmocka_unit_test(what_is_gathered_is_bounded),
        cmocka_unit_test(a_socket_gets_each_message_by_itself),
        cmocka_unit_test(no_more_than_the_bound_waits),
        cmocka_unit_test(a_pipe_that_is_asked_blocks_neither),
        cmocka_unit_test(a_socket_blocks_neither),
        cmocka_unit_test(errors_are_the_callers),
        cmocka_unit_test(lost_lines_are_counted_and_said),
        cmocka_unit_test(json_tells_of_lost_lines_in_json),
        cmocka_unit_test(quiet_stays_quiet),
        cmocka_unit_test(rates_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
