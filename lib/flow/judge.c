/* SPDX-License-Identifier: MIT */
/* The end of an exchange: what it was, in one report. */
#include "flow/internal.h"

/* Long enough for a last flight to be asked for again; and for the longest timers measured
 * (GnuTLS: 12 s) not to look like the end. */
#define SETTLED_NS (2 * SD_NS_SECOND)
#define STUCK_NS (15 * SD_NS_SECOND)

static void report_exchange(struct sd_tracker *t, struct sd_flow *f, bool only_if_clear)
{
    struct sd_finding findings[SD_FINDINGS_MAX];
    if (!t->config.done)
        return;
    sd_view_build(&t->view, f->x, t->now, t->drops);
    struct sd_case c = {.view = &t->view,
                        .x = f->x,
                        .certs = t->config.certs,
                        .index = &t->index,
                        .outcome = sd_outcome_of(&t->view)};
    c.other_count = sd_index_same_server(c.index, f->x, c.others);
    size_t count = t->config.diagnose ? t->config.diagnose(&c, findings) : 0;
    if (f->x->reported && count <= f->x->reported_findings)
        return;
    if (only_if_clear && c.outcome == SD_INCOMPLETE)
        return;
    struct sd_result r = {.x = f->x,
                          .view = &t->view,
                          .outcome = c.outcome,
                          .findings = findings,
                          .count = count,
                          .again = f->x->reported};
    t->config.done(t->config.arg, &r);
    f->x->reported = true;
    f->x->reported_findings = count & UINT8_MAX;
}

void sd_exchange_judge(struct sd_tracker *t, struct sd_flow *f)
{
    report_exchange(t, f, false);
}

/* What is not clear yet is asked again after twice the time: a crowd that was never answered
 * must not be judged at every tick. */
void sd_exchange_judge_early(struct sd_tracker *t, struct sd_flow *f)
{
    const struct sd_exchange *x = f->x;
    int64_t quiet = t->now - x->last_handshake;
    bool settled = x->established && quiet > SETTLED_NS;
    bool stuck = !x->established && quiet > STUCK_NS && t->now >= f->ask_again;
    if (x->reported || !(settled || stuck))
        return;
    f->ask_again = t->now + quiet;
    report_exchange(t, f, true);
}
