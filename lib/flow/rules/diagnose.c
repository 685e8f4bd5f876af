/* SPDX-License-Identifier: MIT */
#include "flow/rules/diagnose.h"

#include <string.h>

#include "flow/rules/rule.h"
#include "flow/rules/signs.h"

enum { /* where in the catalogue */
#define SD_ENTRY(name, id, severity, title, cause, advice, reference) AT_##name,
#include "flow/rules/catalogue.def"
#undef SD_ENTRY
};

const struct sd_row sd_rows[] = {
#define SD_ENTRY(name, id, severity, title, cause, advice, reference)                              \
    {&sd_catalogue[AT_##name], sd_rule_##name, false},
#define SD_LAST_RESORT(name, id, severity, title, cause, advice, reference)                        \
    {&sd_catalogue[AT_##name], sd_rule_##name, true},
#include "flow/rules/catalogue.def"
#undef SD_ENTRY
};

/* The worst first, of these the surest, then the one with more evidence, or with later evidence:
 * it is nearer to the end. The order of the rules says nothing. */
static bool precedes(const struct sd_finding *a, const struct sd_finding *b)
{
    if (a->severity != b->severity)
        return a->severity > b->severity;
    if (a->confidence != b->confidence)
        return a->confidence > b->confidence;
    if (a->packet_count != b->packet_count)
        return a->packet_count > b->packet_count;
    size_t n = a->packet_count;
    if (n && a->packets[n - 1] != b->packets[n - 1])
        return a->packets[n - 1] > b->packets[n - 1];
    return strcmp(a->entry->id, b->entry->id) < 0;
}

static void insert_finding(struct sd_finding *list, size_t *count, const struct sd_finding *f)
{
    size_t at = *count;
    while (at && precedes(f, &list[at - 1]))
        at--;
    if (at == SD_FINDINGS_MAX)
        return;
    size_t moved = *count - at - (*count == SD_FINDINGS_MAX);
    memmove(&list[at + 1], &list[at], moved * sizeof *list);
    list[at] = *f;
    *count += *count < SD_FINDINGS_MAX;
}

/* Another fatal finding that holds as well is what it may be instead. */
static void name_runner_up(struct sd_finding *list, size_t count)
{
    if (count > 1 && list[0].severity == SD_FATAL && list[1].severity == SD_FATAL)
        list[0].runner_up = list[1].entry;
}

/* All but the text, which takes most of it: every rule gets one, few use it. */
static void blank_finding(struct sd_finding *f, const struct sd_entry *entry, uint64_t exchange)
{
    memset(f, 0, offsetof(struct sd_finding, detail));
    f->detail[0] = '\0';
    f->entry = entry;
    f->severity = entry->severity;
    f->exchange = exchange;
}

/* Those that are last resorts, or those that are not. True when one of them is fatal. */
static bool ask_rules(const struct sd_case *c, const struct sd_row *rows, bool last_resorts,
                      struct sd_finding *findings, size_t *count)
{
    bool fatal = false;
    unsigned signs = sd_signs_of(c);
    for (const struct sd_row *row = rows; row < rows + sd_catalogue_count; row++) {
        struct sd_finding f;
        if (row->last_resort != last_resorts || !sd_signs_allow(row->entry, signs))
            continue;
        blank_finding(&f, row->entry, c->x->id);
        if (!row->rule(c, &f))
            continue;
        /* Loss proves little when the capture itself lost packets. */
        if (c->view->doubtful && f.confidence == SD_HIGH)
            f.confidence = SD_MEDIUM;
        fatal |= f.severity == SD_FATAL && !f.beside;
        insert_finding(findings, count, &f);
    }
    return fatal;
}

size_t sd_diagnose_by(const struct sd_row *rows, struct sd_case *c,
                      struct sd_finding findings[static SD_FINDINGS_MAX])
{
    size_t count = 0;
    bool fatal = ask_rules(c, rows, false, findings, &count);
    if (!fatal && c->outcome == SD_FAILED)
        fatal = ask_rules(c, rows, true, findings, &count);
    if (fatal && c->outcome == SD_OK)
        c->outcome = SD_FAILED;
    name_runner_up(findings, count);
    return count;
}

size_t sd_diagnose(struct sd_case *c, struct sd_finding findings[static SD_FINDINGS_MAX])
{
    return sd_diagnose_by(sd_rows, c, findings);
}
