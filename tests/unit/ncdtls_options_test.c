/* SPDX-License-Identifier: MIT */
/* The limits that nc_dtls has without being asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nc_dtls/options.h"

enum { WORDS = 12 };

static struct nc_config parsed(const char *line)
{
    static char buf[128];
    char *argv[WORDS] = {"nc_dtls"}, why[TOOL_WHY];
    struct nc_config c;
    int argc = 1;
    strcpy(buf, line);
    for (char *w = strtok(buf, " "); w && argc < WORDS; w = strtok(NULL, " "))
        argv[argc++] = w;
    if (!nc_options(&c, argc, argv, why))
        fail_msg("%s", why);
    return c;
}

static void a_server_closes_idle_clients_after_ten_minutes(void **state)
{
    (void)state;
    assert_int_equal(parsed("-l 4433").tls.idle_ms, 600000);
    assert_int_equal(parsed("-l --idle 0 4433").tls.idle_ms, 0);
    assert_int_equal(parsed("-l --idle 5 4433").tls.idle_ms, 5000);
    assert_int_equal(parsed("-l --once 4433").tls.idle_ms, 0);
    assert_int_equal(parsed("localhost 4433").tls.idle_ms, 0);
}

static void a_server_runs_a_hundred_commands(void **state)
{
    (void)state;
    assert_int_equal(parsed("-l -e cat 4433").max_exec, 100);
    assert_int_equal(parsed("-l -e cat 4433").tls.max_clients, 100);
    assert_int_equal(parsed("-l -e cat -m 5 4433").tls.max_clients, 5);
    assert_int_equal(parsed("-l -e cat -m 500 4433").tls.max_clients, 100);
    assert_int_equal(parsed("-l -e cat --max-exec 200 4433").tls.max_clients, 200);
    assert_int_equal(parsed("-l 4433").tls.max_clients, 0);
    assert_int_equal(parsed("-e cat localhost 4433").tls.max_clients, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_closes_idle_clients_after_ten_minutes),
        cmocka_unit_test(a_server_runs_a_hundred_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
