/* The end of an exchange: what it was, in one report. */
#include "flow/diagnose.h"
#include "flow/internal.h"

void sd_exchange_judge(struct sd_tracker *t, struct sd_flow *f)
{
    struct sd_finding findings[SD_FINDINGS_MAX];
    if (!t->config.done)
        return;
    sd_view_build(&t->view, f->x, t->now, t->drops);
    struct sd_case c = {
        .view = &t->view, .x = f->x, .certs = t->config.certs, .index = (const struct sd_index *)t};
    size_t count = sd_diagnose(&c, findings);
    struct sd_result r = {
        .x = f->x, .view = &t->view, .outcome = c.outcome, .findings = findings, .count = count};
    t->config.done(t->config.arg, &r);
}
