/* SPDX-License-Identifier: MIT */
/* The options of dtls_regress: the one list behind the parser, --help, completion and the
 * check of the man page. */
#include "dtls_regress/options.h"

#include "dtls_regress/checks.h"
#include "dtls_regress/runner.h"

#define AT(field) offsetof(struct regress_config, field)
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

#define DEADLINE_S 20
#define DEADLINE_MAX_S 3600

static const struct tool_choice faults[] = {
    {"crash", FAULT_CRASH},   {"hang", FAULT_HANG},     {"spin", FAULT_SPIN},
    {"starve", FAULT_STARVE}, {"broken", FAULT_BROKEN}, {"flip", FAULT_FLIP},
    {"deaf", FAULT_DEAF},     {"frozen", FAULT_FROZEN}, {NULL, 0}};

#define WHAT "What to do"
#define HOW "How"

/* clang-format off */
static const struct tool_opt opts[] = {
    {'l', "list", NULL, WHAT, "list the checks", TOOL_FLAG, AT(list), 0, NULL},
    {'o', "only", "CHECK", WHAT, "run only CHECK; can be repeated", TOOL_LIST, AT(only), ONLY_MAX, NULL},
    {'e', "explain", "CHECK", WHAT, "explain CHECK: what it does, what its result means", TOOL_TEXT, AT(explain), 0, NULL},
    {'d', "diff", NULL, WHAT, "print what changed between two files that --json wrote", TOOL_FLAG, AT(diff), 0, NULL},
    {0, "expect", NULL, WHAT, "compare the results with those known for this build", TOOL_FLAG, AT(expect), 0, NULL},
    {'k', "known", "BUILD", WHAT, "print the results known for BUILD, such as 3.5.7-1~deb13u2", TOOL_TEXT, AT(known), 0, NULL},

    {'w', "timeout", "SECS", HOW, "end a check after SECS seconds of CPU time or of waiting (default " TEXT(DEADLINE_S) ")", TOOL_UINT, AT(seconds), DEADLINE_MAX_S, NULL},
    {0, "inject", "FAULT", HOW, "tests only: crash, hang, spin, starve, broken, flip, deaf or frozen", TOOL_CHOICE, AT(inject), 0, faults},
    {0, "quiet", NULL, HOW, "print no progress", TOOL_FLAG, AT(quiet), 0, NULL},
    {0, "json", NULL, HOW, "print one JSON object with all results", TOOL_FLAG, AT(json), 0, NULL},

    TOOL_STANDARD_OPTS(struct regress_config),
};
/* clang-format on */

const struct tool_usage regress_usage = {
    .prog = "dtls_regress",
    .about = "dtls_regress: which DTLS behaviours and known bugs the libssl of this machine has.",
    .synopsis = "Usage: dtls_regress [OPTIONS]\n"
                "       dtls_regress --diff OLD.json NEW.json\n"
                "       dtls_regress --explain CHECK\n"
                "       dtls_regress --known BUILD",
    .notes =
        "Exit status:\n"
        "  0  no known bug found; --diff: no change; --expect: all results as known\n"
        "  1  a known bug found; --diff: a change; --expect: another result than the known one\n"
        "  2  wrong usage, an unusable file, a result not written, or a check without a result\n",
    .opts = opts,
    .count = COUNT(opts),
};

static bool files_are_set(struct regress_config *c, int argc, char **argv, int rest,
                          char why[static TOOL_WHY])
{
    if (c->diff && argc - rest != 2)
        return tool_wrong(why, "--diff needs two files: OLD.json NEW.json");
    if (!c->diff && rest < argc)
        return tool_wrong(why, "unexpected argument '%s'", argv[rest]);
    if (c->diff) {
        c->old = argv[rest];
        c->new = argv[rest + 1];
    }
    return true;
}

static bool checks_exist(const struct regress_config *c, char why[static TOOL_WHY])
{
    for (unsigned i = 0; i < ONLY_MAX && c->only[i]; i++)
        if (!regress_check_find(c->only[i]))
            return tool_wrong(why, "--only %s: no such check; --list shows all", c->only[i]);
    if (c->explain && !regress_check_find(c->explain))
        return tool_wrong(why, "--explain %s: no such check; --list shows all", c->explain);
    return true;
}

bool regress_options(struct regress_config *c, int argc, char **argv, char why[static TOOL_WHY])
{
    int rest;
    *c = (struct regress_config){.seconds = DEADLINE_S};
    if (!tool_options_parse(&regress_usage, c, argc, argv, &rest, why) ||
        !files_are_set(c, argc, argv, rest, why) || !checks_exist(c, why))
        return false;
    if (!c->seconds)
        return tool_wrong(why, "--timeout 0: must be 1 to " TEXT(DEADLINE_MAX_S) " seconds");
    return true;
}
