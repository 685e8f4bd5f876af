/* SPDX-License-Identifier: MIT */
/* The reports of dtls_scan: the page, what changed since a baseline, explanations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dtls_scan/report/baseline.h"
#include "dtls_scan/report/explain.h"
#include "dtls_scan/report/html.h"

static struct scan_result results[2];
static struct scan_report report;

/* Two results of the first check: only their outcomes matter here. */
static int make_report(void **state)
{
    (void)state;
    report = (struct scan_report){.host = "host", .port = "1", .count = 1, .results = results};
    results[0] = (struct scan_result){.check = scan_check_at(0)};
    scan_found(&results[0].outcome, SCAN_OK, json_true(), "all is well");
    return 0;
}

static int free_report(void **state)
{
    (void)state;
    scan_outcome_free(&results[0].outcome);
    json_decref(report.changes);
    return 0;
}

static json_t *old_report(const char *level, json_t *value)
{
    return json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s, s:o}]}", "type", "scan", "host", "host",
                     "port", "1", "results", "id", scan_check_at(0)->id, "level", level, "text",
                     "was so", "value", value);
}

static size_t changes_since(const char *level, json_t *value)
{
    json_t *old = old_report(level, value);
    json_t *changes = scan_baseline_changes(old, &report);
    size_t n = json_array_size(changes);
    json_decref(changes);
    json_decref(old);
    return n;
}

static void changes_are_those_of_level_and_value(void **state)
{
    (void)state;
    assert_int_equal(changes_since("ok", json_true()), 0);
    assert_int_equal(changes_since("low", json_true()), 1);
    assert_int_equal(changes_since("ok", json_false()), 1);
}

static void what_was_not_settled_is_no_change(void **state)
{
    (void)state;
    assert_int_equal(changes_since("not-known", json_null()), 0);
    assert_int_equal(changes_since("not-run", json_null()), 0);
    assert_int_equal(changes_since("some word", json_null()), 0);
    results[0].outcome.level = SCAN_NOT_KNOWN;
    assert_int_equal(changes_since("low", json_false()), 0);
}

static void the_last_report_of_this_server_counts(void **state)
{
    (void)state;
    json_t *list = json_array(), *other = old_report("low", json_true());
    json_object_set_new(other, "port", json_string("2"));
    json_array_append_new(list, old_report("low", json_true()));
    json_array_append_new(list, old_report("ok", json_true()));
    json_array_append_new(list, other);
    assert_ptr_equal(scan_baseline_of(list, &report), json_array_get(list, 1));
    report.port = "3";
    assert_null(scan_baseline_of(list, &report));
    json_decref(list);
}

/* Loads what `text` says; the number of reports, or -1 with a sentence. */
static int load(const char *text)
{
    char path[] = "/tmp/dtlsscan_report_XXXXXX", why[TOOL_WHY] = "";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    fputs(text, f);
    fclose(f);
    json_t *list = scan_baseline_load(path, why);
    int n = list ? (int)json_array_size(list) : -1;
    assert_true(list || strstr(why, path));
    json_decref(list);
    remove(path);
    return n;
}

static void a_baseline_is_lines_of_reports(void **state)
{
    (void)state;
    assert_int_equal(load("{\"type\":\"scan\",\"results\":[]}\n"), 1);
    assert_int_equal(load("{\"event\":\"error\"}\n{\"type\":\"scan\",\"results\":[]}\n\n"), 1);
    assert_int_equal(load(""), -1);
    assert_int_equal(load("[]"), -1);
    assert_int_equal(load("{\"type\":\"scan\"}"), -1);
    assert_int_equal(load("{\"type\":\"scan\",\"results\":[]}\n{\"type\""), -1);
    assert_int_equal(load("<html>"), -1);
}

static char *page_of(const struct scan_report *r)
{
    char *text;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    scan_html_begin(to, r->host);
    scan_html_add(to, r);
    scan_html_end(to);
    fclose(to);
    return text;
}

static void the_page_is_closed_and_has_no_foreign_markup(void **state)
{
    (void)state;
    report.host = "<script>\x1b[m";
    snprintf(results[0].outcome.text, SCAN_SENTENCE, "name \"<b onload=x>\" \x1b]0;x\x07");
    results[0].outcome.level = SCAN_HIGH;
    report.changes = json_pack("[{s:s, s:s, s:s}]", "id", "<i>", "text", "<u>", "old_text", "<s>");
    char *page = page_of(&report);
    assert_null(strchr(page, '\x1b'));
    for (const char *const *tag =
             (const char *const[]){"<script", "<b onload", "<i>", "<u>", "<s>", NULL};
         *tag; tag++)
        assert_null(strstr(page, *tag));
    assert_non_null(strstr(page, "&lt;script&gt;"));
    assert_non_null(strstr(page, "<li class=\"high\">"));
    assert_non_null(strstr(page, "</html>"));
    free(page);
}

static void explanations_are_about_checks(void **state)
{
    (void)state;
    const struct scan_explanation *e;
    for (size_t i = 0; (e = scan_explanation_at(i)); i++) {
        if (!scan_check_find(e->id))
            fail_msg("no check is called %s", e->id);
        assert_ptr_equal(scan_explanation_find(e->id), e);
    }
}

/* --- the text --- */

static unsigned lines_with(struct scan_report *r, unsigned verbose, const char *word)
{
    char *text = NULL;
    size_t len;
    unsigned n = 0;
    FILE *to = open_memstream(&text, &len);
    scan_report_text(to, r, false, verbose);
    fclose(to);
    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    free(text);
    return n;
}

/* The weaknesses come last: they are of one group. */
static void what_is_not_known_for_one_reason_is_one_line(void **state)
{
    (void)state;
    struct scan_result list[5] = {{0}};
    struct scan_report r = {.host = "host", .port = "1", .results = list};
    r.to = sd_addr_any(AF_INET, 1);
    for (size_t i = 0; i < 5; i++) {
        list[i].check = &scan_weakness_checks[i];
        scan_not_known(&list[i].outcome, i < 4 ? "it is mute" : "it is slow");
    }
    r.count = 2;
    assert_int_equal(lines_with(&r, 0, "it is mute"), 2);
    r.count = 5;
    assert_int_equal(lines_with(&r, 0, "it is mute"), 1);
    assert_int_equal(lines_with(&r, 0, "4 checks: it is mute"), 1);
    assert_int_equal(lines_with(&r, 0, "it is slow"), 1);
    assert_int_equal(lines_with(&r, 1, "it is mute"), 4);
    for (size_t i = 0; i < 5; i++)
        scan_outcome_free(&list[i].outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_are_those_of_level_and_value, make_report,
                                        free_report),
        cmocka_unit_test_setup_teardown(what_was_not_settled_is_no_change, make_report,
                                        free_report),
        cmocka_unit_test_setup_teardown(the_last_report_of_this_server_counts, make_report,
                                        free_report),
        cmocka_unit_test(a_baseline_is_lines_of_reports),
        cmocka_unit_test_setup_teardown(the_page_is_closed_and_has_no_foreign_markup, make_report,
                                        free_report),
        cmocka_unit_test(explanations_are_about_checks),
        cmocka_unit_test(what_is_not_known_for_one_reason_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
