/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "wire/iana.h"

enum { SENTENCE_PART = 120 };

static const struct {
    int alert;
    const char *text;
} reasons[] = {
#define SD_REASON(alert, sender, check, text) {SD_ALERT_##alert, text},
#include "flow/rules/reasons.def"
#undef SD_REASON
};

static const int alerts[] = {
#define SD_X(name, value, text) value,
    SD_ALERTS(SD_X)
#undef SD_X
};

static void every_alert_has_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++) {
        size_t n = 0;
        for (size_t j = 0; j < sizeof reasons / sizeof *reasons; j++)
            n += reasons[j].alert == alerts[i];
        if (!n)
            fail_msg("alert %d has no reason", alerts[i]);
    }
}

static void reasons_are_in_the_order_of_alerts(void **state)
{
    (void)state;
    for (size_t i = 1; i < sizeof reasons / sizeof *reasons; i++)
        assert_true(reasons[i - 1].alert <= reasons[i].alert);
}

static void a_reason_is_part_of_a_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        size_t len = strlen(reasons[i].text);
        assert_in_range(len, 1, SENTENCE_PART);
        assert_int_not_equal(reasons[i].text[len - 1], '.');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_alert_has_a_reason),
        cmocka_unit_test(reasons_are_in_the_order_of_alerts),
        cmocka_unit_test(a_reason_is_part_of_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
