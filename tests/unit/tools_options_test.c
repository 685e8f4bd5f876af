/* SPDX-License-Identifier: MIT */
/* The options table and the words of a command line. */
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/options.h"
#include "common/parse.h"

struct config {
    bool flag;
    unsigned count, bits, number, small, seconds, millis;
    int set, choice;
    const char *text;
    uint16_t port;
};

#define AT(field) offsetof(struct config, field)

static const struct tool_choice choices[] = {{"one", 1}, {"two", 2}, {NULL, 0}};
static const struct tool_opt opts[] = {
    {'f', "flag", NULL, "G", "a flag", TOOL_FLAG, AT(flag), 0, NULL},
    {'v', "verbose", NULL, "G", "counts", TOOL_COUNT, AT(count), 0, NULL},
    {'4', "four", NULL, "G", "sets", TOOL_SET, AT(set), 4, NULL},
    {0, "bit", NULL, "G", "ors", TOOL_OR, AT(bits), 2, NULL},
    {'t', "text,words", "TEXT", "G", "text", TOOL_TEXT, AT(text), 0, NULL},
    {'n', "number", "N", "G", "number", TOOL_UINT, AT(number), 0, NULL},
    {0, "small", "N", "G", "small number", TOOL_UINT, AT(small), 9, NULL},
    {'p', "port", "PORT", "G", "port", TOOL_PORT, AT(port), 0, NULL},
    {'w', "wait", "SECS", "G", "seconds", TOOL_SECONDS, AT(seconds), 0, NULL},
    {0, "timer", "MS", "G", "milliseconds", TOOL_MILLIS, AT(millis), 0, NULL},
    {0, "mode", "MODE", "G",
     "a sentence of more than sixty-six characters goes on below its first line", TOOL_CHOICE,
     AT(choice), 0, choices},
    {'g', "gone", NULL, NULL, "hidden", TOOL_FLAG, AT(flag), 0, NULL},
};
static const struct tool_usage usage = {
    .prog = "prog",
    .synopsis = "Usage: prog",
    .about = "about",
    .opts = opts,
    .count = sizeof opts / sizeof *opts,
};

enum { ARGS = 32 };

/* Splits `line` at blanks into *args; the words live until the next call. */
static int words_of(const char *line, char *argv[ARGS])
{
    static char buf[256];
    int argc = 0;
    assert_true(strlen(line) < sizeof buf);
    strcpy(buf, line);
    for (char *w = strtok(buf, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    argv[argc] = NULL;
    return argc;
}

static bool parse(struct config *c, const char *line, char why[static TOOL_WHY])
{
    char *argv[ARGS];
    int rest, argc = words_of(line, argv);
    *c = (struct config){0};
    return tool_options_parse(&usage, c, argc, argv, &rest, why);
}

static void every_kind_of_option_sets_its_field(void **state)
{
    (void)state;
    struct config c;
    char why[TOOL_WHY];
    assert_true(parse(&c,
                      "prog -f -vv --verbose -4 --bit -t hello --number 7 --small=9 -p 443 -w 1.5"
                      " --timer 250 --mode two",
                      why));
    assert_true(c.flag);
    assert_int_equal(c.count, 3);
    assert_int_equal(c.set, 4);
    assert_int_equal(c.bits, 2);
    assert_string_equal(c.text, "hello");
    assert_int_equal(c.number, 7);
    assert_int_equal(c.small, 9);
    assert_int_equal(c.port, 443);
    assert_int_equal(c.seconds, 1500);
    assert_int_equal(c.millis, 250);
    assert_int_equal(c.choice, 2);
}

static void a_wrong_argument_commands_no_terminal(void **state)
{
    (void)state;
    struct config c;
    char why[TOOL_WHY];
    assert_false(parse(&c, "prog --number \033[31m", why));
    assert_non_null(strstr(why, "\\x1b[31m"));
    assert_null(strchr(why, '\033'));
}

static void aliases_and_unambiguous_prefixes_are_taken(void **state)
{
    (void)state;
    struct config c;
    char why[TOOL_WHY];
    assert_true(parse(&c, "prog --words a", why));
    assert_string_equal(c.text, "a");
    assert_true(parse(&c, "prog --num 3", why));
    assert_int_equal(c.number, 3);
    assert_true(parse(&c, "prog -g", why));
    assert_true(c.flag);
}

static void positional_arguments_may_stand_anywhere(void **state)
{
    (void)state;
    struct config c = {0};
    char why[TOOL_WHY], *argv[ARGS];
    int rest, argc = words_of("prog host -f 4433 -v", argv);
    assert_true(tool_options_parse(&usage, &c, argc, argv, &rest, why));
    assert_true(c.flag && c.count == 1);
    assert_int_equal(argc - rest, 2);
    assert_string_equal(argv[rest], "host");
    assert_string_equal(argv[rest + 1], "4433");
}

static void a_mistake_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *line, *words;
    } wrong[] = {
        {"prog --nothing", "--nothing"},
        {"prog -x", "-x"},
        {"prog -t", "--text needs an argument: TEXT"},
        {"prog --wait", "--wait needs an argument: SECS"},
        {"prog --flag=1", "--flag takes no argument"},
        {"prog --n 10x", "'10x'"},
        {"prog --small 10", "0 to 9"},
        {"prog -p 65536", "'65536': not a port"},
        {"prog -w 1.2.3", "'1.2.3': not a time"},
        {"prog --mode three", "one of one, two"},
    };
    struct config c;
    char why[TOOL_WHY];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(parse(&c, wrong[i].line, why));
        if (!strstr(why, wrong[i].words))
            fail_msg("%s: %s", wrong[i].line, why);
    }
}

static void help_lists_all_but_the_hidden(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    tool_usage_print(&usage, to);
    fclose(to);
    assert_non_null(strstr(text, "  -t, --text, --words TEXT"));
    assert_non_null(strstr(text, "      --mode MODE                 a sentence of more than"));
    assert_non_null(strstr(text, "\n                                  first line\n"));
    assert_null(strstr(text, "gone"));
    free(text);
}

static void times_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned unit, ms;
    } good[] = {{"2", 1000, 2000}, {"2", 1, 2},          {"0.2", 1000, 200}, {"300ms", 1000, 300},
                {"1.5s", 1, 1500}, {"5m", 1000, 300000}, {"1h", 1, 3600000}, {"0", 1000, 0}};
    static const char *const bad[] = {"",  "s",    "-1",  "+1",  "1x",  "1 s",        "1.",
                                      ".", "0x10", "1e3", "inf", "nan", "999999999h", "1.2.3"};
    unsigned ms;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(tool_parse_ms(good[i].text, good[i].unit, &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tool_parse_ms(bad[i], 1000, &ms))
            fail_msg("'%s' was taken for a time", bad[i]);
}

static void hex_comes_in_pairs(void **state)
{
    (void)state;
    uint8_t out[4];
    size_t len = sizeof out;
    assert_true(tool_parse_hex("00fFA5", out, &len));
    assert_int_equal(len, 3);
    assert_memory_equal(out, "\x00\xff\xa5", 3);
    static const char *const bad[] = {"", "0", "0g", "00 0", "0011223344"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        len = sizeof out;
        assert_false(tool_parse_hex(bad[i], out, &len));
    }
}

static void check_target(const char *line, const char *host, const char *port)
{
    char *argv[ARGS], why[TOOL_WHY] = "";
    int argc = words_of(line, argv);
    struct tool_target t;
    if (!tool_parse_target(&t, argv, argc, why))
        fail_msg("%s: %s", line, why);
    if (!host)
        assert_null(t.host);
    else
        assert_string_equal(t.host, host);
    if (!port)
        assert_null(t.port);
    else
        assert_string_equal(t.port, port);
}

static void an_address_may_be_spelt_in_many_ways(void **state)
{
    (void)state;
    check_target("", NULL, NULL);
    check_target("4433", NULL, "4433");
    check_target("host", "host", NULL);
    check_target("host 4433", "host", "4433");
    check_target("4433 host", "host", "4433");
    check_target("host:4433", "host", "4433");
    check_target(":4433", NULL, "4433");
    check_target("192.0.2.1:1", "192.0.2.1", "1");
    check_target("::1 4433", "::1", "4433");
    check_target("4433 ::1", "::1", "4433");
    check_target("2001:db8::1", "2001:db8::1", NULL);
    check_target("[2001:db8::1]:4433", "2001:db8::1", "4433");
    check_target("[2001:db8::1] 4433", "2001:db8::1", "4433");
    check_target("[::1]", "::1", NULL);
    check_target("fe80::1%eth0 1", "fe80::1%eth0", "1");
    if (getservbyname("domain", "udp")) /* not where /etc/services is missing */
        check_target("host domain", "host", "domain");
    check_target("123456 1", "123456", "1");
}

static void an_address_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a b c",    "1 2", "a:1 2",   "a:1 b:2", "[::1 4433",
                                        "[::1]x 1", "a:",  "a 65536", "99999",   "a:1 b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *argv[ARGS], why[TOOL_WHY] = "";
        int argc = words_of(wrong[i], argv);
        struct tool_target t;
        if (tool_parse_target(&t, argv, argc, why))
            fail_msg("'%s' was taken for %s and %s", wrong[i], t.host, t.port);
        assert_true(*why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_option_sets_its_field),
        cmocka_unit_test(a_wrong_argument_commands_no_terminal),
        cmocka_unit_test(aliases_and_unambiguous_prefixes_are_taken),
        cmocka_unit_test(positional_arguments_may_stand_anywhere),
        cmocka_unit_test(a_mistake_is_named),
        cmocka_unit_test(help_lists_all_but_the_hidden),
        cmocka_unit_test(times_have_units),
        cmocka_unit_test(hex_comes_in_pairs),
        cmocka_unit_test(an_address_may_be_spelt_in_many_ways),
        cmocka_unit_test(an_address_that_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
