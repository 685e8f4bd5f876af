/* SPDX-License-Identifier: MIT */
#include "dtls_scan/report/explain.h"

#include <string.h>

#include "common/text.h"
#include "dtls_scan/checks/check.h"

static const struct scan_explanation explanations[] = {
#define SCAN_EXPLAIN(id, meaning, advice, reference) {id, meaning, advice, reference},
#include "dtls_scan/report/explain.def"
#undef SCAN_EXPLAIN
};

const struct scan_explanation *scan_explanation_at(size_t index)
{
    return index < sizeof explanations / sizeof *explanations ? &explanations[index] : NULL;
}

const struct scan_explanation *scan_explanation_find(const char *id)
{
    const struct scan_explanation *e;
    for (size_t i = 0; (e = scan_explanation_at(i)); i++)
        if (!strcmp(e->id, id))
            return e;
    return NULL;
}

static void print_explained(FILE *to, const char *heading, const char *text)
{
    fprintf(to, "\n%s\n", heading);
    tool_wrap(to, text, 2, 78);
}

bool scan_explain(FILE *to, const char *id)
{
    const struct scan_check *check = scan_check_find(id);
    const struct scan_explanation *e = scan_explanation_find(id);
    if (!check)
        return false;
    fprintf(to, "%s (%s): %s\n", check->id, scan_group_id(check->group), check->title);
    if (check->flags & SCAN_INTRUSIVE)
        fputs("Asked only with --intrusive.\n", to);
    if (check->flags & SCAN_APP)
        fputs("Asked only with --app.\n", to);
    if (e) {
        print_explained(to, "What it means", e->meaning);
        print_explained(to, "What to do", e->advice);
        print_explained(to, "Reference", e->reference);
    }
    return true;
}
