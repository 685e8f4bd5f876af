/* SPDX-License-Identifier: MIT */
/* What the rules can find, in words. */
#ifndef SD_FLOW_RULES_CATALOGUE_H
#define SD_FLOW_RULES_CATALOGUE_H

#include "flow/finding.h"

/* All entries, in the order of catalogue.def. */
extern const struct sd_entry sd_catalogue[];
extern const size_t sd_catalogue_count;
/* By id, or NULL. */
const struct sd_entry *sd_catalogue_find(const char *id);

#endif
