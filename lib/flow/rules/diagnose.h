/* Runs the rules over one handshake. */
#ifndef SD_FLOW_RULES_DIAGNOSE_H
#define SD_FLOW_RULES_DIAGNOSE_H

#include "flow/rules/rule.h"

enum { SD_FINDINGS_MAX = 16 };

/* Fills `findings`, the verdict first, and settles the outcome. Returns how many. */
size_t sd_diagnose(struct sd_case *c, struct sd_finding findings[static SD_FINDINGS_MAX]);

/* What the view alone says. */
enum sd_outcome sd_outcome_of(const struct sd_view *v);

#endif
