/* SPDX-License-Identifier: MIT */
/* What tools say: exit status, colours, words fit for a terminal and for JSON,
 * and the trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "common/exit.h"
#include "common/output.h"
#include "common/printable.h"
#include "common/term.h"
#include "common/trace.h"
#include "sukat_dtls.h"
#include "wire/alert.h"
#include "wire/handshake.h"
#include "wire/record.h"

static void errors_have_their_exit_status(void **state)
{
    (void)state;
    assert_int_equal(tool_exit_of(SDTLS_OK, false), 0);
    assert_int_equal(tool_exit_of(SDTLS_RESOLVE, false), 1);
    assert_int_equal(tool_exit_of(SDTLS_REFUSED, false), 1);
    assert_int_equal(tool_exit_of(SDTLS_CRED, false), 2);
    assert_int_equal(tool_exit_of(SDTLS_TIMEOUT, false), 3);
    assert_int_equal(tool_exit_of(SDTLS_NOT_DTLS, false), 4);
    assert_int_equal(tool_exit_of(SDTLS_ALERT_RECEIVED, false), 4);
    assert_int_equal(tool_exit_of(SDTLS_VERIFY, false), 5);
}

static void an_alert_after_the_handshake_has_a_status_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(tool_exit_of(SDTLS_ALERT_RECEIVED, true), 6);
    assert_int_equal(tool_exit_of(SDTLS_PROTO, true), 6);
    assert_int_equal(tool_exit_of(SDTLS_OK, true), 0);
    assert_int_equal(tool_exit_of(SDTLS_IDLE, true), 3);
}

static void every_error_has_a_status(void **state)
{
    (void)state;
    static const int errors[] = {
#define SDTLS_X(name, value, text) value,
        SDTLS_ERRORS(SDTLS_X)
#undef SDTLS_X
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i] != SDTLS_RESTARTED)
            assert_in_range(tool_exit_of(errors[i], false), 1, 6);
}

static void an_option_beats_the_environment_and_no_color_beats_force(void **state)
{
    (void)state;
    unsetenv("NO_COLOR");
    setenv("CLICOLOR_FORCE", "1", 1);
    assert_true(tool_term_color(TOOL_COLOR_AUTO, STDERR_FILENO));
    assert_false(tool_term_color(TOOL_COLOR_NEVER, STDERR_FILENO));
    setenv("NO_COLOR", "1", 1);
    assert_false(tool_term_color(TOOL_COLOR_AUTO, STDERR_FILENO));
    assert_true(tool_term_color(TOOL_COLOR_ALWAYS, STDERR_FILENO));
    unsetenv("NO_COLOR");
    unsetenv("CLICOLOR_FORCE");
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_false(tool_term_color(TOOL_COLOR_AUTO, fds[1]));
    close(fds[0]);
    close(fds[1]);
}

static void words_cannot_command_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {{"a\033[2Jb\nc\177", "a\\x1b[2Jb\\x0ac\\x7f"},
                 {"\x9b"
                  "1m",
                  "\\x9b1m"},
                 {"\xc2\x9b", "\\xc2\\x9b"},          /* C1 in UTF-8 */
                 {"\xe9\x9b", "\\xe9\\x9b"},          /* C1 after half a character */
                 {"\xe2\x80\xae", "\\xe2\\x80\\xae"}, /* the text runs backwards */
                 {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
                 {"\\x1b", "\\x1b"}};
    char buf[64], twice[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(tool_printable(cases[i].text, buf, sizeof buf), cases[i].shown);
        assert_string_equal(tool_printable(buf, twice, sizeof twice), buf);
        assert_int_equal(tool_is_printable(cases[i].text), !strcmp(buf, cases[i].text));
        assert_true(tool_is_printable(buf));
    }
    assert_string_equal(tool_printable("too long", buf, 4), "too");
    assert_string_equal(tool_printable("ab\033", buf, 6), "ab"); /* no half escape */
    assert_string_equal(tool_printable("ab\xc3\xbc", buf, 4), "ab");
}

/* What stderr got of a line. */
static void caught(char *buf, size_t cap, void (*say)(const struct tool_out *o),
                   const struct tool_out *o)
{
    int pipes[2], before = dup(STDERR_FILENO);
    fflush(stderr);
    assert_int_equal(pipe(pipes), 0);
    assert_true(dup2(pipes[1], STDERR_FILENO) >= 0);
    say(o);
    fflush(stderr);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(pipes[1]);
    close(before);
    ssize_t n = read(pipes[0], buf, cap - 1);
    close(pipes[0]);
    assert_true(n > 0);
    buf[n] = '\0';
}

static void say_error(const struct tool_out *o)
{
    tool_error(o, "no %s", "\033[31mred");
}

static void say_line(const struct tool_out *o)
{
    tool_say(o, 0, "no %s", "\033[31mred");
}

static void say_event(const struct tool_out *o)
{
    json_t *f = json_object();
    tool_field(f, "a", "\033[31m");
    tool_field(f, "b", "\xc2\x9b");
    tool_event(o, "test", f);
}

static void nothing_raw_gets_to_stderr(void **state)
{
    (void)state;
    const struct tool_out people = {.prog = "test"}, programs = {.prog = "test", .json = true};
    char line[256];
    caught(line, sizeof line, say_error, &people);
    assert_string_equal(line, "test: no \\x1b[31mred\n");
    caught(line, sizeof line, say_line, &people);
    assert_string_equal(line, "no \\x1b[31mred\n");
    caught(line, sizeof line, say_event, &programs);
    assert_non_null(strstr(line, "\"a\":\"\\u001B[31m\",\"b\":\"\\u009B\""));
}

static void a_field_takes_what_is_not_utf8(void **state)
{
    (void)state;
    json_t *f = json_object();
    tool_field(f, "plain", "text");
    tool_field(f, "latin", "caf\xe9");
    tool_field(f, "none", NULL);
    assert_int_equal(json_object_size(f), 2);
    assert_string_equal(json_string_value(json_object_get(f, "plain")), "text");
    assert_string_equal(json_string_value(json_object_get(f, "latin")), "caf\\xe9");
    json_decref(f);
}

static size_t put_message(struct sd_wr *w, uint8_t type, uint32_t length, uint32_t off, uint32_t n)
{
    static const uint8_t zeros[64];
    const struct sd_handshake h = {
        .type = type, .length = length, .frag_off = off, .frag_len = n, .body = {zeros, n}};
    size_t mark = sd_record_open(w, SD_CT_HANDSHAKE, SD_DTLS_1_2, 0, 0);
    sd_handshake_build(w, &h);
    sd_record_close(w, mark);
    return sd_wr_len(w);
}

static void a_flight_reads_as_its_messages(void **state)
{
    (void)state;
    uint8_t datagram[256];
    char info[TOOL_TRACE_INFO];
    struct sd_wr w = sd_wr_init(datagram, sizeof datagram);
    put_message(&w, SD_HS_SERVER_HELLO, 40, 0, 40);
    put_message(&w, SD_HS_CERTIFICATE, 60, 20, 10);
    size_t len = put_message(&w, SD_HS_SERVER_HELLO_DONE, 0, 0, 0);
    assert_string_equal(tool_trace_info(datagram, len, info),
                        "Server Hello, Certificate (Fragment 20+10 of 60), Server Hello Done");
}

static void an_alert_and_a_protected_record_are_told_apart(void **state)
{
    (void)state;
    uint8_t datagram[256];
    char info[TOOL_TRACE_INFO];
    struct sd_wr w = sd_wr_init(datagram, sizeof datagram);
    size_t mark = sd_record_open(&w, SD_CT_ALERT, SD_DTLS_1_2, 0, 0);
    sd_alert_build(&w, &(struct sd_alert){SD_ALERT_FATAL, SD_ALERT_HANDSHAKE_FAILURE});
    sd_record_close(&w, mark);
    mark = sd_record_open(&w, SD_CT_ALERT, SD_DTLS_1_2, 1, 0);
    sd_wr_bytes(&w, datagram, 26);
    sd_record_close(&w, mark);
    mark = sd_record_open(&w, SD_CT_APPDATA, SD_DTLS_1_2, 1, 1);
    sd_wr_bytes(&w, datagram, 30);
    sd_record_close(&w, mark);
    assert_string_equal(tool_trace_info(datagram, sd_wr_len(&w), info),
                        "Alert (Fatal: Handshake Failure), Encrypted Alert, Application Data");
}

static void anything_at_all_can_be_traced(void **state)
{
    (void)state;
    char info[TOOL_TRACE_INFO];
    assert_string_equal(tool_trace_info("HTTP/1.1", 8, info), "[not DTLS]");
    assert_string_equal(tool_trace_info("", 0, info), "");
    assert_string_equal(tool_trace_info("\x16\xfe\xfd", 3, info), "[ends inside a record header]");
    /* More messages than the line holds: cut, not overrun. */
    uint8_t datagram[4096];
    struct sd_wr w = sd_wr_init(datagram, sizeof datagram);
    for (int i = 0; i < 100; i++)
        put_message(&w, SD_HS_CERTIFICATE, 60, 20, 10);
    tool_trace_info(datagram, sd_wr_len(&w), info);
    assert_int_equal(strlen(info), TOOL_TRACE_INFO - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_their_exit_status),
        cmocka_unit_test(an_alert_after_the_handshake_has_a_status_of_its_own),
        cmocka_unit_test(every_error_has_a_status),
        cmocka_unit_test(an_option_beats_the_environment_and_no_color_beats_force),
        cmocka_unit_test(words_cannot_command_a_terminal),
        cmocka_unit_test(nothing_raw_gets_to_stderr),
        cmocka_unit_test(a_field_takes_what_is_not_utf8),
        cmocka_unit_test(a_flight_reads_as_its_messages),
        cmocka_unit_test(an_alert_and_a_protected_record_are_told_apart),
        cmocka_unit_test(anything_at_all_can_be_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
