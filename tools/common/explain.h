/* --explain: entries of the catalogue, for reading. */
#ifndef TOOL_EXPLAIN_H
#define TOOL_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "flow/finding.h"

/* One entry by its id, or all in a line each for "list". False when there is none such. */
bool tool_explain(FILE *to, const char *id);

#endif
