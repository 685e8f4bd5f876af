/* SPDX-License-Identifier: MIT */
/* The end of an exchange: what it was, in one report. */
#include "flow/internal.h"

/* Long enough for a last flight to be asked for again; and for the longest timers measured
 * (GnuTLS: 12 s) not to look like the end. */
#define SETTLED_NS (2 * SD_NS_SECOND)
#define STUCK_NS (15 * SD_NS_SECOND)

void sd_judge_report(const struct sd_tracker_config *config, struct sd_view *view,
                     const struct sd_index *index, struct sd_held *h, bool only_if_clear)
{
    struct sd_finding findings[SD_FINDINGS_MAX];
    struct sd_exchange *x = &h->x;
    sd_view_build(view, x, h->now, h->drops);
    struct sd_case c = {.view = view,
                        .x = x,
                        .certs = config->certs,
                        .index = index,
                        .outcome = sd_outcome_of(view)};
    c.other_count = sd_index_same_server(index, x, c.others);
    size_t count = config->diagnose ? config->diagnose(&c, findings) : 0;
    /* Every failure has a finding, if only that it is not explained. None: the client only asks,
     * and has gone with its answer. */
    if (config->diagnose && !count && c.outcome == SD_FAILED)
        c.outcome = SD_INCOMPLETE;
    if (x->reported && count <= x->reported_findings)
        return;
    if (only_if_clear && c.outcome == SD_INCOMPLETE)
        return;
    struct sd_result r = {.x = x,
                          .view = view,
                          .outcome = c.outcome,
                          .findings = findings,
                          .count = count,
                          .again = x->reported};
    config->done(config->arg, &r);
    x->reported = true;
    x->reported_findings = count & UINT8_MAX;
}

static struct sd_held *held_at(const struct sd_tracker *t, struct sd_exchange *x)
{
    struct sd_held *h = sd_held_of(x);
    h->now = t->now;
    h->drops = t->drops;
    return h;
}

static void report_exchange(struct sd_tracker *t, struct sd_flow *f, bool only_if_clear)
{
    if (t->config.done)
        sd_judge_report(&t->config, &t->view, &t->index, held_at(t, f->x), only_if_clear);
}

void sd_judge_call(const struct sd_tracker *t, void (*fn)(void *of), void *of)
{
    const struct sd_handover *to = t->config.handover;
    if (to)
        to->call(to->arg, fn, of);
    else
        fn(of);
}

struct open_flow {
    struct sd_tracker *t;
    struct sd_flow *f;
};

void sd_exchange_judge_here(struct sd_tracker *t, struct sd_flow *f)
{
    report_exchange(t, f, false);
}

static void judge_open(void *of)
{
    const struct open_flow *o = of;
    sd_exchange_judge_here(o->t, o->f);
}

void sd_exchange_judge(struct sd_tracker *t, struct sd_flow *f)
{
    sd_judge_call(t, judge_open, &(struct open_flow){t, f});
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
