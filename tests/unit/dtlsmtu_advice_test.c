/* SPDX-License-Identifier: MIT */
/* tools/dtls_mtu: what a limit means, against what was measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dtls_mtu/advice.h"

enum { HEADERS = 28 };

/* DTLS_get_data_mtu() of OpenSSL for these path MTUs. */
static void the_room_is_that_of_openssl(void **state)
{
    (void)state;
    static const struct {
        unsigned packet, room[MTU_CIPHERS];
    } measured[] = {{576, {511, 519, 495, 479}},
                    {1260, {1195, 1203, 1167, 1167}},
                    {1400, {1335, 1343, 1311, 1295}},
                    {1480, {1415, 1423, 1391, 1375}},
                    {1500, {1435, 1443, 1407, 1407}}};
    for (size_t i = 0; i < sizeof measured / sizeof *measured; i++) {
        struct mtu_cipher_room room[MTU_CIPHERS];
        mtu_advice_ciphers(room, measured[i].packet - HEADERS);
        for (size_t k = 0; k < MTU_CIPHERS; k++)
            assert_int_equal(room[k].payload, measured[i].room[k]);
    }
}

static const struct mtu_stack_effect *effect_on(struct mtu_stack_effect *all, const char *stack)
{
    for (size_t i = 0; i < MTU_STACKS; i++)
        if (!strcmp(all[i].stack, stack))
            return &all[i];
    fail_msg("nothing of %s", stack);
    return NULL;
}

static void each_stack_meets_the_limit_in_its_way(void **state)
{
    (void)state;
    struct mtu_stack_effect all[MTU_STACKS];
    mtu_advice_effects(all, 1472, 1472, false);
    for (size_t i = 0; i < MTU_STACKS; i++)
        assert_false(all[i].bad);
    mtu_advice_effects(all, 1372, 1472, false);
    assert_true(effect_on(all, "OpenSSL")->bad);
    assert_non_null(strstr(effect_on(all, "OpenSSL")->text, "7 s"));
    assert_false(effect_on(all, "GnuTLS")->bad);
    assert_true(effect_on(all, "wolfSSL")->bad);
    assert_false(effect_on(all, "sukat_dtls")->bad);
    mtu_advice_effects(all, 1372, 1472, true);
    assert_non_null(strstr(effect_on(all, "OpenSSL")->text, "EMSGSIZE"));
    mtu_advice_effects(all, 500, 1472, false);
    assert_non_null(strstr(effect_on(all, "OpenSSL")->text, "never"));
    assert_non_null(strstr(effect_on(all, "sukat_dtls")->text, "228"));
}

static void settings_have_the_numbers_each_stack_wants(void **state)
{
    (void)state;
    struct mtu_setting all[MTU_SETTINGS];
    mtu_advice_settings(all, 1372, 1400);
    assert_non_null(strstr(all[0].text, "DTLS_set_link_mtu(ssl, 1400)"));
    assert_non_null(strstr(all[1].text, "1372"));
    assert_string_equal(all[MTU_SETTINGS - 1].text, "nc_dtls --mtu 1372");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_room_is_that_of_openssl),
        cmocka_unit_test(each_stack_meets_the_limit_in_its_way),
        cmocka_unit_test(settings_have_the_numbers_each_stack_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
