/* SPDX-License-Identifier: MIT */
/* lib/flow/rules: who is there, and who is who. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules_tools.h"

static void a_closed_port_is_named(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1);
    send_icmp(r, 3, 3);
    rig_close(r);
    check_verdict(&r->report[0], "icmp-port-unreachable", "4433");
}

static void without_a_diagnosis_there_are_outcomes(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1);
    send_icmp(r, 3, 3);
    rig_close(r);
    assert_int_equal(r->report[0].outcome, SD_FAILED);
    assert_int_equal(r->report[0].count, 0);
}

static void a_restart_on_the_same_addresses_is_noticed(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    full_handshake(r, 0x11);
    send_data(r, SD_CLIENT, 1);
    after(r, 1000);
    full_handshake(r, 0x22);
    rig_close(r);
    assert_int_equal(r->reports, 2);
    assert_int_equal(r->report[0].outcome, SD_OK);
    assert_int_equal(r->report[1].outcome, SD_OK);
    assert_true(r->report[1].x.after_established && r->report[1].x.on_sealed);
    assert_non_null(found(&r->report[1], "client-restart-same-tuple"));
    assert_null(found(&r->report[0], "client-restart-same-tuple"));
}

static void two_clients_make_one_handshake_that_fails(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    for (uint64_t i = 0; i < 5; i++, after(r, 1000)) {
        struct gram *g;
        send_client_hello(r, i, 0x11, NULL);
        g = gram();
        put_client_hello(g, i, 0, 0x22, NULL);
        send_gram(r, SD_SERVER, g);
    }
    rig_close(r);
    assert_int_equal(r->reports, 1);
    assert_int_equal(r->report[0].outcome, SD_FAILED);
    assert_int_equal(r->report[0].x.client_random[0], 0x11);
    assert_non_null(found(&r->report[0], "role-conflict"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_port_is_named),
        cmocka_unit_test(without_a_diagnosis_there_are_outcomes),
        cmocka_unit_test(a_restart_on_the_same_addresses_is_noticed),
        cmocka_unit_test(two_clients_make_one_handshake_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
