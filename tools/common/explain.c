/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "common/text.h"
#include "common/explain.h"
#include "flow/rules/catalogue.h"

static void print_entry_paragraph(FILE *to, const char *heading, const char *text)
{
    fprintf(to, "\n%s\n", heading);
    tool_wrap(to, text, 2, 78);
}

static void print_entry(FILE *to, const struct sd_entry *e)
{
    fprintf(to, "%s (%s): %s\n", e->id, sd_severity_name(e->severity), e->title);
    print_entry_paragraph(to, "What happens", e->cause);
    print_entry_paragraph(to, "What to do", e->advice);
    print_entry_paragraph(to, "Reference", e->reference);
}

bool tool_explain(FILE *to, const char *id)
{
    if (!strcmp(id, "list")) {
        for (size_t i = 0; i < sd_catalogue_count; i++)
            fprintf(to, "%-28s %-8s %s\n", sd_catalogue[i].id,
                    sd_severity_name(sd_catalogue[i].severity), sd_catalogue[i].title);
        return true;
    }
    const struct sd_entry *e = sd_catalogue_find(id);
    if (e)
        print_entry(to, e);
    return e != NULL;
}
