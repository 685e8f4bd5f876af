/* SPDX-License-Identifier: MIT */
/* lib/flow/rules/catalogue: the words of the diagnosis, and that every entry has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "flow/rules/catalogue.h"

static const char *const names[] = {
#define SD_ENTRY(name, id, severity, title, cause, advice, reference) #name,
#include "flow/rules/catalogue.def"
#undef SD_ENTRY
};

static void check_text(const char *id, const char *text)
{
    assert_non_null(text);
    if (!*text)
        fail_msg("%s: an empty text", id);
    for (const char *p = text; *p; p++)
        if (*p < ' ' || *p > '~')
            fail_msg("%s: byte 0x%02x in \"%s\"", id, (unsigned char)*p, text);
    if (text[0] == ' ' || text[strlen(text) - 1] == ' ' || strstr(text, "  "))
        fail_msg("%s: spare spaces in \"%s\"", id, text);
}

static void it_has_every_row(void **state)
{
    (void)state;
    assert_int_equal(sd_catalogue_count, sizeof names / sizeof *names);
}

static void every_text_is_there_and_plain_ascii(void **state)
{
    (void)state;
    for (size_t i = 0; i < sd_catalogue_count; i++) {
        const struct sd_entry *e = &sd_catalogue[i];
        check_text(e->id, e->title);
        check_text(e->id, e->cause);
        check_text(e->id, e->advice);
        check_text(e->id, e->reference);
        assert_in_range(e->severity, SD_INFO, SD_FATAL);
    }
}

static void ids_are_lower_case_words_with_dashes_between(void **state)
{
    (void)state;
    for (size_t i = 0; i < sd_catalogue_count; i++) {
        const char *id = sd_catalogue[i].id;
        size_t len = strlen(id);
        if (strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != len || id[0] == '-' ||
            id[len - 1] == '-' || strstr(id, "--"))
            fail_msg("id \"%s\"", id);
    }
}

static void the_name_in_the_code_is_the_id_with_underscores(void **state)
{
    (void)state;
    for (size_t i = 0; i < sd_catalogue_count; i++) {
        char id[64];
        assert_true(strlen(names[i]) < sizeof id);
        strcpy(id, names[i]);
        for (char *p = id; *p; p++)
            if (*p == '_')
                *p = '-';
        assert_string_equal(sd_catalogue[i].id, id);
    }
}

/* Also shows that ids are unique: the first of two would be found for both. */
static void each_is_found_by_its_id(void **state)
{
    (void)state;
    for (size_t i = 0; i < sd_catalogue_count; i++)
        assert_ptr_equal(sd_catalogue_find(sd_catalogue[i].id), &sd_catalogue[i]);
}

static void an_unknown_id_is_not_found(void **state)
{
    (void)state;
    assert_null(sd_catalogue_find(""));
    assert_null(sd_catalogue_find("no_response"));
    assert_null(sd_catalogue_find("no-response "));
}

static void severities_and_confidences_have_names(void **state)
{
    (void)state;
    assert_string_equal(sd_severity_name(SD_INFO), "info");
    assert_string_equal(sd_severity_name(SD_WARNING), "warning");
    assert_string_equal(sd_severity_name(SD_FATAL), "fatal");
    assert_string_equal(sd_confidence_name(SD_LOW), "low");
    assert_string_equal(sd_confidence_name(SD_MEDIUM), "medium");
    assert_string_equal(sd_confidence_name(SD_HIGH), "high");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_every_row),
        cmocka_unit_test(every_text_is_there_and_plain_ascii),
        cmocka_unit_test(ids_are_lower_case_words_with_dashes_between),
        cmocka_unit_test(the_name_in_the_code_is_the_id_with_underscores),
        cmocka_unit_test(each_is_found_by_its_id),
        cmocka_unit_test(an_unknown_id_is_not_found),
        cmocka_unit_test(severities_and_confidences_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
