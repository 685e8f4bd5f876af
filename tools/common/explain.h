/* SPDX-License-Identifier: MIT */
/* --explain: entries of the catalogue of findings. */
#ifndef TOOL_EXPLAIN_H
#define TOOL_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "flow/finding.h"

/* Prints the entry with this id, or for "list" a line for each entry. False for an unknown id. */
bool tool_explain(FILE *to, const char *id);

#endif
