/* SPDX-License-Identifier: MIT */
#include "dtls_scan/report/outputs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/term.h"
#include "dtls_scan/report/baseline.h"
#include "dtls_scan/report/html.h"

bool scan_outputs_open(struct scan_outputs *o, const struct scan_config *c,
                       char why[static TOOL_WHY])
{
    *o = (struct scan_outputs){.cfg = c};
    if (c->baseline && !(o->baseline = scan_baseline_load(c->baseline, why)))
        return false;
    if (c->html && !(o->page = fopen(c->html, "we"))) {
        json_decref(o->baseline);
        return tool_wrong(why, "cannot write %s: %s", c->html, strerror(errno));
    }
    if (o->page)
        scan_html_begin(o->page, c->targets ? c->targets : c->target.host);
    return true;
}

static void put_on_stdout(const struct scan_config *c, const struct scan_report *r)
{
    if (!c->json) {
        scan_report_text(stdout, r, tool_term_color((enum tool_color)c->color, STDOUT_FILENO),
                         c->verbose);
    } else {
        json_t *line = scan_report_json(r);
        json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(16) | JSON_ENSURE_ASCII);
        json_decref(line);
        putchar('\n');
    }
    fflush(stdout);
}

void scan_outputs_put(struct scan_outputs *o, struct scan_report *r)
{
    const json_t *old = scan_baseline_of(o->baseline, r);
    if (old)
        r->changes = scan_baseline_changes(old, r);
    put_on_stdout(o->cfg, r);
    if (o->page)
        scan_html_add(o->page, r);
}

bool scan_outputs_close(struct scan_outputs *o, char why[static TOOL_WHY])
{
    bool ok = true;
    json_decref(o->baseline);
    if (o->page) {
        scan_html_end(o->page);
        ok = !ferror(o->page);
        ok = !fclose(o->page) && ok;
    }
    return ok || tool_wrong(why, "cannot write %s: %s", o->cfg->html, strerror(errno));
}
