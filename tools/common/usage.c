/* SPDX-License-Identifier: MIT */
/* --help */
#include <string.h>

#include "common/options.h"
#include "common/text.h"

/* "  -c, --certificate, --cert FILE" */
static int print_option_head(const struct tool_opt *o, FILE *to)
{
    int n = o->letter ? fprintf(to, "  -%c, ", o->letter) : fprintf(to, "      ");
    for (const char *p = o->names; *p;) {
        int len = (int)strcspn(p, ",");
        n += fprintf(to, "%s--%.*s", p == o->names ? "" : ", ", len, p);
        p += len + (p[len] == ',');
    }
    return n + (o->arg ? fprintf(to, " %s", o->arg) : 0);
}

void tool_usage_print(const struct tool_usage *u, FILE *to)
{
    enum { HELP_COLUMN = 34, HELP_WIDTH = 100 };
    const char *group = "";
    fprintf(to, "%s\n\n%s\n", u->about, u->synopsis);
    for (size_t i = 0; i < u->count; i++) {
        const struct tool_opt *o = &u->opts[i];
        if (!o->group)
            continue;
        if (strcmp(group, o->group))
            fprintf(to, "\n%s:\n", o->group);
        group = o->group;
        tool_wrap_after(to, (unsigned)print_option_head(o, to), o->help, HELP_COLUMN, HELP_WIDTH);
    }
    if (u->notes)
        fprintf(to, "\n%s", u->notes);
}
