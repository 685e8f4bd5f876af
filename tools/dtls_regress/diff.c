#include "dtls_regress/diff.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SAME, CHANGED, FAILED };

static const char *text(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));
    return t ? t : "";
}

/* Each entry has the three texts that are looked at. */
static bool is_report(const json_t *o)
{
    const json_t *checks = json_object_get(o, "checks");
    size_t i;
    json_t *c;
    json_array_foreach(checks, i, c)
    {
        if (!*text(c, "check") || !*text(c, "result") || !*text(c, "verdict"))
            return false;
    }
    return json_is_array(checks);
}

static json_t *load(const char *path)
{
    json_error_t e;
    json_t *o = json_load_file(path, 0, &e);
    if (!o) {
        fprintf(stderr, "dtls_regress: %s: %s\n", path, e.text);
    } else if (!is_report(o)) {
        fprintf(stderr, "dtls_regress: %s: not what dtls_regress --json writes\n", path);
        json_decref(o);
        o = NULL;
    }
    return o;
}

static const json_t *find(const json_t *run, const char *check)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(run, "checks"), i, c)
    {
        if (!strcmp(text(c, "check"), check))
            return c;
    }
    return NULL;
}

static const char *direction(const json_t *was, const json_t *is)
{
    bool bad_before = !strcmp(text(was, "verdict"), "bad");
    bool bad_now = !strcmp(text(is, "verdict"), "bad");
    return bad_before == bad_now ? "changed" : bad_now ? "got worse" : "was fixed";
}

static bool compare(const json_t *old, const json_t *new)
{
    bool changed = false;
    size_t i;
    json_t *is, *was;
    json_array_foreach(json_object_get(new, "checks"), i, is)
    {
        const char *name = text(is, "check");
        const json_t *before = find(old, name);
        if (before && !strcmp(text(before, "result"), text(is, "result")))
            continue;
        changed = true;
        if (before)
            printf("%s %s: %s, was %s\n", name, direction(before, is), text(is, "result"),
                   text(before, "result"));
        else
            printf("%s is new: %s\n", name, text(is, "result"));
    }
    json_array_foreach(json_object_get(old, "checks"), i, was)
    {
        if (find(new, text(was, "check")))
            continue;
        printf("%s is gone: was %s\n", text(was, "check"), text(was, "result"));
        changed = true;
    }
    return changed;
}

int diff_run(const char *old_path, const char *new_path)
{
    json_t *old = load(old_path), *new = old ? load(new_path) : NULL;
    int rc = FAILED;
    if (new) {
        rc = compare(old, new) ? CHANGED : SAME;
        if (rc == SAME)
            printf("%s and %s: the same in every check\n", text(old, "openssl"),
                   text(new, "openssl"));
    }
    json_decref(new);
    json_decref(old);
    return rc;
}
