/* SPDX-License-Identifier: MIT */
/* A handshake in virtual time as in flow_tools.h, and what the rules say of it. Include
 * after cmocka. */
#ifndef RULES_TOOLS_H
#define RULES_TOOLS_H

#include "flow/rules/catalogue.h"
#include "flow/rules/diagnose.h"
#include "flow_tools.h"

/* `config` as for rig_open(). */
static inline struct rig *rules_open(const struct sd_tracker_config *config)
{
    struct sd_tracker_config c = config ? *config : (struct sd_tracker_config){0};
    c.diagnose = sd_diagnose;
    return rig_open(&c);
}

static inline const struct sd_finding *found(const struct report *r, const char *id)
{
    assert_non_null(sd_catalogue_find(id));
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->findings[i].entry->id, id) == 0)
            return &r->findings[i];
    return NULL;
}

static inline void check_said(const struct sd_finding *f, const char *id, const char *words)
{
    if (!f || strcmp(f->entry->id, id) != 0)
        fail_msg("%s, not %s", f ? f->entry->id : "nothing", id);
    else if (!strstr(f->detail, words))
        fail_msg("\"%s\" does not say \"%s\"", f->detail, words);
}

/* What comes first is this, and says these words. */
static inline void check_verdict(const struct report *r, const char *id, const char *words)
{
    check_said(r->count ? &r->findings[0] : NULL, id, words);
}

#endif
