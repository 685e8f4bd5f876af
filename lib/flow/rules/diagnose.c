#include "flow/rules/diagnose.h"

#include <string.h>

#include "flow/rules/rule.h"

/* In the order of the catalogue, which sd_catalogue follows as well. */
static sd_rule *const rules[] = {
#define SD_ENTRY(name, id, severity, title, cause, advice, reference) sd_rule_##name,
#include "flow/rules/catalogue.def"
#undef SD_ENTRY
};

/* The worst first, of these the surest; else as the catalogue has them. */
static bool before(const struct sd_finding *a, const struct sd_finding *b)
{
    if (a->severity != b->severity)
        return a->severity > b->severity;
    return a->confidence > b->confidence;
}

static void insert(struct sd_finding *list, size_t *count, const struct sd_finding *f)
{
    size_t at = *count;
    while (at && before(f, &list[at - 1]))
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
static void blank(struct sd_finding *f, size_t entry, uint64_t exchange)
{
    memset(f, 0, offsetof(struct sd_finding, detail));
    f->detail[0] = '\0';
    f->entry = &sd_catalogue[entry];
    f->severity = sd_catalogue[entry].severity;
    f->exchange = exchange;
}

size_t sd_diagnose(struct sd_case *c, struct sd_finding findings[static SD_FINDINGS_MAX])
{
    struct sd_finding f;
    size_t count = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        blank(&f, i, c->x->id);
        if (!rules[i](c, &f))
            continue;
        /* Loss proves little when the capture itself lost packets. */
        if (c->view->doubtful && f.confidence == SD_HIGH)
            f.confidence = SD_MEDIUM;
        c->fatal += f.severity == SD_FATAL;
        insert(findings, &count, &f);
    }
    if (c->fatal && c->outcome == SD_OK)
        c->outcome = SD_FAILED;
    name_runner_up(findings, count);
    return count;
}
