/* SPDX-License-Identifier: MIT */
#include "dtls_regress/diff.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "dtls_regress/result.h"

enum { SAME, CHANGED, FAILED }; /* the worst is the exit status */

static const char *text_of(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));
    return t ? t : "";
}

/* Every entry has the three texts that regress_diff() needs. */
static bool is_report(const json_t *o)
{
    const json_t *checks = json_object_get(o, "checks");
    size_t i;
    json_t *c;
    json_array_foreach(checks, i, c)
    {
        if (!*text_of(c, "check") || !*text_of(c, "result") || !*text_of(c, "verdict"))
            return false;
    }
    return json_is_array(checks);
}

static json_t *load_report(const char *path)
{
    json_error_t e;
    json_t *o = json_load_file(path, 0, &e);
    if (!o) {
        fprintf(stderr, "dtls_regress: %s: %s\n", path, e.text);
    } else if (!is_report(o)) {
        fprintf(stderr, "dtls_regress: %s: not a file that dtls_regress --json wrote\n", path);
        json_decref(o);
        o = NULL;
    }
    return o;
}

static const json_t *find_check(const json_t *run, const char *check)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(run, "checks"), i, c)
    {
        if (!strcmp(text_of(c, "check"), check))
            return c;
    }
    return NULL;
}

static bool check_is_bad(const json_t *check)
{
    return !strcmp(text_of(check, "verdict"), "bad");
}

/* False when the check did not work or got too little CPU time: there is nothing to compare. */
static bool has_result(const json_t *check)
{
    const char *verdict = text_of(check, "verdict");
    return strcmp(verdict, "broken") != 0 && strcmp(verdict, "inconclusive") != 0;
}

static const char *kind_of_change(const json_t *was, const json_t *is)
{
    if (check_is_bad(was) == check_is_bad(is))
        return "changed";
    return check_is_bad(is) ? "got worse" : "got better";
}

static void print_change(const json_t *was, const json_t *is)
{
    char value[VALUE_TEXT];
    regress_value(value, json_string_value(json_object_get(is, "measures")), text_of(is, "result"),
                  !strcmp(text_of(is, "verdict"), "info"));
    if (was)
        printf("%s %s: %s (was %s)\n", text_of(is, "check"), kind_of_change(was, is), value,
               text_of(was, "result"));
    else
        printf("%s is new: %s\n", text_of(is, "check"), value);
}

/* Prints how a check differs, if it does. `was` is NULL for a new one. */
static int compare_check(const json_t *was, const json_t *is)
{
    if (!has_result(is) || (was && !has_result(was))) {
        printf("%s cannot be compared: %s (was %s)\n", text_of(is, "check"), text_of(is, "result"),
               was ? text_of(was, "result") : "missing");
        return FAILED;
    }
    if (was && !strcmp(text_of(was, "result"), text_of(is, "result")))
        return SAME;
    print_change(was, is);
    return CHANGED;
}

/* Compares the checks of `new` with those of `old`. */
static int print_changes(const json_t *old, const json_t *new)
{
    int worst = SAME;
    size_t i;
    json_t *is;
    json_array_foreach(json_object_get(new, "checks"), i, is)
    {
        int status = compare_check(find_check(old, text_of(is, "check")), is);
        worst = status > worst ? status : worst;
    }
    return worst;
}

static int print_missing(const json_t *old, const json_t *new)
{
    int status = SAME;
    size_t i;
    json_t *was;
    json_array_foreach(json_object_get(old, "checks"), i, was)
    {
        if (find_check(new, text_of(was, "check")))
            continue;
        status = CHANGED;
        printf("%s is missing (was %s)\n", text_of(was, "check"), text_of(was, "result"));
    }
    return status;
}

static int compare_reports(const json_t *old, const json_t *new)
{
    const int changed = print_changes(old, new), missing = print_missing(old, new);
    return changed > missing ? changed : missing;
}

int regress_diff(const char *old_path, const char *new_path)
{
    json_t *old = load_report(old_path), *new = old ? load_report(new_path) : NULL;
    int rc = FAILED;
    if (new) {
        rc = compare_reports(old, new);
        if (rc == SAME)
            printf("no change: every check gives the same result on %s and %s\n",
                   text_of(old, "openssl"), text_of(new, "openssl"));
    }
    json_decref(new);
    json_decref(old);
    return rc;
}
