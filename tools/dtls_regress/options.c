/* The options of dtls_regress: the one list behind the parser, --help, completion and the
 * check of the man page. */
#include "dtls_regress/options.h"

#include "dtls_regress/experiments.h"

#define AT(field) offsetof(struct regress_config, field)
#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { DEADLINE_S = 20 };

#define WHAT "What to do"
#define HOW "How"

/* clang-format off */
static const struct tool_opt opts[] = {
    {'l', "list", NULL, WHAT, "the checks, a line each", TOOL_FLAG, AT(list), 0, NULL},
    {'o', "only", "CHECK", WHAT, "only this check; may be given again", TOOL_LIST, AT(only), ONLY_MAX, NULL},
    {'e', "explain", "CHECK", WHAT, "what is done, what it means, what sukat_dtls does about it", TOOL_TEXT, AT(explain), 0, NULL},
    {'d', "diff", NULL, WHAT, "what changed from one --json to another: OLD.json NEW.json", TOOL_FLAG, AT(diff), 0, NULL},
    {0, "expect", NULL, WHAT, "compare with what is known of this build; exit 1 on any news", TOOL_FLAG, AT(expect), 0, NULL},
    {'k', "known", "BUILD", WHAT, "what is known of another build, e.g. 3.5.7-1~deb13u2", TOOL_TEXT, AT(known), 0, NULL},

    {'w', "timeout", "SECS", HOW, "a check that takes longer hangs; default 20", TOOL_UINT, AT(seconds), 3600, NULL},
    {0, "inject", "FAULT", HOW, "tests only: crash, hang, broken, flip, deaf or frozen", TOOL_TEXT, AT(inject), 0, NULL},
    {0, "quiet", NULL, HOW, "no progress", TOOL_FLAG, AT(quiet), 0, NULL},
    {0, "json", NULL, HOW, "one JSON object with all results", TOOL_FLAG, AT(json), 0, NULL},

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
        "  0  nothing that is known to be bad; nothing changed; all as expected\n"
        "  1  something known to be bad; a change; a deviation\n"
        "  2  wrong usage, a file or output that cannot be used, or a check that did not work\n",
    .opts = opts,
    .count = COUNT(opts),
};

bool regress_options(struct regress_config *c, int argc, char **argv, char why[static TOOL_WHY])
{
    int rest;
    *c = (struct regress_config){.seconds = DEADLINE_S};
    if (!tool_options_parse(&regress_usage, c, argc, argv, &rest, why))
        return false;
    if (c->diff && argc - rest != 2)
        return tool_wrong(why, "--diff needs two files: OLD.json NEW.json");
    if (c->diff) {
        c->old = argv[rest];
        c->new = argv[rest + 1];
    } else if (rest < argc) {
        return tool_wrong(why, "unexpected argument '%s'", argv[rest]);
    }
    for (unsigned i = 0; i < ONLY_MAX && c->only[i]; i++)
        if (!experiment_find(c->only[i]))
            return tool_wrong(why, "--only %s: no such check; --list has all", c->only[i]);
    if (c->explain && !experiment_find(c->explain))
        return tool_wrong(why, "--explain %s: no such check; --list has all", c->explain);
    if (!c->seconds)
        return tool_wrong(why, "--timeout 0: at least a second");
    return true;
}
