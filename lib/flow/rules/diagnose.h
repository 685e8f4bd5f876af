/* SPDX-License-Identifier: MIT */
/* Runs the rules over one handshake. */
#ifndef SD_FLOW_RULES_DIAGNOSE_H
#define SD_FLOW_RULES_DIAGNOSE_H

#include "flow/rules/rule.h"

/* For sd_tracker_config.diagnose. */
sd_diagnosis sd_diagnose;
/* The same with the rows in another order: what it finds does not depend on that. `rows`: those
 * of sd_rows, each once. */
size_t sd_diagnose_by(const struct sd_row *rows, struct sd_case *c,
                      struct sd_finding findings[static SD_FINDINGS_MAX]);

/* The finding about addresses without a handshake. */
void sd_diagnose_lone(const struct sd_lone *l, struct sd_finding *f);

#endif
