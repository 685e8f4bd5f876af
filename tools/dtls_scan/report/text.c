/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "common/printable.h"
#include "common/text.h"
#include "dtls_scan/report/report.h"

enum { COLUMN = 39, WIDTH = 100 };

static const char *level_color(enum scan_level level, bool color)
{
    static const char *const codes[] = {
        [SCAN_NOT_RUN] = "\033[2m", [SCAN_NOT_KNOWN] = "\033[35m", [SCAN_OK] = "\033[32m",
        [SCAN_INFO] = "",           [SCAN_LOW] = "\033[33m",       [SCAN_MEDIUM] = "\033[33m",
        [SCAN_HIGH] = "\033[31m",   [SCAN_CRITICAL] = "\033[1;31m"};
    return color ? codes[level] : "";
}

static void put_result_line(FILE *to, const struct scan_result *r, bool color)
{
    enum scan_level level = r->outcome.level;
    fprintf(to, "  %-26s%s%-9s%s", r->check->title, level_color(level, color),
            scan_level_name(level), color ? "\033[0m" : "");
    tool_wrap_after(to, COLUMN - 2, r->outcome.text, COLUMN, WIDTH);
}

static bool shown(const struct scan_result *r, unsigned verbose)
{
    return verbose || r->outcome.level != SCAN_NOT_RUN;
}

enum { ALIKE_LEAST = 3 }; /* fewer lines are not worth to be one */

/* Not known for the same reason, in the same group. */
static bool alike(const struct scan_result *a, const struct scan_result *b)
{
    return a->check->group == b->check->group && a->outcome.level == SCAN_NOT_KNOWN &&
           b->outcome.level == SCAN_NOT_KNOWN && !strcmp(a->outcome.text, b->outcome.text);
}

/* How many are alike, and which is the first of them. */
static unsigned count_same_reason(const struct scan_report *r, size_t of, size_t *first)
{
    unsigned n = 0;
    for (size_t i = r->count; i-- > 0;)
        if (alike(&r->results[i], &r->results[of])) {
            *first = i;
            n++;
        }
    return n;
}

/* One line for all. */
static void put_alike(FILE *to, const struct scan_result *r, unsigned count, bool color)
{
    char text[SCAN_SENTENCE + 64];
    snprintf(text, sizeof text, "%u checks: %s", count, r->outcome.text);
    fprintf(to, "  %-26s%s%-9s%s", "Several", level_color(SCAN_NOT_KNOWN, color),
            scan_level_name(SCAN_NOT_KNOWN), color ? "\033[0m" : "");
    tool_wrap_after(to, COLUMN - 2, text, COLUMN, WIDTH);
}

/* With -v each check has its line. */
static void put_or_join(FILE *to, const struct scan_report *r, size_t i, bool color,
                        unsigned verbose)
{
    size_t first = i;
    unsigned n = verbose ? 0 : count_same_reason(r, i, &first);
    if (n < ALIKE_LEAST)
        put_result_line(to, &r->results[i], color);
    else if (first == i)
        put_alike(to, &r->results[i], n, color);
}

static void put_group(FILE *to, const struct scan_report *r, enum scan_group group, bool color,
                      unsigned verbose)
{
    bool titled = false;
    for (size_t i = 0; i < r->count; i++) {
        if (r->results[i].check->group != group || !shown(&r->results[i], verbose))
            continue;
        if (!titled)
            fprintf(to, "\n%s\n", scan_group_title(group));
        titled = true;
        put_or_join(to, r, i, color, verbose);
    }
}

static void put_changes(FILE *to, const json_t *changes)
{
    if (!changes)
        return;
    fputs(json_array_size(changes) ? "\nChanges since the baseline\n"
                                   : "\nNothing changed since the baseline.\n",
          to);
    for (size_t i = 0; i < json_array_size(changes); i++) {
        char now[SCAN_SENTENCE], before[SCAN_SENTENCE];
        const json_t *c = json_array_get(changes, i);
        tool_printable(json_string_value(json_object_get(c, "text")), now, sizeof now);
        tool_printable(json_string_value(json_object_get(c, "old_text")), before, sizeof before);
        fprintf(to, "  %s: %s (%s)\n    before: %s (%s)\n",
                json_string_value(json_object_get(c, "id")), now,
                json_string_value(json_object_get(c, "level")), before,
                json_string_value(json_object_get(c, "old_level")));
    }
}

enum { MATTERS = 6 }; /* lines at the top */

static unsigned count_level(const struct scan_report *r, enum scan_level level)
{
    unsigned n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += r->results[i].outcome.level == level;
    return n;
}

/* "1 critical, 2 high, 3 medium, 4 low". */
static void put_counts(FILE *to, const struct scan_report *r)
{
    unsigned said = 0;
    for (int level = SCAN_CRITICAL; level >= SCAN_LOW; level--) {
        unsigned n = count_level(r, (enum scan_level)level);
        if (n)
            fprintf(to, "%s%u %s", said++ ? ", " : "", n, scan_level_name((enum scan_level)level));
    }
    fputs(said ? ".\n" : "No weakness was found.\n", to);
}

/* The worst results first, so that nobody has to read the rest. */
static void put_what_matters(FILE *to, const struct scan_report *r, bool color)
{
    unsigned left = MATTERS;
    put_counts(to, r);
    for (int level = SCAN_CRITICAL; level >= SCAN_MEDIUM; level--)
        for (size_t i = 0; i < r->count && left; i++)
            if (r->results[i].outcome.level == (enum scan_level)level) {
                put_result_line(to, &r->results[i], color);
                left--;
            }
}

void scan_report_text(FILE *to, const struct scan_report *r, bool color, unsigned verbose)
{
    char addr[SD_ADDR_TEXT];
    fprintf(to, "%s port %s (%s): ", r->host, r->port, sd_addr_text(&r->to, addr));
    put_what_matters(to, r, color);
    for (int g = 0; g < SCAN_GROUP_COUNT; g++)
        put_group(to, r, (enum scan_group)g, color, verbose);
    put_changes(to, r->changes);
    fprintf(to, "\n%u datagrams sent, %u received, in %.1f s\n", r->sent, r->received, r->seconds);
    if (r->stop)
        fprintf(to, "The scan ended early: %s.\n", scan_stop_text(r->stop));
}
